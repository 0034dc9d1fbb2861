"""What a request says about the treatment of columns: what becomes of them, and which answers the model then gives."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.preprocessing import OneHotEncoder

from shared.compiled.file import read_model, write_model
from shared.compiled.kernels.columns import put_waves
from shared.errors import PlatformError
from shared.estimators.catalogue import find_estimator
from shared.evaluation import influence
from shared.tables.columns import CellReading, Column
from shared.training import validating
from shared.training.checks.training import problems_of
from shared.training.cycles import CYCLES, cycle_steps
from shared.training.plan import plan_of
from shared.training.trainer import Trained, train
from tests.support.training_tables import dirty, profile_of, quiet, spec_of, treatment

ROWS = 120
TABLE = dirty(rows=ROWS)
LOGISTIC = "linear_model.LogisticRegression"
BOOSTING = "ensemble.HistGradientBoostingClassifier"


def columns_of(table: pd.DataFrame) -> list[Column]:
    """As this release reads them."""
    return [
        column.model_copy(update={"cells": CellReading(kind=column.kind), "examples": _examples(table[column.name])})
        for column in profile_of(table)
    ]


def _examples(values: "pd.Series[Any]") -> list[Any]:
    return [each.isoformat() if isinstance(each, datetime) else each for each in values.dropna().unique()[:5].tolist()]


def fitted(estimator: str = LOGISTIC, table: pd.DataFrame = TABLE, **fields: Any) -> Trained:
    return train(spec_of(estimator, **fields), table, columns_of(table), threads=1, folds=0, on_step=quiet)


def problems(estimator: str = LOGISTIC, **fields: Any) -> list[PlatformError]:
    return problems_of(spec_of(estimator, **fields), columns=columns_of(TABLE), rows=ROWS)


def features(result: Trained, table: pd.DataFrame) -> NDArray[np.float64]:
    """What the estimator gets."""
    found: NDArray[np.float64] = result.model[:-1].transform(table)
    return found


def test_dates_are_told_as_days_and_where_they_are_in_week_month_and_year() -> None:
    days = pd.date_range("2026-01-01", periods=ROWS, freq="D")
    table = pd.DataFrame({"day": days.astype("datetime64[us]"), "target": ["no", "yes"] * (ROWS // 2)})
    result = fitted(table=table)
    said = treatment(result, "day")["treatment"]
    assert said.startswith("days since 1970-01-01 UTC, and where it is in the week, the month and the year")
    made = features(result, pd.DataFrame({"day": (days - pd.Timestamp("1970-01-01")).days.to_numpy(dtype=float)}))
    assert made.shape == (ROWS, 7)
    week, month = made[:, 1:3], made[:, 3:5]
    # The same weekday is the same number in every week, to the last bit.
    assert (week[:-7] == week[7:]).all()
    assert len(np.unique(week[:7], axis=0)) == 7
    assert np.hypot(*week.T) == pytest.approx(np.ones(ROWS))
    # And the first of a month in every month, however long it is.
    assert np.unique(month[days.day == 1], axis=0).tolist() == [[0.0, 1.0]]


def test_times_of_day_are_told_too_where_there_are_any() -> None:
    hours = pd.date_range("2026-01-01 06:00", periods=ROWS, freq="h").astype("datetime64[us]")
    table = pd.DataFrame({"at": hours, "target": ["no", "yes"] * (ROWS // 2)})
    assert "the day, the week, the month and the year" in treatment(fitted(table=table), "at")["treatment"]


@pytest.mark.parametrize("cycle", [cycle for cycle in CYCLES if cycle != "month"])
def test_a_cycle_ends_where_it_begins_and_is_a_sine_and_a_cosine(cycle: Any) -> None:
    length, lines = CYCLES[cycle]
    places = np.arange(lines)[:, None] * length / lines
    made = cycle_steps((cycle,)).fit_transform(places + 5 * length)
    turns = 2 * np.pi * np.arange(lines) / lines
    assert made == pytest.approx(np.column_stack([np.sin(turns), np.cos(turns)]), abs=1e-9)
    before = cycle_steps((cycle,)).fit_transform(np.array([[length - 1e-9], [length]]))
    assert before[0] == pytest.approx(before[1], abs=1e-6)


@pytest.mark.parametrize("month", ["1968-02", "1970-01", "2024-02", "2026-04", "2099-12"])
def test_a_month_is_a_turn_however_long_it_is(month: str) -> None:
    first = np.datetime64(month, "D").astype(int)
    length = (np.datetime64(month, "M") + 1).astype("datetime64[D]").astype(int) - first
    made = cycle_steps(("month",)).fit_transform(first + length * np.arange(7)[:, None] / 6)
    turns = 2 * np.pi * np.arange(7) / 6
    assert made == pytest.approx(np.column_stack([np.sin(turns), np.cos(turns)]), abs=1e-9)


@pytest.mark.parametrize("estimator", [LOGISTIC, BOOSTING, "ensemble.RandomForestClassifier"])
def test_a_model_that_learns_from_cycles_has_a_compiled_form_that_is_equal_bit_by_bit(
    estimator: str, tmp_path: Path
) -> None:
    result = fitted(estimator, features=["age", "city", "member", "since"])
    assert result.facts.compilation is not None
    assert result.facts.compilation.bit_for_bit, result.facts.compilation.detail
    assert result.compiled is not None
    write_model(result.compiled, tmp_path / "form")
    rows = np.array([[40.0, 1.0, np.nan, 20_000.25], [np.nan, np.nan, 1.0, np.nan]])
    with (tmp_path / "form").open("rb") as file:
        read = read_model(file)
    assert read.compute(rows, probabilities=True).probabilities == pytest.approx(
        result.compiled.compute(rows, probabilities=True).probabilities, abs=0
    )


def test_the_kernel_of_cycles_computes_as_numpy_does() -> None:
    random = np.random.default_rng(3)
    for length, lines in CYCLES.values():
        places = np.array([length * at / lines for at in range(lines)])
        heights = random.normal(size=lines)
        around = np.concatenate([places[-1:] - length, places, places[:1] + length])
        special = [-1e-20, 1e-20, 0.0, -0.0, 1e9, -1e9, np.nan, np.inf]
        steps = np.concatenate([places, places + length, -places, special])
        beside = [np.nextafter(steps, np.inf), np.nextafter(steps, -np.inf)]
        numbers = np.concatenate([steps, *beside, random.normal(0, 1e5, 500)])
        out = np.empty((len(numbers), 1))
        starts = np.array([0, len(around)])
        lined = np.concatenate([heights[-1:], heights, heights[:1]])
        rows = np.ascontiguousarray(numbers[:, None])
        put_waves(np.array([0]), np.array([np.nan]), np.array([length]), starts, around, lined, 0, rows, out)
        with np.errstate(invalid="ignore"):
            expected = np.interp(numbers, places, heights, period=length)
        np.testing.assert_array_equal(out[:, 0], expected)


def test_free_text_is_learnt_from() -> None:
    words = np.random.default_rng(4).choice(["the delivery was late", "all arrived in time", "a fine day"], ROWS)
    table = pd.DataFrame(
        {
            "remark": pd.Series([f"{word}, said customer {row}" for row, word in enumerate(words)], dtype="str"),
            "target": pd.Series(np.where(words == "the delivery was late", "angry", "calm"), dtype="str"),
        }
    )
    result = fitted(table=table)
    assert result.facts.metrics["accuracy"] == 1
    assert treatment(result, "remark")["role"] == "text"
    assert result.facts.compilation is not None
    assert result.facts.compilation.detail == "No compiled form: it learns from the text of 'remark'."
    gap = pd.DataFrame({"remark": pd.Series([np.nan, ""], dtype=object)})
    assert (features(result, gap)[0] == features(result, gap)[1]).all()


def test_a_word_of_its_own_in_each_row_is_a_name_of_the_row() -> None:
    table = TABLE.assign(remark=pd.Series([f"u{row:04}" for row in range(ROWS)], dtype="str"))
    assert "looks like a name of the row" in treatment(fitted(table=table), "remark")["treatment"]


@pytest.mark.parametrize("text", ["characters", "words", "hashing"])
def test_each_way_to_learn_from_text_works_and_is_told(text: str) -> None:
    result = fitted(preprocessing={"remark": {"text": text}}, features=["remark", "age"])
    assert treatment(result, "remark")["treatment"].endswith("chosen in 'preprocessing'")


def test_numbers_are_taken_for_categories_and_gaps_are_one_of_them() -> None:
    result = fitted(preprocessing={"age": {"kind": "category", "encode": "one_hot"}}, features=["age"])
    ages = TABLE["age"].iloc[result.model[:-1][0].transformers_[0][1].n_features_in_ - 1 :]
    assert treatment(result, "age")["role"] == "category"
    made = features(result, pd.DataFrame({"age": [np.nan, ages.dropna().iloc[0], 1e9]}))
    encoder = result.model[:-1][0].named_transformers_["category 0"][-1]
    assert isinstance(encoder, OneHotEncoder)
    assert (made.sum(axis=1) <= 1).all()
    assert made[0].sum() == 1


@pytest.mark.parametrize(
    ("choice", "values", "expected"),
    [
        ({"impute": "zero", "scale": "none"}, [5.0, np.nan], [[5.0, 0.0], [0.0, 1.0]]),
        ({"impute": "mean", "scale": "none"}, [5.0], [[5.0, 0.0]]),
        ({"scale": "minmax"}, [], None),
        ({"scale": "robust"}, [], None),
    ],
)
def test_gaps_and_scales_are_as_chosen(choice: dict[str, Any], values: list[float], expected: Any) -> None:
    result = fitted(preprocessing={"age": choice}, features=["age"])
    if expected is not None:
        assert features(result, pd.DataFrame({"age": values})).tolist() == expected
    assert "chosen in 'preprocessing'" in treatment(result, "age")["treatment"]


@pytest.mark.parametrize("encode", ["one_hot", "ordinal", "target"])
@pytest.mark.parametrize("estimator", [LOGISTIC, "ensemble.RandomForestClassifier"])
def test_categories_are_encoded_as_chosen_and_predicted_alike(encode: str, estimator: str) -> None:
    result = fitted(estimator, preprocessing={"city": {"encode": encode}}, features=["city", "age"])
    width = {"one_hot": 4, "ordinal": 1, "target": 1}[encode]
    made = features(result, pd.DataFrame({"city": ["Oslo", "Lyon", "Bonn", None], "age": [20.0, 30, 40, 50]}))
    assert made.shape[1] >= width + 1
    assert result.facts.compilation is not None
    # Whatever is compiled was compared.
    assert result.facts.compilation.compiled or "No compiled form" in result.facts.compilation.detail


def test_a_column_is_dropped() -> None:
    result = fitted(preprocessing={"age": {"drop": True}}, features=["age", "city"])
    assert treatment(result, "age")["treatment"] == "left out: 'preprocessing' says so"


def test_nothing_is_done_to_a_table_of_numbers() -> None:
    table = TABLE[["age", "member", "since", "target"]]
    result = fitted(BOOSTING, table=table, preprocessing="none")
    said = {name: treatment(result, name)["treatment"] for name in ("age", "member", "since")}
    assert said["age"] == "used as a number, missing values are left to the estimator"
    assert said["since"] == "days since 1970-01-01 UTC, missing values are left to the estimator"
    raw = pd.DataFrame({"age": [31.0, np.nan], "member": [1.0, np.nan], "since": [20000.0, np.nan]})
    # Booleans come behind numbers.
    np.testing.assert_array_equal(features(result, raw), raw[["age", "since", "member"]].to_numpy())


def of_cities(*, labels: int | None) -> pd.DataFrame:
    """A table of 60 cities that tell the target: one of some labels, or else an amount about a million."""
    random = np.random.default_rng(3)
    cities = random.integers(0, 60, 600)
    told = cities % labels if labels else 1e6 * (cities % 7) + random.normal(size=600)
    names = pd.Series([f"city {number:02}" for number in cities], dtype="str")
    target = told if labels is None else pd.Series([f"label {number:02}" for number in told], dtype="str")
    return pd.DataFrame({"city": names, "size": random.random(600), "target": target})


@pytest.mark.parametrize(
    ("estimator", "labels", "width"),
    [
        (LOGISTIC, 2, 1),
        ("naive_bayes.GaussianNB", 3, 3),
        ("naive_bayes.GaussianNB", 21, 50),
        ("linear_model.Ridge", None, 1),
        ("naive_bayes.MultinomialNB", 3, 50),
    ],
)
def test_very_many_categories_are_told_by_the_mean_of_the_target(
    estimator: str, labels: int | None, width: int
) -> None:
    table = of_cities(labels=labels)
    result = fitted(estimator, table)
    told = treatment(result, "city")["treatment"]
    assert ("the mean of the target per category" in told) is (width < 50)
    assert "chosen" not in told
    made = features(result, table)
    assert made.shape[1] == width + 1
    assert result.facts.report["warnings"] == []
    assert result.facts.compilation is not None
    assert result.facts.compilation.compiled, result.facts.compilation.detail
    if width < 50:
        assert result.facts.metrics["r2" if labels is None else "accuracy"] > 0.9
    if labels is None:
        # It is an amount, and the estimator is one that needs its columns alike.
        assert np.abs(made).max() < 10


def test_where_rows_are_few_categories_stay_a_column_each() -> None:
    result = fitted(table=of_cities(labels=2), test_size=0.92)
    assert "one column of 0 and 1 per category" in treatment(result, "city")["treatment"]


def test_the_target_encoding_of_a_row_does_not_know_its_own_target() -> None:
    random = np.random.default_rng(5)
    # As many categories as rows: by their own targets they would tell all.
    names = [f"c{row // 2}" for row in range(400)]
    table = pd.DataFrame(
        {
            "name": pd.Series(names, dtype="str"),
            "size": random.random(400),
            "target": pd.Series(random.choice(["a", "b"], 400), dtype="str"),
        }
    )
    result = fitted(table=table, preprocessing={"name": {"encode": "target"}})
    assert result.facts.metrics["accuracy"] < 0.7
    assert result.facts.report["warnings"] == []


BAD: dict[str, tuple[str, dict[str, Any], str, list[str]]] = {
    "an unknown column": (LOGISTIC, {"preprocessing": {"ages": {"drop": True}}}, "Did you mean 'age'?", ["ages"]),
    "the target": (LOGISTIC, {"preprocessing": {"target": {"drop": True}}}, "is the target", ["target"]),
    "a column that is no feature": (
        LOGISTIC,
        {"preprocessing": {"city": {"drop": True}}, "features": ["age"]},
        "is not one of 'features'",
        ["city"],
    ),
    "all columns": (
        LOGISTIC,
        {"preprocessing": {"age": {"drop": True}}, "features": ["age"]},
        "drops every column",
        [],
    ),
    "a scale of words": (
        LOGISTIC,
        {"preprocessing": {"city": {"scale": "standard"}}},
        "is used as a category, for which 'scale' says nothing. Use 'encode', 'impute'",
        ["city", "scale"],
    ),
    "cycles of numbers": (
        LOGISTIC,
        {"preprocessing": {"age": {"cycles": ["week"]}}},
        "'cycles' says nothing",
        ["age", "cycles"],
    ),
    "dates as categories": (
        LOGISTIC,
        {"preprocessing": {"since": {"kind": "category"}}},
        "is read as datetime, which cannot be taken for category",
        ["since", "kind"],
    ),
    "numbers as text": (
        LOGISTIC,
        {"preprocessing": {"age": {"kind": "text"}}},
        "cannot be taken for text",
        ["age", "kind"],
    ),
    "a mean of words": (
        LOGISTIC,
        {"preprocessing": {"city": {"impute": "mean"}}},
        "its gaps can become 'most_frequent', not 'mean'",
        ["city", "impute"],
    ),
    "gaps that the estimator does not take": (
        LOGISTIC,
        {"preprocessing": {"age": {"impute": "none"}}},
        "has gaps in 11 rows, which LogisticRegression does not take",
        ["age", "impute"],
    ),
    "a dropped column that is scaled": (
        LOGISTIC,
        {"preprocessing": {"age": {"drop": True, "scale": "none"}}},
        "is dropped, so 'scale' cannot be done to it",
        ["age"],
    ),
    "nothing, with words": (BOOSTING, {"preprocessing": "none"}, "'city', 'remark', 'currency' hold words", []),
    "nothing, with gaps": (
        LOGISTIC,
        {"preprocessing": "none", "features": ["age", "member"]},
        "'age', 'member' have gaps, which LogisticRegression does not take",
        [],
    ),
    "an estimator of categories": (
        "naive_bayes.CategoricalNB",
        {"preprocessing": {"age": {"scale": "none"}}},
        "takes numbers of categories only",
        [],
    ),
    "an estimator of categories and nothing": ("naive_bayes.CategoricalNB", {"preprocessing": "none"}, "at 'auto'", []),
    "negative numbers": (
        "naive_bayes.MultinomialNB",
        {"preprocessing": {"age": {"scale": "standard"}}},
        "would have negative numbers by 'scale'",
        ["age", "scale"],
    ),
}


@pytest.mark.parametrize(("estimator", "fields", "said", "place"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_done_is_refused_with_its_place(
    estimator: str, fields: dict[str, Any], said: str, place: list[str]
) -> None:
    found = problems(estimator, **fields)
    assert any(said in problem.detail for problem in found), [problem.detail for problem in found]
    places = [error["loc"] for problem in found for error in problem.errors if said in error["msg"]]
    assert ["body", "preprocessing", *place] in places


def test_versions_of_older_releases_are_treated_as_by_these() -> None:
    estimator = find_estimator("linear_model", "LogisticRegression")
    plan = plan_of(spec_of(LOGISTIC), estimator, columns=profile_of(TABLE), rows=ROWS)
    told = {each.column: each for each in plan.treatments}
    assert plan.cycles == {}
    assert told["remark"].role == "left_out"
    assert told["remark"].treatment == "left out: each row has its own text"


def test_texts_are_not_drawn_because_each_is_another_one() -> None:
    result = fitted(features=["remark", "age"])
    assert result.facts.assessment is not None
    assert "remark" in {each.column for each in result.facts.assessment.importance}
    assert {each.column for each in result.facts.assessment.partial_dependence} == {"age"}


def test_the_order_of_rows_is_no_doubt_where_chance_does_not_decide() -> None:
    days = pd.date_range("2026-01-01", periods=ROWS, freq="D").astype("datetime64[us]")
    groups = np.arange(ROWS) // 4
    table = pd.DataFrame({"day": days, "who": groups, "target": ["no", "yes"] * (ROWS // 2)})
    doubt = "The rows are in the order of 'day'"
    notes = {
        method: fitted(table=table, split={"method": method, "by": by}).facts.report["notes"]
        for method, by in (("random", None), ("grouped", "who"), ("time", "day"))
    }
    assert [method for method, said in notes.items() if any(doubt in note for note in said)] == ["random"]


def test_a_wrong_choice_behind_many_right_ones_is_refused() -> None:
    names = [f"n{number}" for number in range(30)]
    table = pd.DataFrame(
        {name: np.arange(60.0) for name in names} | {"city": ["a", "b"] * 30, "target": ["x", "y"] * 30}
    )
    choices = {name: {"scale": "none"} for name in names} | {"city": {"scale": "standard"}}
    found = problems_of(spec_of(LOGISTIC, preprocessing=choices), columns=columns_of(table), rows=60)
    assert ["'city' is used as a category" in problem.detail for problem in found] == [True]


def test_nothing_is_done_to_the_weight_of_rows() -> None:
    (found,) = problems(preprocessing={"customer_id": {"scale": "none"}}, sample_weight="customer_id")
    assert "is the weight of rows" in found.detail


@pytest.mark.parametrize("error", [MemoryError, ValueError])
def test_what_nobody_asked_for_does_not_end_a_training(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_named: Any) -> Any:
        raise error

    monkeypatch.setattr(validating, "out_of_fold", refuse)
    monkeypatch.setattr(influence, "importance", refuse)
    result = train(spec_of(LOGISTIC), TABLE, columns_of(TABLE), threads=1, on_step=quiet)
    assert result.facts.assessment is not None
    assert result.facts.assessment.folds == []
    assert result.facts.assessment.importance == []
    assert [note.partition(":")[0] for note in result.facts.assessment.notes] == [
        "No folds, and so no intervals",
        "No importance of columns",
    ]


def test_folds_that_were_asked_for_end_a_training_that_has_no_memory_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_named: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(validating, "out_of_fold", refuse)
    with pytest.raises(MemoryError):
        fitted(split={"folds": 2})


def test_without_time_what_nobody_asked_for_is_left_out_with_a_note() -> None:
    result = train(spec_of(LOGISTIC), TABLE, columns_of(TABLE), threads=1, seconds=0, on_step=quiet)
    assert result.facts.assessment is not None
    assert result.facts.signature.uncertainty is None
    said = " ".join(result.facts.assessment.notes)
    assert re.search(r"5 more fits would take about \d+ s; to have them, ask for 5 'folds'", said)
    assert "No importance of columns: the model takes too long for so many questions." in said
