"""Strings in the JSON of a prediction mean what such cells meant in training."""

import sys
from datetime import datetime
from typing import Any

import pytest

from shared.errors import InvalidInput, MissingNotAllowed
from shared.estimators.signature import InputColumn, Signature
from shared.prediction.input_warnings import InputWarnings
from shared.tables.columns import CellReading, ColumnKind
from shared.training.frame import model_input
from tests.support.inputs import read_input


def column(
    kind: str, *, name: str = "x", missing_allowed: bool = True, categories: list[str] | None = None, **reading: Any
) -> InputColumn:
    """An input of a model whose table was read by today's rules."""
    cells = CellReading(kind=ColumnKind(kind), **reading)
    return InputColumn(name=name, kind=kind, missing_allowed=missing_allowed, categories=categories, cells=cells)


def taken(given: InputColumn, values: list[Any], *, form: str = "features") -> tuple[list[Any], list[str]]:
    """What the model gets for some values of one column, beside another one, and the warnings."""
    other = InputColumn(name="other", kind="number", missing_allowed=True)
    signature = Signature(inputs=[given, other], target="t", task="regression", classes=None, numeric=False)
    warnings = InputWarnings()
    rows: Any = [[value, 1] for value in values]
    if form == "records":
        rows = [{"x": value, "other": 1} for value in values]
    both = {"features": None, "records": None} | {form: rows}
    frame = read_input(signature, version=1, max_cells=1_000, warnings=warnings, **both)
    found = frame["x"].astype(object)
    return found.where(found.notna(), None).tolist(), warnings.sentences()


def days(*moments: datetime) -> list[float]:
    """What the model gets for moments."""
    given = InputColumn(name="x", kind="datetime", missing_allowed=True)
    found: list[float] = model_input({"x": list(moments)}, [given], numeric=False)["x"].tolist()
    return found


MIDSUMMER = days(datetime(2023, 6, 28))  # noqa: DTZ001 - a table keeps UTC, without a zone
TAKEN: dict[str, tuple[InputColumn, list[Any], list[Any]]] = {
    "words": (
        column("category", categories=["b"]),
        ["NA", " NA ", "?", "", " b ", "b", None],
        [None, None, None, None, "b", "b", None],
    ),
    "gap words of the column": (
        column("category", categories=["NA", "b"], gap_words=("-", "99")),
        ["NA", " - ", "-", 99, 99.0, "99"],
        ["NA", None, None, None, None, None],
    ),
    "composed and decomposed words": (
        column("category", categories=["Besançon"]),
        ["Besançon", "Besanc\u0327on", "\u00a0Besançon"],
        ["Besançon"] * 3,
    ),
    "words of a typed table": (
        column("category", typed=True, categories=["Besançon", "NA", ""]),
        ["NA", " NA", "", "Besanc\u0327on", None],
        ["NA", " NA", "", "Besançon", None],
    ),
    "truths among the words of a typed table": (
        column("category", typed=True, categories=["1", "true", "x"]),
        [True, "true", 1, "x"],
        ["true", "true", "1", "x"],
    ),
    "German numbers": (
        column("number", decimal=",", thousands="."),
        ["1.234,56", 2.5, "-3", "k.A."],
        [1234.56, 2.5, -3, None],
    ),
    "prices": (column("number", format="currency"), ["$5", "(5.5)", 7], [5, -5.5, 7]),
    "shares": (column("number", format="percent"), ["12%", 12, "inf"], [12, 12, None]),
    "whole numbers": (column("integer"), ["12", " 1.5 ", "NA", 3], [12, 1.5, None, 3]),
    "truths": (column("boolean"), ["true", "FALSE", True, "NA"], [1, 0, 1, None]),
    "truths in words": (column("boolean", format="words"), ["yes", "n", False], [1, 0, 0]),
    "dates": (
        column("datetime", format="dmy"),
        ["28.06.2023", "2023-06-28", "2023-06-28T02:00:00+02:00", "2023-W26-3", "0000-00-00"],
        [*(MIDSUMMER * 4), None],
    ),
    "dates of a typed table": (column("datetime", typed=True), ["2023-06-28", None], [*MIDSUMMER, None]),
}


@pytest.mark.parametrize("form", ["features", "records"])
@pytest.mark.parametrize(("given", "values", "expected"), TAKEN.values(), ids=TAKEN)
def test_a_string_is_what_such_a_cell_was_in_training(
    given: InputColumn, values: list[Any], expected: list[Any], form: str
) -> None:
    assert taken(given, values, form=form)[0] == expected


WRONG: dict[str, tuple[InputColumn, Any, str]] = {
    "a word for a number": (column("number"), "abc", "the text 'abc' is not a number"),
    "a number in another form": (column("number"), "1,5", "the text '1,5' is not a number"),
    "a word for a truth": (column("boolean"), "yes", "the text 'yes' is neither true nor false"),
    "a number for a truth": (column("boolean", format="words"), 1, "1 is neither true nor false"),
    "a date with the month first": (column("datetime", format="dmy"), "06/28/2023", "is not a date or time"),
    "a string of digits of a typed table": (column("number", typed=True), "5", "the text '5' is not a number"),
    "a truth in words of a typed table": (column("boolean", typed=True), "true", "is neither true nor false"),
    "an old string of digits": (InputColumn(name="x", kind="number", missing_allowed=True), "5", "is not a number"),
    "a control character": (column("category", categories=["a"]), "a\x1f", "the control character U+001F"),
    "a truth that is no word of the table": (
        column("category", typed=True, categories=["true"]),
        False,
        "false is not a text",
    ),
    "half a character": (column("number"), "\ud800", "is not a number"),
}


@pytest.mark.parametrize(("given", "value", "said"), WRONG.values(), ids=WRONG)
def test_a_string_that_is_no_such_cell_is_refused(given: InputColumn, value: Any, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        taken(given, [None, value])
    assert refused.value.errors[0]["loc"] == ["body", "input_data", "features", 1, 0]
    assert said in refused.value.detail


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (column("category", missing_allowed=False, categories=["a"]), " NA "),
        (column("category", missing_allowed=False, gap_words=("7",)), 7),
        (column("number", missing_allowed=False), "?"),
        (column("datetime", missing_allowed=False), "0000-00-00"),
    ],
)
def test_a_word_for_a_gap_is_missing_where_the_model_needs_a_value(given: InputColumn, value: Any) -> None:
    with pytest.raises(MissingNotAllowed, match="Column 'x' is missing in row 0; the model needs a value"):
        taken(given, [value])


def test_a_word_that_training_did_not_meet_is_told_as_it_was_read() -> None:
    values, warnings = taken(column("category", categories=["Ulm"]), [" ULM ", "\ud800"])
    assert values == ["ULM", "\ud800"]
    assert warnings[0].startswith("Column 'x' has values that training did not meet: 'ULM', '?', in rows 0, 1.")
    assert warnings[0].endswith("Did you mean 'Ulm'?")


def test_a_number_without_end_is_missing_as_in_training_and_told() -> None:
    values, warnings = taken(column("number"), ["1e999", 1])
    assert values == [None, 1]
    (warning,) = warnings
    assert warning.startswith("Column 'x' has numbers that are infinite or too large: they were taken as missing")
    with pytest.raises(InvalidInput, match="the text '1e999' is not a number"):
        taken(column("number", missing_allowed=False), ["1e999"])


def test_a_row_of_gaps_alone_is_told() -> None:
    inputs = [column("category", categories=["a"])]
    signature = Signature(inputs=inputs, target="t", task="regression", classes=None, numeric=False)
    warnings = InputWarnings()
    read_input(signature, version=1, features=[["NA"]], records=None, max_cells=9, warnings=warnings)
    assert warnings.sentences() == [
        "No value is given for any column of the model, in row 0: all were taken as missing."
    ]


def test_numbers_and_known_words_need_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    # None among the modules makes their import fail.
    monkeypatch.setitem(sys.modules, "shared.prediction.texts", None)
    given = column("number")
    signature = Signature(inputs=[given], target="t", task="regression", classes=None, numeric=True)
    asked: dict[str, Any] = {"version": 1, "max_cells": 9, "warnings": InputWarnings()}
    assert read_input(signature, features=[[1.5]], records=None, **asked).tolist() == [[1.5]]
    assert read_input(signature, features=None, records=[{"x": 2}], **asked).tolist() == [[2]]
    assert taken(column("category", categories=["a"]), ["a", None])[0] == ["a", None]


def test_names_of_columns_are_found_in_whatever_form_they_are_sent() -> None:
    given = column("number", name="Qualité")
    signature = Signature(inputs=[given], target="Größe", task="regression", classes=None, numeric=True)
    warnings = InputWarnings()
    records = [{"Qualite\u0301": 1, "Gro\u0308ße": 2}, {" Qualité\u200b": 3}, {"Qualité": 4}]
    asked: dict[str, Any] = {"version": 1, "max_cells": 9, "features": None}
    assert read_input(signature, records=records, warnings=warnings, **asked).tolist() == [[1], [3], [4]]
    assert warnings.sentences() == ["Column 'Größe' is what the model predicts: its values were ignored, in row 0."]
    with pytest.raises(InvalidInput, match="no input column 'Qualite\u0301'"):
        read_input(signature, records=[{"Qualité": 1, "Qualite\u0301": 2}], warnings=warnings, **asked)
    old = Signature(
        inputs=[given.model_copy(update={"cells": None})], target="t", task="regression", classes=None, numeric=True
    )
    with pytest.raises(InvalidInput, match="no input column 'Qualite\u0301'"):
        read_input(old, records=[records[0]], warnings=warnings, **asked)
