"""What a report says so that nobody believes a model too much."""

import numpy as np
import pandas as pd
import pytest

from shared.estimators.signature import Task
from shared.tables.columns import Column, ColumnKind
from shared.training.metric_notes import few_rows, no_better_than_baseline, ordered_rows, perfect_score, rare_classes
from shared.training.plan import read_columns
from tests.support.training_tables import numeric_amounts, numeric_classes, spec_of, trained

DAY = Column(name="day", kind=ColumnKind.DATETIME, missing=0, unique=30, examples=[])


def days(count: int, *, step: int = 1) -> pd.DataFrame:
    return pd.DataFrame({"day": pd.to_datetime("2026-01-01") + pd.to_timedelta(np.arange(count) * step, unit="D")})


@pytest.mark.parametrize(("value", "simple", "told"), [(0.7, 0.7, True), (0.6, 0.7, True), (0.71, 0.7, False)])
def test_a_classifier_that_is_no_better_than_the_most_frequent_class_is_told(
    value: float, simple: float, told: bool
) -> None:
    notes = list(no_better_than_baseline("classification", {"accuracy": value}, {"accuracy": simple}))
    assert bool(notes) is told
    assert all("most frequent class" in note and f"{simple:.4g}" in note for note in notes)


@pytest.mark.parametrize(("value", "simple", "told"), [(2.0, 2.0, True), (3.0, 2.0, True), (1.9, 2.0, False)])
def test_a_regressor_that_is_no_better_than_the_mean_is_told(value: float, simple: float, told: bool) -> None:
    notes = list(no_better_than_baseline("regression", {"rmse": value}, {"rmse": simple}))
    assert bool(notes) is told
    assert all("the mean" in note for note in notes)


def test_what_was_not_measured_is_not_compared() -> None:
    assert list(no_better_than_baseline("regression", {}, {"rmse": 2.0})) == []


def test_classes_with_few_rows_to_measure_on_are_named_with_their_counts() -> None:
    test = np.array(["a"] * 10 + ["b"] * 9)
    (note,) = rare_classes(test, np.array(["a", "b", "c"]))
    assert "'b' (9)" in note
    assert "'c' (0)" in note
    assert "'a'" not in note


def test_of_very_many_rare_classes_the_first_are_named() -> None:
    (note,) = rare_classes(np.array(["a"]), np.array(list("abcdefgh")))
    assert note.count("(") == 5
    assert "and 3 more" in note


@pytest.mark.parametrize("step", [1, -1], ids=["rising", "falling"])
def test_rows_in_the_order_of_a_date_are_told(step: int) -> None:
    (note,) = ordered_rows(days(30, step=step), [DAY])
    assert "'day'" in note


@pytest.mark.parametrize("swapped", [(700, 701), (5, 2_990)], ids=["neighbours", "far away"])
def test_rows_of_which_a_few_are_out_of_order_are_told(swapped: tuple[int, int]) -> None:
    table = days(3_000)
    first, second = swapped
    table.loc[[first, second], "day"] = table.loc[[second, first], "day"].to_numpy()
    assert len(list(ordered_rows(table, [DAY]))) == 1


def test_blocks_of_rows_that_are_each_in_order_are_not_told() -> None:
    assert list(ordered_rows(pd.concat([days(300)] * 10, ignore_index=True), [DAY])) == []
    table = days(3_000)
    table["day"] = np.random.default_rng(1).permutation(table["day"].to_numpy())
    assert list(ordered_rows(table, [DAY])) == []


@pytest.mark.parametrize(("rows", "told"), [(1, "Only 1 row was"), (9, "Only 9 rows were"), (10, None)])
def test_very_few_rows_to_measure_on_are_told(rows: int, told: str | None) -> None:
    notes = list(few_rows(rows))
    assert bool(notes) is (told is not None)
    assert all(note.startswith(f"{told} kept to measure on") for note in notes)


@pytest.mark.parametrize(
    ("task", "metrics", "told"),
    [
        ("classification", {"accuracy": 1.0}, True),
        ("classification", {"accuracy": 0.999}, False),
        ("regression", {"r2": 1 - 1e-12}, True),
        ("regression", {"r2": 0.9999}, False),
        ("regression", {}, False),
    ],
)
def test_a_perfect_score_is_told(task: Task, metrics: dict[str, float], told: bool) -> None:
    notes = list(perfect_score(task, metrics))
    assert bool(notes) is told
    assert all("look for a column that tells the target" in note for note in notes)


def test_a_training_without_the_date_among_its_features_reads_it_for_the_order_of_the_rows() -> None:
    inputs = [DAY.model_copy(update={"name": name, "kind": ColumnKind.NUMBER}) for name in ("a", "b", "target")]
    spec = spec_of("linear_model.LinearRegression", features=["b"])
    assert read_columns(spec, [*inputs, DAY]) == ["b", "target", "day"]
    assert read_columns(spec_of("linear_model.LinearRegression"), [*inputs, DAY]) is None
    table = numeric_amounts(rows=60)
    table["day"] = days(60)["day"]
    first = next(name for name in table.columns if name not in {"day", "target"})
    notes = trained("linear_model.LinearRegression", table, features=[first]).facts.report["notes"]
    assert any("in the order of 'day'" in note for note in notes)


def test_rows_in_another_order_are_not_told() -> None:
    mixed = pd.concat([days(15), days(15)], ignore_index=True)
    assert list(ordered_rows(mixed, [DAY])) == []
    assert list(ordered_rows(days(9), [DAY])) == []
    assert list(ordered_rows(pd.DataFrame({"other": [1]}), [DAY])) == []


def test_a_report_has_these_notes() -> None:
    table = numeric_classes(rows=60)
    table["target"] = np.random.default_rng(3).permutation(table["target"].to_numpy())
    table["day"] = days(60)["day"]
    notes = trained("dummy.DummyClassifier", table).facts.report["notes"]
    assert any("no better than" in note for note in notes)
    assert any("fewer than 10 rows" in note for note in notes)
    assert any("in the order of 'day'" in note for note in notes)


def test_a_good_model_with_rows_enough_has_no_such_note() -> None:
    notes = trained("linear_model.LinearRegression", numeric_amounts()).facts.report["notes"]
    assert notes == []
