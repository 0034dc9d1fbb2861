"""Input of predictions against the signature: what is taken, and what is said about the rest."""

from typing import Any

import numpy as np
import pytest

from shared.errors import MOST_HINTS, MOST_PROBLEMS, BodyTooLarge, InvalidInput, MissingNotAllowed, PlatformError
from shared.estimators.signature import MOST_CATEGORIES, InputColumn, Signature
from shared.prediction.input_warnings import InputWarnings
from shared.tables.columns import CellReading, ColumnKind
from tests.support.inputs import read_input
from tests.support.models import numeric_signature
from tests.support.searches import counted_searches

NUMERIC = numeric_signature("a", "b")
WITH_GAPS = numeric_signature("a", "b", missing_allowed=True)
MIXED = Signature(
    inputs=[
        InputColumn(name="age", kind="integer", missing_allowed=True),
        InputColumn(name="city", kind="category", missing_allowed=True, categories=["Bonn", "Ulm"]),
        InputColumn(name="member", kind="boolean", missing_allowed=True),
        InputColumn(name="joined", kind="datetime", missing_allowed=True),
        InputColumn(name="id", kind="text", missing_allowed=False, used=False),
    ],
    target="price",
    task="regression",
    classes=None,
    numeric=False,
)


ROW: dict[str, Any] = {"age": 1, "city": None, "member": None, "joined": None}


def read(signature: Signature, *, features: Any = None, records: Any = None, max_cells: int = 1000) -> Any:
    return warned(signature, features=features, records=records, max_cells=max_cells)[0]


def warned(
    signature: Signature, *, features: Any = None, records: Any = None, max_cells: int = 1000
) -> tuple[Any, list[str]]:
    """What the model takes, and the warnings."""
    warnings = InputWarnings()
    rows = read_input(signature, version=8, features=features, records=records, max_cells=max_cells, warnings=warnings)
    return rows, warnings.sentences()


def refused(signature: Signature, **given: Any) -> PlatformError:
    with pytest.raises(PlatformError) as refused:
        read(signature, **given)
    return refused.value


def places(error: PlatformError) -> list[list[str | int]]:
    return [problem["loc"] for problem in error.errors]


def test_rows_of_numbers_become_one_array() -> None:
    array = read(NUMERIC, features=[[1, 2.5], [-3, 1e10]])
    assert array.dtype == np.float64
    assert array.tolist() == [[1.0, 2.5], [-3.0, 1e10]]


def test_records_become_the_same_array_in_signature_order() -> None:
    assert read(NUMERIC, records=[{"b": 2, "a": 1}]).tolist() == [[1.0, 2.0]]


def test_null_is_a_missing_value_where_the_model_takes_one() -> None:
    assert np.isnan(read(WITH_GAPS, features=[[1, None]])[0, 1])
    assert np.isnan(read(WITH_GAPS, records=[{"a": 1}])[0, 1])


def test_a_missing_value_is_refused_by_its_own_code_where_the_model_needs_one() -> None:
    error = refused(NUMERIC, features=[[1, 2], [None, 2]])
    assert isinstance(error, MissingNotAllowed)
    assert places(error) == [["body", "input_data", "features", 1, 0]]
    assert "'a'" in error.detail
    assert error.detail == error.errors[0]["msg"]


def test_a_column_left_out_of_a_record_is_a_missing_value() -> None:
    error = refused(NUMERIC, records=[{"a": 1}])
    assert isinstance(error, MissingNotAllowed)
    assert places(error) == [["body", "input_data", "records", 0, "b"]]


def test_all_wrong_cells_are_named_at_once() -> None:
    error = refused(NUMERIC, features=[["1", 2], [3, True], [4, 5], [None, float("nan")]])
    assert isinstance(error, InvalidInput)
    assert [place[3:] for place in places(error)] == [[0, 0], [1, 1], [3, 0], [3, 1]]
    assert "4 problems" in error.detail


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"features": [["x", 2], [1], [1, 2], 3, [1, True]]}, [[1], [3], [0, 0], [4, 1]]),
        ({"records": [{"a": "x", "b": 2}, 3, {"a": 1, "b": 2}, {"a": 1}]}, [[1], [0, "a"], [3, "b"]]),
    ],
    ids=["features", "records"],
)
def test_rows_of_another_shape_and_wrong_cells_are_told_of_together(given: dict[str, Any], wrong: list[Any]) -> None:
    error = refused(NUMERIC, **given)
    assert isinstance(error, InvalidInput)
    assert [place[3:] for place in places(error)] == wrong
    assert error.members["problem_count"] == len(wrong)
    cell = next(problem["msg"] for problem in error.errors if len(problem["loc"]) > 4)
    assert "row 0" in cell


@pytest.mark.parametrize(
    "value", ["5.1", True, False, [], {}, float("inf"), float("-inf"), float("nan"), 10**400, "", [1]]
)
def test_what_is_not_a_finite_number_is_refused(value: Any) -> None:
    error = refused(NUMERIC, features=[[1, value]])
    assert isinstance(error, InvalidInput)
    assert places(error) == [["body", "input_data", "features", 0, 1]]


def test_at_most_a_hundred_problems_are_listed_with_their_count() -> None:
    error = refused(NUMERIC, features=[["x", "y"]] * 150)
    assert len(error.errors) == 100
    assert "300 problems" in error.detail
    assert error.members["problem_count"] == 300


@pytest.mark.parametrize(("row", "said"), [([1], "1 value,"), ([1, 2, 3], "3 values,"), ([], "0 values,")])
def test_too_few_or_too_many_values_name_the_columns(row: list[int], said: str) -> None:
    error = refused(NUMERIC, features=[[1, 2], row])
    assert places(error) == [["body", "input_data", "features", 1]]
    assert said in error.detail
    assert "a, b" in error.detail


def test_a_single_row_without_its_brackets_gets_a_hint() -> None:
    assert "[[...]]" in refused(NUMERIC, features=[1, 2]).detail


@pytest.mark.parametrize("rows", [[], {}, "a", 1, True, {"a": 1}])
@pytest.mark.parametrize("form", ["features", "records"])
def test_what_is_no_list_of_rows_is_refused(form: str, rows: Any) -> None:
    error = refused(NUMERIC, **{form: rows})
    assert isinstance(error, InvalidInput)
    assert places(error) == [["body", "input_data", form]]


@pytest.mark.parametrize("given", [{}, {"features": [[1, 2]], "records": [{"a": 1, "b": 2}]}])
def test_exactly_one_form_must_be_given(given: dict[str, Any]) -> None:
    assert "either" in refused(NUMERIC, **given).detail


def test_an_unknown_column_is_refused_with_a_suggestion() -> None:
    error = refused(MIXED, records=[{"age": 1, "cty": "Bonn"}])
    assert places(error) == [["body", "input_data", "records", 0, "cty"]]
    assert "Did you mean 'city'?" in error.detail


def test_an_unknown_column_tells_which_model_answered() -> None:
    said = "The model (version 8, which predicts 'price') has no input column 'remark'."
    assert refused(MIXED, records=[{"remark": 1}]).detail.startswith(said)
    said = "Row 0 has 1 value, but the model (version 8, which predicts 'price') takes 5: age, city"
    assert refused(MIXED, features=[[1]]).detail.startswith(said)


def test_only_a_column_that_the_record_lacks_is_suggested() -> None:
    signature = numeric_signature("Wert A", "Wert B")
    error = refused(signature, records=[{"wert a": 1, "Wert B": 2}])
    assert "Did you mean 'Wert A'?" in error.detail
    assert error.members["did_you_mean"] == "Wert A"
    assert error.members["available"] == ["Wert A"]
    whole = refused(signature, records=[{"Wert A": 1, "Wert B": 2, "Wert C": 3}])
    assert "Did you mean" not in whole.detail
    assert whole.members == {"available": ["Wert A", "Wert B"]}


def test_the_target_among_the_columns_is_left_aside_with_a_warning() -> None:
    whole: dict[str, Any] = dict.fromkeys(["age", "city", "member", "joined"])
    records = [{**whole, "age": 1, "price": 3}, {**whole, "age": 2}, {**whole, "age": 3, "price": None}]
    frame, warnings = warned(MIXED, records=records)
    assert list(frame.columns) == ["age", "city", "member", "joined"]
    assert warnings == ["Column 'price' is what the model predicts: its values were ignored, in rows 0, 2."]


LACKING = "The records lack city, member, joined: the values there are taken as missing."


def test_used_columns_that_no_record_names_are_told_once() -> None:
    assert warned(MIXED, records=[{"age": 1}, {"age": 2}])[1] == [LACKING]
    assert warned(MIXED, records=[{"age": 1, "city": "Ulm"}, {"age": 2, "member": None, "joined": None}])[1] == []
    wide = numeric_signature(*(f"c{number}" for number in range(1_000)), missing_allowed=True)
    (warning,) = warned(wide, records=[{"c0": 1}])[1]
    assert warning.endswith("c19, c20 and 979 more: the values there are taken as missing.")


@pytest.mark.parametrize("given", [{"records": [ROW, {}]}, {"features": [[1] + [None] * 4, [None] * 5]}])
def test_a_row_without_any_value_is_taken_with_a_warning(given: dict[str, Any]) -> None:
    frame, warnings = warned(MIXED, **given)
    assert frame.isna().all(axis=1).tolist() == [False, True]
    assert warnings == ["No value is given for any column of the model, in row 1: all were taken as missing."]
    assert isinstance(refused(NUMERIC, records=[{}]), MissingNotAllowed)


SPELLED = "Column 'code' holds texts: a number was read as text, in "
UNSEEN = "Column 'code' holds texts, and training met no such number among them: it was read as a text that is "


@pytest.mark.parametrize(
    ("number", "text", "told"),
    [
        (3, "3", SPELLED + "row 0."),
        (3.0, "3", SPELLED + "row 0."),
        (4, "4.0", SPELLED + "row 0."),
        (2.5, "2.5", SPELLED + "row 0."),
        (7, "7", UNSEEN + "not known, in row 0."),
        (7.0, "7", UNSEEN + "not known, in row 0."),
        (-0.5, "-0.5", UNSEEN + "not known, in row 0."),
    ],
)
def test_a_number_for_a_category_is_taken_as_its_text_with_a_warning(number: float, text: str, told: str) -> None:
    column = InputColumn(name="code", kind="category", missing_allowed=True, categories=["3", "4.0", "2.5", "x"])
    signature = MIXED.model_copy(update={"inputs": [column]})
    features = [[number]]
    frame, warnings = warned(signature, features=features)
    assert (frame["code"].tolist(), warnings) == ([text], [told])
    assert features == [[number]]


def test_a_number_for_a_text_is_taken_too_and_for_an_unused_column_nothing_is_said() -> None:
    inputs = [InputColumn(name="code", kind="text", missing_allowed=False), MIXED.inputs[4]]
    signature = MIXED.model_copy(update={"inputs": inputs})
    frame, warnings = warned(signature, features=[[17, 4]])
    assert (frame["code"].tolist(), warnings) == (["17"], [SPELLED + "row 0."])


def test_of_many_rows_and_columns_a_warning_names_the_first() -> None:
    column = InputColumn(name="code", kind="text", missing_allowed=False)
    signature = MIXED.model_copy(update={"inputs": [column]})
    assert warned(signature, features=[[1]] * 1000)[1] == [SPELLED + "rows 0, 1, 2, 3, 4 and 995 more."]
    wide = MIXED.model_copy(
        update={"inputs": [column.model_copy(update={"name": f"c{number}"}) for number in range(30)]}
    )
    warnings = warned(wide, features=[[1] * 30])[1]
    assert len(warnings) == 21
    assert warnings[-1] == "There are 10 more warnings of these kinds."


def test_unknown_columns_and_wrong_cells_are_told_of_together() -> None:
    error = refused(MIXED, records=[{"age": 1, "cty": "Bonn"}, {"age": "three"}])
    assert places(error) == [["body", "input_data", "records", 0, "cty"], ["body", "input_data", "records", 1, "age"]]


def test_a_record_that_is_no_object_is_refused() -> None:
    assert places(refused(NUMERIC, records=[{"a": 1, "b": 1}, [1, 2]])) == [["body", "input_data", "records", 1]]


def test_more_cells_than_allowed_are_too_large() -> None:
    assert isinstance(refused(NUMERIC, features=[[1, 2]] * 3, max_cells=5), BodyTooLarge)
    assert read(NUMERIC, features=[[1, 2]] * 3, max_cells=6).shape == (3, 2)


def test_mixed_rows_become_a_frame_of_the_used_columns() -> None:
    frame = read(MIXED, features=[[30, "Bonn", True, "2026-01-31", None], [None, None, None, None, 17]])
    assert list(frame.columns) == ["age", "city", "member", "joined"]
    assert frame["member"].tolist()[0] == 1.0
    assert frame.isna().sum(axis=1).tolist() == [0, 4]


@pytest.mark.parametrize(("column", "value"), [("age", ""), ("age", " NA "), ("member", "null"), ("joined", "?")])
def test_a_text_that_stands_for_a_missing_value_in_tables_is_refused_with_what_to_send(column: str, value: str) -> None:
    assert refused(MIXED, records=[{column: value}]).detail.endswith(" Send null where a value is missing.")
    assert not refused(NUMERIC, features=[[1, value]]).detail.endswith("missing.")


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("age", "30", "not a number"),
        ("age", False, "false is not a number"),
        ("city", ["Bonn"], "a list is not a text"),
        ("city", {}, "an object is not a text"),
        ("city", True, "true is not a text"),
        ("member", 1, "neither true nor false"),
        ("member", "true", "neither true nor false"),
        ("joined", 20260131, "not a date or time"),
        ("joined", "yesterday", "not a date or time"),
        ("joined", "2026-02-31", "not a date or time"),
    ],
)
def test_a_value_of_another_kind_is_refused(column: str, value: Any, said: str) -> None:
    error = refused(MIXED, records=[{column: value}])
    assert places(error) == [["body", "input_data", "records", 0, column]]
    assert said in error.detail


def with_column(column: InputColumn) -> Signature:
    return MIXED.model_copy(update={"inputs": [column]})


@pytest.mark.parametrize(
    ("cities", "told"),
    [
        (["Köln"], "'Köln', in row 0. They were taken as unknown."),
        (["Ulm", "ULM"], "'ULM', in row 1. They were taken as unknown. Did you mean 'Ulm'?"),
        ([" Ulm", "ulm", "x"], "' Ulm', 'ulm', 'x', in rows 0, 1, 2. They were taken as unknown. Did you mean 'Ulm'?"),
        (["BONN", "ulm"], "'BONN', 'ulm', in rows 0, 1. They were taken as unknown. Did you mean 'Bonn', 'Ulm'?"),
        (list("abcdefg"), "'a', 'b', 'c', 'd', 'e' and others, in rows 0, 1, 2, 3, 4 and 2 more. They were taken as "),
        (["a"] * 9, "'a', in rows 0, 1, 2, 3, 4 and 4 more. They were taken as unknown."),
        (["x" * 99], f"'{'x' * 40}…', in row 0. They were taken as unknown."),
    ],
)
@pytest.mark.parametrize("form", ["features", "records"])
def test_a_category_that_training_did_not_meet_is_taken_with_a_warning(cities: list[str], told: str, form: str) -> None:
    given: dict[str, Any] = {"features": [[city] for city in cities]}
    if form == "records":
        given = {"records": [{"city": city} for city in cities]}
    frame, warnings = warned(with_column(MIXED.inputs[1]), **given)
    assert frame["city"].tolist() == cities
    (warning,) = warnings
    assert warning.startswith(f"Column 'city' has values that training did not meet: {told}")


def test_nothing_is_said_of_a_category_where_the_signature_tells_only_some_or_none() -> None:
    many = [str(number) for number in range(MOST_CATEGORIES)]
    for column in (
        InputColumn(name="city", kind="category", missing_allowed=False, categories=many),
        InputColumn(name="city", kind="text", missing_allowed=False),
        InputColumn(name="city", kind="category", missing_allowed=False, categories=["Ulm"], used=False),
    ):
        signature = MIXED.model_copy(update={"inputs": [MIXED.inputs[0], column]})
        assert warned(signature, features=[[1, "Köln"]])[1] == []
    all_but_one = InputColumn(name="city", kind="category", missing_allowed=False, categories=many[1:])
    assert len(warned(with_column(all_but_one), features=[["Köln"]])[1]) == 1
    cut = InputColumn(name="city", kind="category", missing_allowed=False, categories=many)
    assert "training met no such number" not in warned(with_column(cut), features=[[1000]])[1][0]


def test_of_very_many_columns_of_unknown_categories_a_bounded_number_is_told() -> None:
    city = MIXED.inputs[1]
    wide = MIXED.model_copy(
        update={"inputs": [city.model_copy(update={"name": f"c{number}"}) for number in range(1_000)]}
    )
    warnings = warned(wide, features=[["ULM"] * 1_000])[1]
    assert len(warnings) == 21
    assert "Did you mean 'Ulm'?" in warnings[19]
    assert warnings[20] == "There are 980 more warnings of these kinds."


@pytest.mark.parametrize("kind", ["category", "text"])
def test_a_control_character_is_refused_as_in_tables(kind: str) -> None:
    column = InputColumn(
        name="word", kind=kind, missing_allowed=False, categories=["x"] if kind == "category" else None
    )
    signature = MIXED.model_copy(update={"inputs": [column]})
    error = refused(signature, features=[["x"], ["x\x1b[31m"]])
    assert places(error) == [["body", "input_data", "features", 1, 0]]
    assert "the text holds the control character U+001B" in error.detail
    assert read(signature, features=[["\t\n\v\f\r\x80\x9f"]])["word"].tolist() == ["\t\n\v\f\r\x80\x9f"]


def test_a_model_of_an_older_release_takes_the_control_characters_that_it_knows() -> None:
    column = InputColumn(name="word", kind="category", missing_allowed=False, categories=["x", "y\x01"])
    signature = MIXED.model_copy(update={"inputs": [column]})
    assert read(signature, features=[["x"], ["y\x01"]])["word"].tolist() == ["x", "y\x01"]
    assert places(refused(signature, features=[["z\x01"]])) == [["body", "input_data", "features", 0, 0]]


def test_categories_that_were_numbers_take_numbers() -> None:
    column = InputColumn(name="grade", kind="category", missing_allowed=False, categories=[1, 2])
    signature = MIXED.model_copy(update={"inputs": [column]})
    assert read(signature, features=[[2]])["grade"].tolist() == [2]
    assert isinstance(refused(signature, features=[[float("inf")]]), InvalidInput)


def test_long_and_broken_texts_are_not_repeated_in_full() -> None:
    error = refused(NUMERIC, features=[["x" * 1000, "\ud800"]])
    assert all(len(problem["msg"]) < 150 for problem in error.errors)
    error.errors[1]["msg"].encode()


def test_a_text_of_more_than_forty_characters_is_cut_and_shows_it() -> None:
    error = refused(NUMERIC, features=[["x" * 40, "x" * 41]])
    whole, cut = (problem["msg"] for problem in error.errors)
    assert whole.endswith(f"the text '{'x' * 40}' is not a number.")
    assert cut.endswith(f"the text '{'x' * 40}…' is not a number.")


@pytest.mark.parametrize(("columns", "shown"), [(20, "c19."), (23, "c19 and 3 more.")])
def test_of_many_columns_twenty_are_named_and_the_others_counted(columns: int, shown: str) -> None:
    signature = numeric_signature(*(f"c{number}" for number in range(columns)), missing_allowed=True)
    error = refused(signature, records=[{"salary": 1}])
    assert error.detail.endswith(f"It takes: {', '.join(f'c{number}' for number in range(19))}, {shown}")


def test_thousands_of_unknown_columns_cost_few_suggestions() -> None:
    record = {f"a{n}": 1 for n in range(10_000)}
    with counted_searches() as searches:
        error = refused(NUMERIC, records=[{"b": 2} | record])
    assert searches.words <= MOST_HINTS
    assert len(error.errors) == MOST_PROBLEMS
    assert "10001 problems" in error.detail
    assert "Did you mean 'a'?" in error.errors[0]["msg"]


def test_a_column_that_a_record_writes_in_two_ways_is_not_given_twice() -> None:
    cells = CellReading(kind=ColumnKind.NUMBER)
    column = InputColumn(name="caf\u00e9", kind="number", missing_allowed=True, cells=cells)
    signature = NUMERIC.model_copy(update={"inputs": [column]})
    assert read(signature, records=[{"cafe\u0301": 1}]).tolist() == [[1]]
    error = refused(signature, records=[{"cafe\u0301": 1, "\u200bcaf\u00e9": 2}])
    assert places(error) == [["body", "input_data", "records", 0, "\u200bcaf\u00e9"]]
