"""LightGBM, XGBoost and CatBoost, really fitted: labels, gaps, words, seeds, threads and progress."""

import pickle
import pickletools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.errors import FitFailed
from shared.estimators.catalogue import Estimator, all_estimators
from shared.evaluation.assessment import Assessment
from shared.training import fit_progress, trainer
from shared.training.building import build_tree
from shared.training.checks.training import problems_of
from shared.training.frame import forget_names, plain_array
from shared.training.libraries import member_of
from shared.training.spec import EstimatorChoice
from shared.training.trainer import Trained
from tests.support.training_tables import (
    dirty,
    heard_steps,
    numeric_amounts,
    numeric_classes,
    profile_of,
    spec_of,
    trained,
)

ALL = [estimator for estimator in all_estimators() if estimator.library is not None]
CLASSIFIERS = [estimator for estimator in ALL if estimator.task == "classification"]
BOOSTED = [estimator for estimator in ALL if not estimator.name.startswith("XGBRF")]
LABELS: dict[str, tuple[Any, ...]] = {
    "words": ("no", "maybe", "yes"),
    "whole numbers": (30, 10, 20),
    "truth": (False, True),
    "floats": (0.0, 2.0),
    "texts of numbers": ("02", "1", "10"),
    "of one sign": (-1, 1),
}


@pytest.fixture(autouse=True)
def without_assessment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes as long as all the rest, asks as others do, and is looked at by tests of its own."""
    monkeypatch.setattr(trainer, "assess", lambda *_, **__: Assessment())


def key(estimator: Estimator) -> str:
    return estimator.key


def few(estimator: Estimator, rounds: int = 8) -> dict[str, Any]:
    """So few rounds that the test takes no time, and leaves as small as the tables."""
    rows = {"lightgbm": {"min_child_samples": 2}}.get(str(estimator.library), {})
    return {"iterations" if estimator.library == "catboost" else "n_estimators": rounds, **rows}


def table_for(estimator: Estimator) -> pd.DataFrame:
    return numeric_classes() if estimator.task == "classification" else numeric_amounts()


def fitted(estimator: Estimator, table: pd.DataFrame, *, threads: int = 1, **params: Any) -> Trained:
    return trained(estimator.key, table, threads=threads, params=few(estimator) | params)


@pytest.mark.parametrize("estimator", ALL, ids=key)
def test_it_learns_a_numeric_table_and_predicts_plain_arrays_as_it_does_frames(estimator: Estimator) -> None:
    # Names that LightGBM and XGBoost refuse.
    table = table_for(estimator).rename(columns={"width": 'wi"d[t]h', "height": "he<ight,"})
    result = fitted(estimator, table)
    inputs = result.facts.signature.inputs
    frame = table[[column.name for column in inputs]].astype("float64")
    named = result.model.predict(frame)
    assert named.shape == (len(table),)
    assert result.facts.estimator == estimator.key
    assert result.facts.environment.keys() == {"python", "scikit-learn", "numpy", "pandas", estimator.library}
    assert result.facts.report["warnings"] == []
    loaded = forget_names(pickle.loads(pickle.dumps(result.model)))  # noqa: S301 - made above
    assert loaded.predict(plain_array(table, inputs)).tolist() == named.tolist()


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS.keys())
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=key)
def test_a_classifier_gives_the_labels_of_the_table(estimator: Estimator, labels: tuple[Any, ...]) -> None:
    table = numeric_classes(labels)
    result = fitted(estimator, table)
    assert result.facts.signature.classes == sorted(labels)
    assert result.model.classes_.tolist() == sorted(labels)
    frame = table[["width", "height", "count"]].astype("float64")
    found = result.model.predict(frame)
    assert found.shape == (len(table),)
    assert set(found.tolist()) == set(labels)
    likeliest = result.model.predict_proba(frame).argmax(axis=1)
    assert result.model.classes_[likeliest].tolist() == found.tolist()
    assert result.facts.metrics["accuracy"] > 0.5


@pytest.mark.parametrize("estimator", ALL, ids=key)
def test_it_learns_a_dirty_table_whose_gaps_it_keeps(estimator: Estimator) -> None:
    table = dirty() if estimator.task == "classification" else dirty().assign(target=np.arange(len(dirty())) / 3)
    result = fitted(estimator, table)
    told = " ".join(entry["treatment"] for entry in result.facts.report["columns"])
    assert "missing values are left to the estimator" in told
    assert result.facts.metrics


@pytest.mark.parametrize("estimator", ALL, ids=key)
def test_a_stored_model_needs_nothing_of_this_project(estimator: Estimator) -> None:
    stored = pickle.dumps(fitted(estimator, table_for(estimator)).model, protocol=5)
    words = [str(argument) for _, argument, _ in pickletools.genops(stored) if isinstance(argument, str)]
    assert [word for word in words if word.startswith(("shared", "worker"))] == []
    assert any(word.partition(".")[0].removeprefix("_") == estimator.library for word in words)


@pytest.mark.parametrize("estimator", ALL, ids=key)
def test_the_same_seed_gives_the_same_model_with_any_number_of_threads(estimator: Estimator) -> None:
    table = table_for(estimator)
    inputs = table[["width", "height", "count"]].to_numpy(dtype=float)
    more: dict[str, dict[str, Any]] = {
        "lightgbm": {"subsample_freq": 1},
        "catboost": {"bootstrap_type": "Bernoulli"},
    }
    sampled: dict[str, Any] = {"subsample": 0.6} | more.get(str(estimator.library), {})
    choice = EstimatorChoice(module=estimator.module, class_=estimator.name, params=few(estimator) | sampled)

    def answers(seed: int, threads: int) -> list[Any]:
        model = build_tree(choice.tree(), seed=seed, classes=[], shown=[], threads=threads).estimator
        model.fit(inputs, table["target"].to_numpy())
        asked = model.predict_proba if estimator.task == "classification" else model.predict
        return list(asked(inputs).ravel())

    one = answers(3, 1)
    assert one == answers(3, 1)
    assert one == pytest.approx(answers(3, 2), rel=1e-6)
    assert one != answers(7, 1)


@pytest.mark.parametrize("weighted", [False, True], ids=["all rows alike", "weights"])
@pytest.mark.parametrize("estimator", BOOSTED, ids=key)
def test_a_fit_that_is_seen_gives_the_very_model_of_a_plain_fit(estimator: Estimator, weighted: bool) -> None:
    table = table_for(estimator)
    inputs, target = table[["width", "height", "count"]].to_numpy(dtype=float), table["target"].to_numpy()
    choice = EstimatorChoice(module=estimator.module, class_=estimator.name, params=few(estimator))
    plain, seen = (build_tree(choice.tree(), seed=3, classes=[], shown=[]).estimator for _ in range(2))
    weights = np.linspace(0.5, 2, len(table)) if weighted else None
    fit_progress.fit_silently(plain, inputs, target, weights=weights)
    shares: list[float] = []
    fit_progress.fit(seen, inputs, target, weights=weights, told=shares.append)
    assert shares == [done / 8 for done in range(1, 9)]
    assert fit_progress.can_be_seen(seen)
    assert seen.predict(inputs).tolist() == plain.predict(inputs).tolist()
    if estimator.task == "classification":
        assert seen.predict_proba(inputs).tolist() == plain.predict_proba(inputs).tolist()
    assert vars(seen).keys() == vars(plain).keys()
    # What tells is not stored with the model.
    assert member_of(seen).get_params().get("callbacks") is None
    pickle.dumps(seen)


def test_a_forest_of_one_round_says_that_its_fit_cannot_be_seen() -> None:
    heard = heard_steps("xgboost.XGBRFClassifier", numeric_classes(), params={"n_estimators": 4})
    assert [measured for step, _, measured in heard if step == "fitting"] == [False]


@pytest.mark.parametrize("labels", [("02", "1", "10"), (30, 10, 20), (False, True)], ids=["texts", "numbers", "truth"])
def test_lightgbm_finds_the_weights_of_classes_by_label(labels: tuple[Any, ...]) -> None:
    # Nothing tells the classes, so that only their weights do.
    table = numeric_classes(labels)
    table["target"] = table["target"].sample(frac=1, random_state=0).to_numpy()
    light = next(estimator for estimator in ALL if estimator.name == "LGBMClassifier")
    heavy = max(labels)
    spelled = str(heavy).lower() if isinstance(heavy, bool) else str(heavy)
    frame = table[["width", "height", "count"]].astype("float64")
    plain, weighted = fitted(light, table), fitted(light, table, class_weight={spelled: 1000.0})
    likelier = weighted.model.predict_proba(frame).mean(axis=0) - plain.model.predict_proba(frame).mean(axis=0)
    assert likelier.argmax() == len(labels) - 1
    assert likelier[-1] > 0.01
    assert weighted.facts.parameters["class_weight"] == {spelled if heavy is not True else "True": 1000.0}


@pytest.mark.parametrize("estimator", ALL, ids=key)
def test_the_parameters_of_a_model_are_those_of_the_table_with_what_was_set(estimator: Estimator) -> None:
    result = fitted(estimator, table_for(estimator), learning_rate=0.25)
    told = result.facts.parameters
    assert told["learning_rate"] == 0.25
    assert estimator.parameters.keys() <= told.keys()
    assert {"n_jobs", "verbosity", "thread_count", "allow_writing_files", "missing"}.isdisjoint(told)


@pytest.mark.parametrize("host", ["ensemble.BaggingClassifier", "calibration.CalibratedClassifierCV"])
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=key)
def test_it_stands_inside_of_others(estimator: Estimator, host: str) -> None:
    inner = {"module": estimator.module, "class": estimator.name, "params": few(estimator, 3)}
    hosted = {"ensemble.BaggingClassifier": {"n_estimators": 2}}.get(host, {"cv": 2})
    result = trained(host, numeric_classes(), params={"estimator": inner, **hosted})
    assert result.facts.metrics["accuracy"] > 0.5
    told = result.facts.parameters["estimator"]
    assert (told["module"], told["class"]) == (estimator.module, estimator.name)
    assert estimator.library in result.facts.environment


UNFIT: dict[str, tuple[str, dict[str, Any], str]] = {
    "rows with weights": (
        "ensemble.AdaBoostClassifier",
        {"module": "xgboost", "class": "XGBClassifier"},
        "must take a weight for each row",
    ),
    "seeds": (
        "linear_model.RANSACRegressor",
        {"module": "catboost", "class": "CatBoostRegressor"},
        "seeds in a form that catboost.CatBoostRegressor does not take",
    ),
}


@pytest.mark.parametrize(("host", "inner", "said"), UNFIT.values(), ids=UNFIT.keys())
def test_a_host_that_a_library_cannot_serve_refuses_it_before_there_is_a_job(
    host: str, inner: dict[str, Any], said: str
) -> None:
    table = numeric_classes() if host.endswith("Classifier") else numeric_amounts()
    more = {"min_samples": 20} if host.endswith("Regressor") else {}
    spec = spec_of(host, params={"estimator": inner, **more})
    (problem,) = problems_of(spec, columns=profile_of(table), rows=len(table))
    assert said in problem.detail


REFUSALS: dict[str, tuple[str, dict[str, Any], str]] = {
    "lightgbm": ("lightgbm.LGBMRegressor", {"objective": "gamma"}, "at least one target label is negative"),
    "xgboost": ("xgboost.XGBRegressor", {"objective": "count:poisson"}, "label must be non-negative"),
    "catboost": ("catboost.CatBoostRegressor", {"max_leaves": 8}, "max_leaves"),
}


@pytest.mark.parametrize(("name", "params", "said"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_a_library_refuses_is_told_in_its_words_without_places_in_its_code(
    name: str, params: dict[str, Any], said: str
) -> None:
    estimator = next(each for each in ALL if each.key == name)
    table = numeric_amounts()
    with pytest.raises(FitFailed, match=said) as failed:
        fitted(estimator, table.assign(target=table["target"] - 100), **params)
    assert "Stack trace" not in failed.value.detail
    assert ".cpp" not in failed.value.detail
    assert ".h:" not in failed.value.detail
