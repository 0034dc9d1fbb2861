"""What a report says so that nobody believes a model too much."""

import numpy as np
import pandas as pd
import pytest

from shared.tables.columns import Column, ColumnKind
from shared.training.metric_notes import no_better_than_baseline, ordered_rows, rare_classes
from tests.support.training_tables import numeric_amounts, numeric_classes, trained

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
