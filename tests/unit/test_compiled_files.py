"""The files of compiled models: whatever is in them, reading them runs nothing and leads nowhere."""

import io
import json
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib import format as npy

from shared.compiled.file import _KINDS, read_model, write_model
from shared.compiled.parts import FormDamaged
from shared.compiled.recipe import CompiledRecipe
from tests.support.documented import ROOT
from tests.support.models import Planted
from tests.support.training_tables import dirty, numeric_classes, trained


@pytest.fixture(scope="module")
def forest(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a small forest of a dirty table."""
    path = tmp_path_factory.mktemp("form") / "form"
    compiled = trained("ensemble.RandomForestClassifier", dirty(), params={"n_estimators": 3}).compiled
    assert compiled is not None
    write_model(compiled, path)
    return path.read_bytes()


def changed(content: bytes, name: str, change: Callable[[Any], Any]) -> bytes:
    """The file with another entry: the document, or an array."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            if entry == name and name.endswith(".json"):
                data = json.dumps(change(json.loads(data))).encode()
            elif entry == name:
                array = change(npy.read_array(io.BytesIO(data), allow_pickle=False))
                kept = io.BytesIO()
                npy.write_array(kept, array)
                data = kept.getvalue()
            new.writestr(entry, data)
    return written.getvalue()


def read(content: bytes) -> Any:
    return read_model(io.BytesIO(content))


def test_a_file_that_was_cut_or_is_something_else_is_refused(forest: bytes) -> None:
    for content in (b"", b"PK", forest[:-1], forest[: len(forest) // 2], pickle.dumps([1])):
        with pytest.raises(FormDamaged):
            read(content)


def test_a_pickle_among_the_arrays_is_not_loaded(forest: bytes, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    content = io.BytesIO()
    npy.write_array(content, np.array([Planted(trace)], dtype=object), allow_pickle=True)
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(forest)) as old, zipfile.ZipFile(written, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, content.getvalue() if entry == "score.nodes.npy" else old.read(entry))
    with pytest.raises(FormDamaged):
        read(written.getvalue())
    assert not trace.exists()


def cycle(nodes: Any) -> Any:
    nodes["left"][np.flatnonzero(nodes["feature"] >= 0)[0]] = 0
    return nodes


def far_feature(nodes: Any) -> Any:
    nodes["feature"][np.flatnonzero(nodes["feature"] >= 0)[0]] = 10_000
    return nodes


def far_child(nodes: Any) -> Any:
    nodes["left"][np.flatnonzero(nodes["feature"] >= 0)[0]] = len(nodes) - 1
    return nodes


def far_leaf(nodes: Any) -> Any:
    nodes["left"][np.flatnonzero(nodes["feature"] == -1)[0]] = 2**30
    return nodes


DAMAGES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a tree that goes round": ("score.nodes.npy", cycle),
    "a feature that is not there": ("score.nodes.npy", far_feature),
    "a child that is not there": ("score.nodes.npy", far_child),
    "a leaf that is not there": ("score.nodes.npy", far_leaf),
    "numbers of another type": ("score.leaves.npy", lambda leaves: leaves.astype(np.float32)),
    "another shape": ("score.leaves.npy", lambda leaves: leaves.reshape(-1)),
    "an output that is not there": ("score.columns.npy", lambda columns: columns + 1),
    "a root that is not there": ("score.roots.npy", lambda roots: roots + 10**6),
    "too few gaps": ("score.gaps_left.npy", lambda gaps: gaps[1:]),
    "a source that is not there": ("recipe.sources.npy", lambda sources: sources + 99),
    "starts that go back": ("recipe.table_starts.npy", lambda starts: starts[::-1].copy()),
    "widths too large": ("recipe.widths.npy", lambda widths: np.full_like(widths, 2**62)),
    "more features than the steps make": (
        "form.json",
        lambda form: form | {"score": form["score"] | {"features": 10_000}},
    ),
    "leaves that say nothing": ("score.leaves.npy", lambda leaves: leaves[:, :0]),
    "an unknown part": ("form.json", lambda form: form | {"score": form["score"] | {"kind": "Unheard"}}),
    "an abstract part": ("form.json", lambda form: form | {"score": form["score"] | {"kind": "Score"}}),
    "parts in the wrong place": ("form.json", lambda form: form | {"recipe": None, "score": form["recipe"]}),
    "an unknown choice": ("form.json", lambda form: form | {"choice": "the_first"}),
    "an unknown link": ("form.json", lambda form: form | {"link": "the_first"}),
    "another number of columns": ("form.json", lambda form: form | {"categories": [None]}),
    "another release": ("form.json", lambda form: form | {"format": 99}),
    "no document": ("form.json", lambda _form: [1]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_does_not_fit_together_is_refused(forest: bytes, damage: str) -> None:
    name, change = DAMAGES[damage]
    with pytest.raises(FormDamaged):
        read(changed(forest, name, change))
    # The same with no change is fine: it is the change that is refused.
    assert read(changed(forest, name, lambda same: same)).gives_probabilities


def test_starts_so_far_apart_that_their_differences_go_round_are_refused() -> None:
    far, nothing = np.iinfo(np.int64), np.zeros(0)
    starts = np.array([0, far.max, far.min, -1, 10])
    assert (np.diff(starts) >= 0).all()
    recipe = CompiledRecipe(
        columns=1,
        sources=nothing.astype(np.int64),
        indicates=nothing.astype(np.uint8),
        fills=nothing,
        shifts=nothing,
        scales=nothing,
        bin_sources=np.zeros(4, dtype=np.int64),
        bin_fills=np.zeros(4),
        edges=np.zeros(10),
        bin_starts=starts,
        table_sources=nothing.astype(np.int64),
        widths=nothing.astype(np.int64),
        entries=nothing,
        table_starts=np.zeros(1, dtype=np.int64),
        by_column=False,
    )
    with pytest.raises(FormDamaged):
        recipe.check()
    replace(recipe, bin_starts=np.array([0, 1, 1, 5, 10])).check()


def test_layers_and_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    for estimator, name in [
        ("neural_network.MLPClassifier", "score.weights.npy"),
        ("linear_model.LogisticRegression", "score.intercept.npy"),
        ("ensemble.AdaBoostRegressor", "score.weights.npy"),
    ]:
        table = numeric_classes()
        if estimator.endswith("Regressor"):
            table["target"] = table["width"]
        compiled = trained(estimator, table).compiled
        assert compiled is not None
        write_model(compiled, tmp_path / "form")
        content = (tmp_path / "form").read_bytes()
        with pytest.raises(FormDamaged):
            read(changed(content, name, lambda array: array[:-1]))


PROGRAM = """
import json, sys
import numpy as np
from shared.compiled.file import read_model

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        model = read_model(file)
    assert len(model.compute(np.zeros((1, len(model.categories))), probabilities=False).predictions) == 1
print(json.dumps([name for name in ("sklearn", "pandas") if name in sys.modules]))
"""


def test_a_process_that_has_never_seen_scikit_learn_reads_and_asks_each_kind_of_model(tmp_path: Path) -> None:
    amounts = numeric_classes()
    amounts["target"] = amounts["width"]
    codes = numeric_classes()
    made = [
        trained("ensemble.RandomForestClassifier", dirty(), params={"n_estimators": 2}),
        trained("ensemble.HistGradientBoostingClassifier", codes, params={"max_iter": 2, "categorical_features": [2]}),
        trained("ensemble.AdaBoostRegressor", amounts, params={"n_estimators": 2}),
        trained("linear_model.LogisticRegression", numeric_classes()),
        trained("naive_bayes.GaussianNB", numeric_classes()),
        trained("naive_bayes.BernoulliNB", numeric_classes()),
        trained("naive_bayes.CategoricalNB", numeric_classes()),
        trained("discriminant_analysis.QuadraticDiscriminantAnalysis", numeric_classes(), params={"reg_param": 0.1}),
        trained("neural_network.MLPClassifier", numeric_classes(), params={"max_iter": 2}),
        trained("dummy.DummyClassifier", numeric_classes()),
    ]
    paths: list[Path] = []
    for result in made:
        assert result.compiled is not None
        paths.append(tmp_path / str(len(paths)))
        write_model(result.compiled, paths[-1])
    scores = {type(result.compiled.score).__name__ for result in made if result.compiled is not None}
    assert scores == set(_KINDS) - {"BentRecipe", "CompiledRecipe", "CyclicRecipe"}
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, paths)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == []
