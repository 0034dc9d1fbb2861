"""The rows of a CSV file in batches: in their order, each once, and never more than some memory takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.errors import InvalidInput
from shared.estimators.signature import InputColumn, Signature
from shared.prediction.csv_input import CsvBatch, CsvInput
from shared.prediction.csv_reading import how_to_read
from shared.prediction.input_warnings import InputWarnings
from shared.prediction.problems import InputProblems
from shared.tables.columns import CellReading, ColumnKind
from shared.tables.inspected import TableLimits
from tests.support.models import numeric_signature

SIGNATURE = numeric_signature("a", "b", missing_allowed=True)


@contextmanager
def batched(path: Path, content: str, *, most_cells: int) -> Iterator[Iterator[CsvBatch]]:
    """The batches of a table."""
    path.write_text(content)
    limits = TableLimits()
    given = CsvInput(path, how_to_read(path, limits), limits, SIGNATURE, version=7)
    with given.open() as rows:
        yield given.batches(rows, most_rows=lambda: most_cells // 2)


def test_batches_have_all_rows_in_their_order_with_their_lines(tmp_path: Path) -> None:
    content = "b,note,a\n" + "".join(f'{row},"x\ny",{row}.5\n' for row in range(7))
    with batched(tmp_path / "table.csv", content, most_cells=6) as batches:
        found = list(batches)
    assert [len(batch.rows) for batch in found] == [3, 3, 1]
    assert [number for batch in found for number in batch.columns["a"]] == [row + 0.5 for row in range(7)]
    assert [number for batch in found for number in batch.columns["b"]] == list(range(7))
    assert [row.line for batch in found for row in batch.rows] == [2 * row + 3 for row in range(7)]
    assert found[0].rows[0].cells == ["0", "x\ny", "0.5"]


def test_long_rows_come_in_small_batches(tmp_path: Path) -> None:
    content = "a,b,note\n" + f"1,2,{'x' * 500_000}\n" * 40
    with batched(tmp_path / "table.csv", content, most_cells=100_000) as batches:
        sizes = [len(batch.rows) for batch in batches]
    assert sum(sizes) == 40
    assert max(sizes) <= 17


def test_the_check_of_a_table_that_is_all_wrong_ends_early(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "x,1\n" * 5_000)
    limits, problems = TableLimits(), InputProblems("body")
    given = CsvInput(path, how_to_read(path, limits), limits, SIGNATURE, version=7)
    with given.open() as rows:
        checked = sum(1 for _ in given.check(rows, problems, InputWarnings("line")))
    assert checked == 1_000


MIXED = Signature(
    inputs=[
        InputColumn(name="amount", kind="number", missing_allowed=True),
        InputColumn(name="city", kind="category", missing_allowed=True, categories=["Köln", "Ulm"]),
    ],
    target="price",
    task="regression",
    classes=None,
    numeric=False,
)


def checked(path: Path, content: str, signature: Signature) -> tuple[InputProblems, list[str]]:
    """What is wrong with a table, and the warnings."""
    path.write_text(content)
    limits, problems, warnings = TableLimits(), InputProblems("body"), InputWarnings("line")
    given = CsvInput(path, how_to_read(path, limits), limits, signature, version=7)
    with given.open() as rows:
        given.settle_header(rows.header, [], warnings)
        assert sum(1 for _ in given.check(rows, problems, warnings)) == content.count("\n") - 1
    return problems, warnings.sentences()


def test_infinite_numbers_are_taken_as_missing_with_a_warning_that_names_column_and_lines(tmp_path: Path) -> None:
    content = "amount,city\n1,Ulm\n1e999,Ulm\n-inf,Ulm\n1e400,Ulm\nInfinity,Ulm\n,Ulm\n"
    problems, warnings = checked(tmp_path / "table.csv", content, MIXED)
    assert problems.count == 0
    (warning,) = warnings
    said = (
        "has numbers that are infinite or too large: they were taken as missing, as in training, in lines 3, 4, 5, 6."
    )
    assert warning == f"Column 'amount' {said}"
    with batched(tmp_path / "table.csv", "a,b\ninf,2\n", most_cells=6) as batches:
        assert [batch.columns for batch in batches] == [{"a": [None], "b": [2]}]


def test_an_infinite_number_is_refused_as_such_where_the_model_needs_a_value(tmp_path: Path) -> None:
    problems, _ = checked(tmp_path / "table.csv", "a\n1\ninf\n", numeric_signature("a"))
    with pytest.raises(InvalidInput) as refused:
        problems.raise_if_any()
    assert refused.value.detail == "line 3, column 'a': 'inf' is infinite or too large; the model needs a number."


def test_categories_that_training_did_not_meet_are_told_with_their_lines(tmp_path: Path) -> None:
    content = "amount,city\n1,Ulm\n2,KÖLN\n3, Köln\n4,Leipzig\n5,\n"
    (warning,) = checked(tmp_path / "table.csv", content, MIXED)[1]
    values = "'KÖLN', ' Köln', 'Leipzig', in lines 3, 4, 5"
    said = f"has values that training did not meet: {values}. They were taken as unknown. Did you mean 'Köln'?"
    assert warning == f"Column 'city' {said}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("amount,city\n#DIV/0!,Ulm\n", "'#DIV/0!' is not a number. Leave the cell empty where the value is missing."),
        ("a\n#DIV/0!\n", "'#DIV/0!' is not a number."),
    ],
)
def test_a_wrong_cell_tells_how_to_write_a_missing_value_where_one_is_allowed(
    content: str, said: str, tmp_path: Path
) -> None:
    signature = MIXED if "city" in content else numeric_signature("a")
    problems, _ = checked(tmp_path / "table.csv", content, signature)
    with pytest.raises(InvalidInput) as refused:
        problems.raise_if_any()
    assert refused.value.detail.endswith(f": {said}")


def test_lines_that_are_no_rows_are_told_with_their_numbers(tmp_path: Path) -> None:
    cells = CellReading(kind=ColumnKind.NUMBER)
    today = SIGNATURE.model_copy(
        update={"inputs": [column.model_copy(update={"cells": cells}) for column in SIGNATURE.inputs]}
    )
    path, limits, warnings = tmp_path / "table.csv", TableLimits(), InputWarnings("line")
    path.write_text("Sizes\n\na,b\n1,2\na,b\n3,4\na,b\n")
    given = CsvInput(path, how_to_read(path, limits), limits, today, version=7)
    with given.open() as rows:
        assert list(given.check(rows, InputProblems("body"), warnings)) == [4, 6]
    assert warnings.sentences() == [
        "There are neither names nor cells of a row in line 1: there is no prediction for that.",
        "The names of the columns are repeated, in lines 5, 7: there is no prediction for them.",
    ]
    with given.open() as rows:
        assert [batch.columns for batch in given.batches(rows, most_rows=lambda: 10)] == [{"a": [1, 3], "b": [2, 4]}]
