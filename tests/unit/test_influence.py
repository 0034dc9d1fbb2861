"""What a model rests on, and where it does worse, with models whose answers are known."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.estimators.signature import InputColumn, Signature
from shared.evaluation import influence, rows
from shared.evaluation.answers import Predicted
from shared.evaluation.influence import Patience, TooSlow

RANDOM = np.random.default_rng(6)
TABLE = pd.DataFrame(
    {
        "size": RANDOM.random(400),
        "noise": RANDOM.random(400),
        "city": pd.Series(RANDOM.choice(["Oslo", "Lyon"], 400), dtype=object),
        "day": RANDOM.integers(0, 3, 400).astype(float),
        "member": RANDOM.integers(0, 2, 400).astype(float),
    }
)
KINDS = {"size": "number", "noise": "number", "city": "category", "day": "datetime", "member": "boolean"}
SIGNATURE = Signature(
    inputs=[InputColumn(name=name, kind=kind, missing_allowed=True) for name, kind in KINDS.items()],
    target="target",
    task="regression",
    classes=None,
    numeric=False,
)


def ask_price(table: pd.DataFrame) -> Predicted:
    """Ten times the size, and one more in Oslo."""
    return Predicted(10 * table["size"].to_numpy() + (table["city"] == "Oslo").to_numpy())


def ask_class(table: pd.DataFrame) -> Predicted:
    """Large or small, as sure as it is far from the middle."""
    second = table["size"].to_numpy()
    classes = np.array(["small", "large"], dtype=object)[[1, 0]]
    return Predicted(classes[(second <= 0.5).astype(int)], classes, np.column_stack([second, 1 - second]))


def patient() -> Patience:
    return Patience(60)


def test_the_columns_that_matter_come_first_and_one_that_does_not_matter_has_nothing() -> None:
    found = influence.importance(
        ask_price, TABLE, ask_price(TABLE).labels, task="regression", seed=1, patience=patient()
    )
    assert [each.column for each in found][:2] == ["size", "city"]
    by_name = {each.column: each for each in found}
    # The mean distance of two numbers drawn from 0 to 10 is a third of that; two cities differ half of the time.
    assert by_name["size"].mean == pytest.approx(10 / 3, rel=0.1)
    assert by_name["city"].mean == pytest.approx(1 / 2, rel=0.15)
    assert (by_name["noise"].mean, by_name["noise"].std) == (0, 0)
    assert by_name["size"].std > 0


def test_of_labels_the_importance_is_lost_accuracy() -> None:
    found = influence.importance(
        ask_class, TABLE, ask_class(TABLE).labels, task="classification", seed=1, patience=patient()
    )
    assert found[0].column == "size"
    assert found[0].mean == pytest.approx(0.5, abs=0.06)


def test_many_rows_are_looked_at_in_part() -> None:
    asked: list[int] = []

    def ask(table: pd.DataFrame) -> Predicted:
        asked.append(len(table))
        return ask_price(table)

    many = pd.concat([TABLE] * 10, ignore_index=True)
    influence.importance(ask, many, ask_price(many).labels, task="regression", seed=1, patience=patient())
    assert max(asked) == 5 * 2_000
    asked.clear()
    influence.partial_dependence(ask, many, ["size"], SIGNATURE, seed=1, patience=patient())
    assert asked == [20 * 300]


def test_without_patience_it_gives_up() -> None:
    target = ask_price(TABLE).labels
    with pytest.raises(TooSlow):
        influence.importance(ask_price, TABLE, target, task="regression", seed=1, patience=Patience(0))
    with pytest.raises(TooSlow):
        influence.partial_dependence(ask_price, TABLE, ["size"], SIGNATURE, seed=1, patience=Patience(0))


def test_partial_dependence_is_the_mean_answer_for_each_value() -> None:
    found = influence.partial_dependence(ask_price, TABLE, ["size", "city"], SIGNATURE, seed=1, patience=patient())
    (size, city) = found
    assert size.values == sorted(size.values)
    steps = np.diff(size.means) / np.diff(size.values)
    assert steps == pytest.approx(np.full(len(steps), 10), rel=1e-6)
    by_city = dict(zip(city.values, city.means, strict=True))
    assert by_city["Oslo"] - by_city["Lyon"] == pytest.approx(1)


def test_values_are_told_as_the_table_has_them() -> None:
    found = influence.partial_dependence(ask_price, TABLE, ["day", "member"], SIGNATURE, seed=1, patience=patient())
    assert [each.values for each in found] == [
        ["1970-01-01T00:00:00", "1970-01-02T00:00:00", "1970-01-03T00:00:00"],
        [False, True],
    ]


def test_of_two_labels_the_second_one_is_drawn() -> None:
    (found,) = influence.partial_dependence(ask_class, TABLE, ["size"], SIGNATURE, seed=1, patience=patient())
    assert found.label == "small"
    assert found.means == pytest.approx([1 - value for value in found.values], abs=1e-6)


def test_a_column_without_values_is_not_drawn() -> None:
    empty = TABLE.assign(noise=np.nan)
    assert influence.partial_dependence(ask_price, empty, ["noise"], SIGNATURE, seed=1, patience=patient()) == []


def test_metrics_are_told_apart_by_value_and_by_quarter() -> None:
    table = TABLE.assign(city=TABLE["city"].where(TABLE["size"] < 0.9, None))
    off = np.where(TABLE["city"] == "Oslo", 2.0, 1.0)
    found = rows.slices(table, ["city", "size"], Predicted(off), np.zeros(400), task="regression")
    by_value = {(each.column, each.value): each for each in found}
    assert by_value["city", "Oslo"].metrics["mae"] == 2
    assert by_value["city", "Lyon"].metrics["mae"] == 1
    assert by_value["city", "missing"].rows == int((TABLE["size"] >= 0.9).sum())
    assert [each.rows for each in found if each.column == "size"] == [100] * 4


def test_gaps_are_told_from_a_word_that_says_missing() -> None:
    table = TABLE.assign(city=pd.Series(["missing"] * 300 + [None] * 100, dtype="str"))
    found = rows.slices(table, ["city"], Predicted(np.ones(400)), np.zeros(400), task="regression")
    assert {each.value: each.rows for each in found} == {"missing": 300, "missing (no value)": 100}


def test_a_value_of_few_rows_is_no_slice() -> None:
    table = TABLE.assign(city=["Bonn"] * 9 + ["Oslo"] * 391)
    found = rows.slices(table, ["city"], Predicted(np.ones(400)), np.zeros(400), task="regression")
    assert [each.value for each in found] == ["Oslo"]


def test_the_worst_rows_are_those_furthest_off_with_their_numbers_and_values() -> None:
    predicted = np.zeros(400)
    predicted[[7, 9, 11]] = [5, -50, 0.5]
    found = rows.worst_rows(TABLE, ["city"], Predicted(predicted), np.zeros(400), positions=np.arange(400) + 1000)
    assert [(each.row, each.error, each.predicted) for each in found] == [
        (1010, 50, -50),
        (1008, -5, 5),
        (1012, -0.5, 0.5),
    ]
    assert found[0].values == {"city": TABLE["city"][9]}


def test_of_labels_the_most_certain_mistakes_come_first() -> None:
    answers = ask_class(pd.DataFrame({"size": [0.9, 0.6, 0.2, 0.8]}))
    target = np.array(["small", "small", "small", "large"], dtype=object)
    found = rows.worst_rows(pd.DataFrame({"x": [1, 2, 3, 4]}), ["x"], answers, target, positions=np.arange(4))
    assert [(each.row, each.actual, each.predicted) for each in found] == [(1, "small", "large"), (2, "small", "large")]
    assert [each.error for each in found] == pytest.approx([0.9, 0.6])


@pytest.mark.parametrize(
    ("cell", "told"),
    [(pd.Timestamp("2026-01-02"), "2026-01-02T00:00:00"), (np.nan, None), ("x" * 300, "x" * 200 + "…")],
)
def test_values_of_the_worst_rows_are_those_of_json(cell: Any, told: Any) -> None:
    table = pd.DataFrame({"x": pd.Series([cell, cell])})
    found = rows.worst_rows(table, ["x"], Predicted(np.ones(2)), np.zeros(2), positions=np.arange(2))
    assert found[0].values == {"x": told}
