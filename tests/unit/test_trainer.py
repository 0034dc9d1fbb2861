"""Training as a pure function, on numeric tables."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from shared.errors import FitFailed, InvalidParameter, InvalidSplit, SingleClass, TaskMismatch, UnknownColumn
from shared.estimators.catalogue import find_estimator
from shared.evaluation.answers import Predicted, ask
from shared.evaluation.measuring import evaluate
from shared.training import trainer
from shared.training.frame import forget_names
from shared.training.labels import target_values
from shared.training.recipe import build_estimator
from shared.training.trainer import train
from tests.support.tables import IRIS, load
from tests.support.training_tables import (
    numeric_amounts,
    numeric_classes,
    profile_of,
    spec_of,
    trained,
    treatment,
)

FOREST = "ensemble.RandomForestClassifier"
LOGISTIC = "linear_model.LogisticRegression"


def test_a_numeric_table_is_used_as_it_is() -> None:
    result = trained(FOREST, numeric_classes(), params={"n_estimators": 7})
    assert type(result.model).__name__ == "RandomForestClassifier"
    assert result.model.feature_names_in_.tolist() == ["width", "height", "count"]
    assert result.facts.estimator == FOREST
    assert result.facts.parameters["n_estimators"] == 7
    assert result.facts.parameters["random_state"] == 42
    assert "n_jobs" not in result.facts.parameters
    assert result.facts.signature.numeric
    assert set(result.facts.metrics) == {"accuracy", "balanced_accuracy", "f1_macro", "roc_auc", "log_loss"}
    assert result.facts.metrics["accuracy"] > result.facts.report["baseline"]["metrics"]["accuracy"]
    assert set(result.facts.environment) == {"python", "scikit-learn", "numpy", "pandas"}


@pytest.mark.parametrize(
    ("example", "estimator", "params"),
    [
        ("iris", LOGISTIC, {"max_iter": 1000}),
        ("iris", "neural_network.MLPClassifier", {"max_iter": 2000}),
        ("wine", "neighbors.KNeighborsClassifier", {}),
        ("diabetes", "linear_model.Ridge", {"alpha": 0.5}),
        ("diabetes", "svm.SVR", {}),
    ],
)
def test_a_numeric_table_without_gaps_gives_what_a_fit_by_hand_gives(
    example: str, estimator: str, params: dict[str, Any], tmp_path: Path
) -> None:
    _, table = load(tmp_path, (IRIS.parent / f"{example}.csv").read_bytes())
    result = trained(estimator, table, params=params)
    seed = {"random_state": 42} if "random_state" in result.facts.parameters else {}
    by_hand = build_estimator(find_estimator(*estimator.split(".")), params | seed)
    inputs, target = table.drop(columns="target").astype("float64"), table["target"].to_numpy()
    classes = result.facts.signature.classes
    parts = train_test_split(inputs, target, test_size=0.2, random_state=42, stratify=target if classes else None)
    by_hand.fit(parts[0], parts[2])
    assert type(result.model) is type(by_hand)
    assert result.model.feature_names_in_.tolist() == list(inputs.columns)
    assert result.model.predict(parts[1]).tolist() == by_hand.predict(parts[1]).tolist()
    measured = evaluate(ask(by_hand, parts[1]), parts[3], task="classification" if classes else "regression")
    assert result.facts.metrics == pytest.approx(measured.metrics, rel=1e-12)
    assert {entry["treatment"] for entry in result.facts.report["columns"]} == {"used as a number"}
    assert not any(column.missing_allowed for column in result.facts.signature.inputs)
    if estimator == LOGISTIC:
        assert result.facts.metrics["accuracy"] == pytest.approx(0.9667, abs=1e-4)
        assert result.facts.metrics["log_loss"] == pytest.approx(0.1589, abs=1e-4)


def test_gaps_in_numbers_are_filled_for_an_estimator_that_takes_none() -> None:
    table = numeric_classes()
    table.loc[::7, "width"] = np.nan
    result = trained(LOGISTIC, table)
    assert result.facts.signature.numeric
    assert all(column.missing_allowed for column in result.facts.signature.inputs)
    assert [name for name, _ in result.model.steps] == ["impute", "scale", "estimator"]
    assert treatment(result, "width")["treatment"].startswith("used as a number, missing values become the median, a")
    assert forget_names(result.model).predict(np.full((2, 3), np.nan)).shape == (2,)


def test_numbers_that_are_not_finite_are_told_in_the_report(tmp_path: Path) -> None:
    rows = "".join(f"{'inf' if row % 10 == 3 else row},{'1e999' if row % 10 == 4 else 2 * row}\n" for row in range(50))
    found, table = load(tmp_path, f"x,target\n{rows}")
    spec = spec_of("linear_model.LinearRegression")
    result = train(spec, table, found.columns, threads=1, folds=0, on_step=lambda _step, _percent, **_measured: None)
    assert "5 values that are not finite count as missing" in treatment(result, "x")["treatment"]
    note, few = result.facts.report["notes"]
    assert note.startswith("The target is infinite or too large in 5 rows")
    assert few.startswith("Only 9 rows were kept to measure on")
    assert result.facts.report["rows"]["without_target"] == 5


def test_values_that_are_rounded_are_told_in_the_report(tmp_path: Path) -> None:
    rows = "".join(f"{2**53 + row},{row / 2 if row else 2**53 + 1}\n" for row in range(50))
    found, table = load(tmp_path, f"x,target\n{rows}0.5,1\n")
    spec = spec_of("linear_model.LinearRegression")
    result = train(spec, table, found.columns, threads=1, folds=0, on_step=lambda _step, _percent, **_measured: None)
    assert "25 values are rounded" in treatment(result, "x")["treatment"]
    note = result.facts.report["notes"][0]
    assert note.startswith("The target is rounded in 1 rows")


def test_everything_that_training_returns_is_json() -> None:
    result = trained("linear_model.RANSACRegressor", numeric_amounts())
    for part in (
        result.facts.metrics,
        result.facts.report,
        result.facts.parameters,
        result.facts.signature.model_dump(),
        result.facts.environment,
    ):
        json.dumps(part, allow_nan=False)
    assert result.facts.parameters["stop_score"] == "inf"
    assert set(result.facts.metrics) == {"r2", "rmse", "mae"}
    assert result.facts.signature.classes is None


def test_the_seed_of_the_request_decides_split_and_estimator() -> None:
    table = numeric_classes()
    first, again, other = (
        trained("tree.ExtraTreeClassifier", table, random_state=seed, test_size=0.5) for seed in (1, 1, 2)
    )
    assert first.facts.report["classes"] == again.facts.report["classes"]
    assert first.model.tree_.threshold.tolist() == again.model.tree_.threshold.tolist()
    assert first.model.tree_.threshold.tolist() != other.model.tree_.threshold.tolist()


@pytest.mark.parametrize(("params", "seed"), [({}, 42), ({"random_state": 5}, 5), ({"random_state": None}, None)])
def test_the_estimators_own_seed_wins(params: dict[str, Any], seed: int | None) -> None:
    assert trained(FOREST, numeric_classes(), params={"n_estimators": 2, **params}).model.random_state == seed


def test_the_number_of_threads_changes_neither_the_model_nor_what_is_stored_of_it() -> None:
    one, two = (trained(FOREST, numeric_classes(), threads=threads) for threads in (1, 2))
    assert one.facts.metrics == two.facts.metrics
    assert two.model.n_jobs is None


def test_the_split_keeps_the_shares_of_the_classes() -> None:
    result = trained(FOREST, numeric_classes(rows=60), params={"n_estimators": 2})
    assert result.facts.report["split"]["stratified"] is True
    assert [entry["test"] for entry in result.facts.report["classes"]] == [4, 4, 4]


def test_a_class_with_one_row_is_no_reason_to_refuse() -> None:
    table = numeric_classes()
    table.loc[0, "target"] = "alone"
    result = trained(FOREST, table)
    assert result.facts.report["split"]["stratified"] is False
    assert any("one row only" in note for note in result.facts.report["notes"])
    assert any("roc_auc" in note for note in result.facts.report["notes"])
    assert "roc_auc" not in result.facts.metrics


def test_a_test_part_smaller_than_the_classes_is_not_stratified() -> None:
    result = trained(FOREST, numeric_classes(), test_size=0.02)
    assert result.facts.report["rows"]["test"] == 2
    assert any("fewer rows than there are classes" in note for note in result.facts.report["notes"])


def test_the_report_counts_the_classes_of_both_parts_and_names_the_most_frequent_first() -> None:
    table = numeric_classes(rows=60)
    table["target"] = ["a"] * 10 + ["b"] * 30 + ["c"] * 20
    assert trained(FOREST, table, params={"n_estimators": 2}).facts.report["classes"] == [
        {"label": "b", "training": 24, "test": 6},
        {"label": "c", "training": 16, "test": 4},
        {"label": "a", "training": 8, "test": 2},
    ]


def test_the_report_counts_a_hundred_classes_at_most() -> None:
    labels = tuple(range(101))
    result = trained("tree.ExtraTreeClassifier", numeric_classes(labels, rows=303), test_size=0.34)
    assert len(result.facts.signature.classes or []) == 101
    assert len(result.facts.report["classes"]) == 100


def test_the_signature_names_the_classes_that_the_model_knows() -> None:
    table = numeric_classes()
    table.loc[0, "target"] = "alone"
    results = [trained("tree.ExtraTreeClassifier", table, random_state=seed) for seed in range(12)]
    assert all(result.facts.signature.classes == result.model.classes_.tolist() for result in results)
    # Where its one row is measured on, nothing was learnt of it.
    assert {"alone" in (result.facts.signature.classes or []) for result in results} == {False, True}


def test_a_training_part_smaller_than_the_classes_is_not_stratified() -> None:
    result = trained(FOREST, numeric_classes(("a", "b", "c", "d")), test_size=0.95, params={"n_estimators": 2})
    assert result.facts.report["rows"] == {"total": 60, "without_target": 0, "training": 3, "test": 57}
    assert result.facts.report["split"]["stratified"] is False
    assert any("fewer rows than there are classes" in note for note in result.facts.report["notes"])


@pytest.mark.parametrize(("test_size", "test"), [(0.04, 3), (0.95, 57)])
def test_a_part_with_a_row_for_each_class_is_stratified(test_size: float, test: int) -> None:
    result = trained(FOREST, numeric_classes(), test_size=test_size, params={"n_estimators": 2})
    assert result.facts.report["rows"]["test"] == test
    assert result.facts.report["split"]["stratified"] is True
    assert [entry["training"] for entry in result.facts.report["classes"]] == [(60 - test) // 3] * 3


def test_one_test_row_gives_no_r2() -> None:
    result = trained("linear_model.LinearRegression", numeric_amounts(), test_size=0.01)
    assert set(result.facts.metrics) == {"rmse", "mae"}
    assert any(note.startswith("r2 is not defined here") for note in result.facts.report["notes"])


def test_warnings_of_the_estimator_are_in_the_report() -> None:
    result = trained(LOGISTIC, numeric_classes(), params={"max_iter": 1})
    (warning,) = result.facts.report["warnings"]
    assert warning.startswith("ConvergenceWarning: ")


def test_class_weights_are_given_by_label() -> None:
    whole = trained(LOGISTIC, numeric_classes((0, 1)), params={"class_weight": {"0": 1, "1": 5}})
    assert whole.model.class_weight == {0: 1, 1: 5}
    assert whole.facts.parameters["class_weight"] == {"0": 1, "1": 5}
    boolean = trained(LOGISTIC, numeric_classes((False, True)), params={"class_weight": {"true": 2, "false": 1}})
    assert boolean.model.class_weight == {True: 2, False: 1}
    with pytest.raises(InvalidParameter, match="weight for 'perhaps', which is not a class of the target"):
        trained(LOGISTIC, numeric_classes(), params={"class_weight": {"perhaps": 2}})


def test_an_error_of_the_estimator_is_one_sentence_without_paths() -> None:
    with pytest.raises(FitFailed) as refused:
        trained("neighbors.KNeighborsClassifier", numeric_classes(), params={"metric": "mahalanobis"})
    assert refused.value.detail.startswith("neighbors.KNeighborsClassifier could not be fitted to this data: ")
    assert "Mahalanobis" in refused.value.detail
    assert "/" not in refused.value.detail


def test_what_shows_in_the_values_only_is_refused() -> None:
    table = numeric_classes((0.0, 1.0, 2.0))
    columns = profile_of(table)
    table.loc[0, "target"] = 0.5
    with pytest.raises(TaskMismatch, match="fractional"):
        train(spec_of(FOREST), table, columns, threads=1, folds=0, on_step=lambda _step, _percent, **_measured: None)
    table["target"] = 1.0
    with pytest.raises(SingleClass):
        train(spec_of(FOREST), table, columns, threads=1, folds=0, on_step=lambda _step, _percent, **_measured: None)
    table = numeric_classes(rows=6)
    table["target"] = ["a"] * 5 + ["b"]
    with pytest.raises(InvalidSplit, match="All 2 rows"):
        trained(FOREST, table, test_size=0.6, random_state=3)


def test_minus_one_is_no_label_where_it_means_unlabelled() -> None:
    with pytest.raises(TaskMismatch, match="label -1"):
        trained("semi_supervised.LabelPropagation", numeric_classes((-1, 1)))


def test_amounts_are_floating_point_numbers_whatever_the_column_holds() -> None:
    table = pd.DataFrame({"target": [1, 2, 3]})
    (column,) = profile_of(table)
    amounts = target_values(table["target"], column, find_estimator("linear_model", "Ridge"))
    assert str(amounts.dtype) == "float64"


def test_a_specification_is_checked_before_anything_is_fitted() -> None:
    with pytest.raises(UnknownColumn):
        trained(FOREST, numeric_classes(), target_column="nothing")


def test_large_whole_labels_stay_apart_beside_a_row_without_one(tmp_path: Path) -> None:
    rows = "".join(f"{number % 2},{2**53 + number % 2}\n" for number in range(40))
    found, table = load(tmp_path, f"x,target\n{rows}1,\n")
    spec = spec_of("tree.DecisionTreeClassifier")
    result = train(spec, table, found.columns, threads=1, folds=0, on_step=lambda _step, _percent, **_measured: None)
    assert result.facts.signature.classes == [2**53, 2**53 + 1]
    assert result.facts.metrics["accuracy"] == 1


WEIGHED = [
    "linear_model.LogisticRegression",
    "linear_model.SGDClassifier",
    "linear_model.RidgeClassifier",
    "ensemble.RandomForestClassifier",
    "ensemble.HistGradientBoostingClassifier",
    "tree.DecisionTreeClassifier",
    "svm.SVC",
    "svm.LinearSVC",
]


@pytest.mark.parametrize("labels", [("01", "02"), ("1", "2"), (1, 2), ("no", "yes")], ids=str)
@pytest.mark.parametrize("estimator", WEIGHED)
def test_class_weights_are_used_whatever_the_labels_look_like(estimator: str, labels: tuple[Any, Any]) -> None:
    generator = np.random.default_rng(7)
    table = pd.DataFrame({"x": generator.normal(size=120), "y": generator.normal(size=120)})
    second = table["x"] + generator.normal(size=120) > 0

    def predicted(first: Any, other: Any) -> list[bool]:
        weights = {str(first).lower(): 1, str(other).lower(): 9}
        named = table.assign(target=[other if each else first for each in second])
        params = {"class_weight": weights, **({"max_depth": 2} if "tree" in estimator else {})}
        result = trained(estimator, named, params=params)
        assert result.facts.parameters["class_weight"] == weights
        return [each == other for each in result.model.predict(table).tolist()]

    expected = predicted(0, 1)
    assert predicted(*labels) == expected
    assert sum(expected) > sum(second)


@pytest.mark.parametrize(
    ("estimator", "labels", "said"),
    [
        (LOGISTIC, ("1", "01"), "'1' and '01' cannot be told apart"),
        ("linear_model.LogisticRegressionCV", ("1", "2"), "takes no weights for classes that are texts of whole num"),
    ],
)
def test_class_weights_that_scikit_learn_would_mistake_are_refused(
    estimator: str, labels: tuple[str, str], said: str
) -> None:
    with pytest.raises(InvalidParameter, match=said):
        trained(estimator, numeric_classes(labels), params={"class_weight": dict.fromkeys(labels, 2)})


@pytest.mark.parametrize("kind", ["Classifier", "Regressor"])
def test_a_model_whose_answers_are_no_numbers_is_not_kept(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    table = numeric_classes() if kind == "Classifier" else numeric_amounts()
    nothing = Predicted(
        np.full(len(table), np.nan) if kind == "Regressor" else np.array(["no"] * len(table)),
        np.array(["no", "yes"]) if kind == "Classifier" else None,
        np.full((len(table), 2), np.nan) if kind == "Classifier" else None,
    )
    monkeypatch.setattr(trainer, "ask", lambda _model, inputs: nothing.at_rows(np.arange(len(inputs))))
    with pytest.raises(FitFailed, match=r"rows is no number\. Large values and weights do that"):
        trained(f"tree.DecisionTree{kind}", table)
