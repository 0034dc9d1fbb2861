"""Cells of CSV mean what they meant in training, whatever program wrote the file."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from shared.errors import InvalidInput, MissingNotAllowed
from shared.estimators.signature import InputColumn, Signature
from shared.prediction.csv_input import CsvInput
from shared.prediction.csv_reading import how_to_read
from shared.prediction.input_warnings import InputWarnings
from shared.prediction.problems import InputProblems
from shared.tables.columns import CellReading, ColumnKind
from shared.tables.inspected import TableLimits


def column(kind: str, *, name: str = "x", missing_allowed: bool = True, **more: Any) -> InputColumn:
    """An input of a model that an older release made."""
    return InputColumn(name=name, kind=kind, missing_allowed=missing_allowed, **more)


def today(
    kind: str, *, missing_allowed: bool = True, categories: list[Any] | None = None, **reading: Any
) -> InputColumn:
    """An input of a model whose table was read by today's rules."""
    cells = CellReading(kind=ColumnKind(kind), **reading)
    return column(kind, missing_allowed=missing_allowed, categories=categories, cells=cells)


def values(
    folder: Path, given: InputColumn, cells: list[str], *, delimiter: str = ",", per_batch: int = 100
) -> list[Any]:
    """What a model gets for the cells of one column, beside another one.

    Raises:
        InvalidInput, MissingNotAllowed: as the check of the file.
    """
    inputs = [given, column("text", name="other")]
    signature = Signature(inputs=inputs, target="t", task="regression", classes=None, numeric=False)
    path, limits = folder / "rows.csv", TableLimits()
    quoted = [f'"{cell}"' if delimiter in cell else cell for cell in cells]
    path.write_text(f"x{delimiter}other\n" + "".join(f"{cell}{delimiter}o\n" for cell in quoted))
    file = CsvInput(path, how_to_read(path, limits), limits, signature, version=1)
    problems = InputProblems("body")
    with file.open() as rows:
        assert sum(1 for _ in file.check(rows, problems, InputWarnings("line"))) == len(cells)
    problems.raise_if_any()
    with file.open() as rows:
        return [value for batch in file.batches(rows, most_rows=lambda: per_batch) for value in batch.columns["x"]]


MIXED = [1, 2.5, True]
TAKEN: dict[str, tuple[InputColumn, list[str], list[Any]]] = {
    "old integers": (column("integer"), [" 7 ", "7.5", "+3", "0012", "NA", "?"], [7, 7.5, 3, 12, None, None]),
    "old numbers": (column("number"), ["1e3", " NA ", ".5", "inf"], [1000, None, 0.5, None]),
    "old booleans": (column("boolean"), ["TRUE", " false ", "none"], [True, False, None]),
    "old categories": (column("category", categories=["a"]), ["7", " a ", "n/a", "-"], ["7", " a ", None, "-"]),
    "old categories that are no texts": (
        column("category", categories=MIXED),
        ["2.5", "True", "true", " 1 ", "new"],
        [2.5, True, True, 1, "new"],
    ),
    "old texts": (column("text"), ["n/a", " as it is ", "Besanc\u0327on"], [None, " as it is ", "Besanc\u0327on"]),
    "old dates": (
        column("datetime"),
        [" 2026-01-31 ", "2026-W05-6", "20260131"],
        [datetime(2026, 1, 31)] * 3,  # noqa: DTZ001 - a table keeps UTC, without a zone
    ),
    "German numbers": (
        today("number", decimal=",", thousands="."),
        ["1.234,56", "-7", "1,5E-05", "unknown"],
        [1234.56, -7, 1.5e-05, None],
    ),
    "prices": (today("number", format="currency", thousands=","), ["$1,200.50", "($5)", "5 EUR"], [1200.5, -5, 5]),
    "shares": (today("number", format="percent"), ["12%", "12.5 %", "7"], [12, 12.5, 7]),
    "fractions in a column of integers": (today("integer"), ["1", "1.5", ""], [1, 1.5, None]),
    "a word for a gap in a few cells": (today("number", odd_words=("n.b.",)), ["1", "n.b."], [1, None]),
    "words": (
        today("category", categories=["Besançon", "NA"], gap_words=("-",)),
        [" Besanc\u0327on ", "NA", "-", ""],
        ["Besançon", "NA", None, None],
    ),
    "booleans in words": (today("boolean", format="words"), ["Yes", "n", "1", "NA"], [True, False, True, None]),
    "dates with the day first": (
        today("datetime", format="dmy"),
        ["28.06.2023", "28/06/2023", "2023-06-28", "0000-00-00"],
        [datetime(2023, 6, 28)] * 3 + [None],  # noqa: DTZ001 - tables hold UTC without a zone
    ),
    "words of a typed table": (
        today("category", typed=True, categories=["NA", " a"]),
        ["NA", " a", "", " "],
        ["NA", " a", None, None],
    ),
    "words of a typed table, an empty one among them": (
        today("category", typed=True, categories=["", "a"]),
        ["", "a"],
        ["", "a"],
    ),
    "numbers of a typed table": (today("number", typed=True), ["1.5", " NA", ""], [1.5, None, None]),
    "truths of a typed table": (today("boolean", typed=True), ["true", "False"], [True, False]),
    "dates of a typed table": (
        today("datetime", typed=True),
        ["1970-01-01T02:00:00+02:00"],
        [datetime(1970, 1, 1)],  # noqa: DTZ001 - tables hold UTC without a zone
    ),
}


@pytest.mark.parametrize(("given", "cells", "expected"), TAKEN.values(), ids=TAKEN)
def test_cells_become_the_values_that_they_were_in_training(
    tmp_path: Path, given: InputColumn, cells: list[str], expected: list[Any]
) -> None:
    found = values(tmp_path, given, cells)
    assert found == expected
    assert list(map(type, found)) == [
        float if type(each) is int and given.kind in {"integer", "number"} else type(each) for each in expected
    ]


WRONG: dict[str, tuple[InputColumn, str, str]] = {
    "an old number": (column("number"), "1_000", "'1_000' is not a number."),
    "an old number with a comma": (column("number"), "1,5", "'1,5' is not a number."),
    "an old truth": (column("boolean"), "yes", "'yes' is neither true nor false."),
    "a date": (column("datetime"), "31.1.2026", "the text '31.1.2026' is not a date or time such as"),
    "a date with the month first": (today("datetime", format="dmy"), "06/28/2023", "is not a date or time such as"),
    "a number": (today("number"), "0x10", "'0x10' is not a number."),
    "a price where there were none": (today("number"), "$5", "'$5' is not a number."),
    "a number in quotes": (today("number"), "1,5", "'1,5' is not a number with a decimal point, as the table had it."),
    "groups of the wrong size": (today("number", thousands=","), "1,23,45", "'1,23,45' is not a number"),
}


@pytest.mark.parametrize(("given", "cell", "said"), WRONG.values(), ids=WRONG)
def test_a_cell_of_another_kind_is_named_with_its_line(
    tmp_path: Path, given: InputColumn, cell: str, said: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        values(tmp_path, given, ["", cell, ""])
    assert refused.value.detail.startswith("line 3, column 'x': ")
    assert said in refused.value.detail


@pytest.mark.parametrize("kind", ["integer", "number"])
@pytest.mark.parametrize("make", [column, today], ids=["old", "today"])
@pytest.mark.parametrize("cell", ["inf", "-inf", " Infinity ", "1e400", "-1e999", "9" * 400])
def test_an_infinite_number_is_told_from_a_missing_one(tmp_path: Path, kind: str, make: Any, cell: str) -> None:
    with pytest.raises(InvalidInput, match=f"'{cell.strip()[:40]}' is infinite or too large; the model needs a number"):
        values(tmp_path, make(kind, missing_allowed=False), [cell])
    with pytest.raises(MissingNotAllowed, match="line 2: Column 'x' is missing"):
        values(tmp_path, make(kind, missing_allowed=False), ["NA"])


def test_a_word_that_stands_for_a_gap_is_missing_where_the_model_needs_a_value(tmp_path: Path) -> None:
    given = today("category", missing_allowed=False, categories=["a"], gap_words=("gone",))
    with pytest.raises(MissingNotAllowed, match="line 3: Column 'x' is missing"):
        values(tmp_path, given, ["a", " gone "])


POINTS, COMMAS = today("number"), today("number", decimal=",")


@pytest.mark.parametrize("per_batch", [1, 100])
@pytest.mark.parametrize(
    ("given", "delimiter", "cells", "expected"),
    [
        (POINTS, ";", ["1,5", "2", "-0,25"], [1.5, 2, -0.25]),
        (POINTS, ";", ["1.5", "2"], [1.5, 2]),
        (POINTS, "\t", ["1,5", "1,2345"], [1.5, 1.2345]),
        (COMMAS, ";", ["1,5", "1,234"], [1.5, 1.234]),
        (COMMAS, ",", ["1.5", "2"], [1.5, 2]),
        (column("number"), ";", ["1,5", "1.234"], [1.5, 1.234]),
    ],
)
def test_decimals_with_the_other_mark_are_taken_where_nothing_speaks_against_it(
    tmp_path: Path, *, given: InputColumn, delimiter: str, cells: list[str], expected: list[float], per_batch: int
) -> None:
    assert values(tmp_path, given, cells, delimiter=delimiter, per_batch=per_batch) == expected


@pytest.mark.parametrize(
    ("given", "cells", "lines"),
    [
        (POINTS, ["1,5", "1.234"], [2]),
        (POINTS, ["1,5", "", "1,234", "2,5"], [2, 4, 5]),
        (today("number", thousands=","), ["1,234", "1,5"], [3]),
        (COMMAS, ["1.5", "1,5"], [2]),
        (COMMAS, ["1.234", "1.5"], [2, 3]),
        # The check looks at some rows at a time.
        (POINTS, ["1,5", *["7"] * 10_000, "1.5"], [2]),
        (POINTS, ["1.5", *["7"] * 10_000, "1,5"], [10_003]),
    ],
    ids=["a point", "thousands", "thousands of the table", "a comma", "other thousands", "a point later", "one before"],
)
def test_the_other_mark_is_never_a_wrong_number_in_silence(
    tmp_path: Path, given: InputColumn, cells: list[str], lines: list[int]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        values(tmp_path, given, cells, delimiter=";")
    assert [problem["loc"][1] for problem in refused.value.errors] == lines
