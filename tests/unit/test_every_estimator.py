"""Every estimator of the table, really fitted."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.compiled.compilation import Compilation
from shared.compiled.making.making import compilable_estimators
from shared.estimators.catalogue import Estimator, all_estimators
from shared.prediction.computing import ModelInForm
from shared.training import trainer
from shared.training.building import build_tree
from shared.training.checks.training import problems_of
from shared.training.frame import forget_names, plain_array
from shared.training.spec import EstimatorChoice
from shared.training.trainer import Trained, train
from tests.support.nested import needed_by
from tests.support.training_tables import dirty, numeric_amounts, numeric_classes, profile_of, spec_of

# Other tests run the same lines once; to count them here takes as long as all the rest of it.
pytestmark = pytest.mark.no_cover


# What other libraries have is fitted in test_libraries.
ALL = [estimator for estimator in all_estimators() if estimator.library is None]
CLASSIFIERS = [estimator for estimator in ALL if estimator.task == "classification"]
# All rows of the test part must have a neighbour; one column per category makes the columns depend on each other.
SETTINGS: dict[str, dict[str, Any]] = {
    "discriminant_analysis.QuadraticDiscriminantAnalysis": {"reg_param": 0.1},
    "neighbors.RadiusNeighborsClassifier": {"radius": 9.0},
    "neighbors.RadiusNeighborsRegressor": {"radius": 9.0},
}
# A tenth of the members shows the same of labels and gaps; what all settings are by default, one test looks at.
FEW: dict[str, dict[str, Any]] = {
    **{
        f"ensemble.{name}{task}": {"n_estimators": 10}
        for name in ("AdaBoost", "ExtraTrees", "GradientBoosting", "RandomForest")
        for task in ("Classifier", "Regressor")
    },
    **{f"ensemble.HistGradientBoosting{task}": {"max_iter": 10} for task in ("Classifier", "Regressor")},
}


def trained(estimator: Estimator, table: pd.DataFrame, few: dict[str, dict[str, Any]] = FEW) -> Trained:
    params = needed_by(estimator) | SETTINGS.get(estimator.key, {}) | few.get(estimator.key, {})
    spec = spec_of(estimator.key, params=params, test_size=0.3)
    return train(spec, table, profile_of(table), threads=1, folds=0, on_step=lambda _step, _percent, **_measured: None)


@pytest.mark.parametrize("name", SETTINGS)
def test_what_cannot_do_with_its_defaults_is_refused_before_its_job(name: str) -> None:
    (estimator,) = (each for each in ALL if each.key == name)
    table = dirty() if estimator.task == "classification" else dirty().assign(target=np.arange(len(dirty())) / 3)
    columns, (setting,) = profile_of(table), SETTINGS[name]
    (problem,) = problems_of(spec_of(name), columns=columns, rows=len(table))
    assert problem.errors[0]["loc"] == ["body", "model", "params", setting]
    assert problems_of(spec_of(name, params=SETTINGS[name]), columns=columns, rows=len(table)) == []


@pytest.fixture
def without_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train without the compiled form, for a test that looks at none: its making takes as long as all the rest, and
    ends no training, whatever goes wrong.
    """
    none = Compilation(compiled=False, detail="Nobody asked for it.")
    monkeypatch.setattr(trainer, "compile_fitted", lambda *_: (None, none))


def key(estimator: Estimator) -> str:
    return estimator.key


@pytest.mark.parametrize("estimator", ALL, ids=key)
def test_it_learns_a_numeric_table_and_predicts_plain_arrays_as_it_does_frames(estimator: Estimator) -> None:
    table = numeric_classes() if estimator.task == "classification" else numeric_amounts()
    result = trained(estimator, table, few={})
    names = [column.name for column in result.facts.signature.inputs]
    assert names == ["width", "height", "count"]
    assert result.facts.metrics, result.facts.report["notes"]
    frame = table[names].astype("float64")
    named = result.model.predict(frame)
    assert len(named) == len(table)
    assert result.facts.compilation is not None
    is_compiled = estimator.name in compilable_estimators()
    assert result.facts.compilation.compiled == is_compiled, result.facts.compilation.detail
    if result.compiled is not None:
        ModelInForm(result.compiled, result.facts.signature, estimator.name).check_signature()
    if result.facts.signature.numeric:
        array = plain_array(table, result.facts.signature.inputs)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            plain = forget_names(result.model).predict(array)
        if estimator.task == "classification":
            assert plain.tolist() == named.tolist()
        else:
            # The memory layout of the two decides the order of summation.
            np.testing.assert_allclose(plain, named, rtol=1e-12)


@pytest.mark.usefixtures("without_form")
@pytest.mark.parametrize(
    "labels",
    [
        ("no", "maybe", "yes"),
        pytest.param((3, 1, 2), marks=pytest.mark.thorough),
        (False, True),
        pytest.param((0.0, 2.0), marks=pytest.mark.thorough),
    ],
    ids=str,
)
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=key)
def test_a_classifier_gives_the_labels_of_the_table(estimator: Estimator, labels: tuple[Any, ...]) -> None:
    result = trained(estimator, numeric_classes(labels))
    assert result.facts.signature.classes == sorted(labels)
    assert [type(label) for label in result.facts.signature.classes or []] == [type(label) for label in labels]
    assert result.model.classes_.tolist() == result.facts.signature.classes
    predicted = result.model.predict(numeric_classes(labels)[["width", "height", "count"]].astype("float64"))
    assert set(predicted.tolist()) <= set(labels)


@pytest.mark.usefixtures("without_form")
@pytest.mark.parametrize("estimator", [e for e in ALL if e.takes_missing], ids=key)
def test_what_is_said_to_take_missing_values_does(estimator: Estimator) -> None:
    table = numeric_classes() if estimator.task == "classification" else numeric_amounts()
    table.loc[::5, "width"] = np.nan
    result = trained(estimator, table)
    assert result.facts.signature.numeric
    assert all(column.missing_allowed for column in result.facts.signature.inputs)
    # In prediction, columns may have gaps that had none in training.
    nothing = pd.DataFrame({name: [np.nan] for name in ("width", "height", "count")})
    assert len(result.model.predict(nothing)) == 1


@pytest.mark.usefixtures("without_form")
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=key)
def test_a_classifier_learns_a_dirty_table(estimator: Estimator) -> None:
    table = dirty(rows=120)
    if estimator.inputs_not_negative:
        table = table.drop(columns="since")
    result = trained(estimator, table)
    assert not result.facts.signature.numeric
    assert result.facts.metrics["accuracy"] >= 0


@pytest.mark.parametrize("estimator", ALL, ids=key)
def test_what_the_table_says_of_an_estimator_is_so(estimator: Estimator) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        choice = EstimatorChoice(module=estimator.module, class_=estimator.name, params=needed_by(estimator))
        model = build_tree(choice.tree(), seed=1, classes=[], shown=[]).estimator
    assert type(model).__name__ == estimator.name
    parameters = model.get_params(deep=False)
    assert estimator.takes_seed == ("random_state" in parameters)
    assert estimator.parameters.keys() <= parameters.keys()
