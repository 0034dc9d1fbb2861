"""The rows of a CSV file in batches: in their order, each once, and never more than some memory takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.prediction.csv_input import CsvBatch, CsvInput
from shared.prediction.csv_rows import how_to_read
from shared.prediction.input_warnings import InputWarnings
from shared.prediction.problems import InputProblems
from shared.tables.inspected import TableLimits
from tests.support.models import numeric_signature

SIGNATURE = numeric_signature("a", "b", missing_allowed=True)


@contextmanager
def batched(path: Path, content: str, *, most_cells: int) -> Iterator[Iterator[CsvBatch]]:
    """The batches of a table."""
    path.write_text(content)
    limits = TableLimits()
    given = CsvInput(path, how_to_read(path, limits), limits, SIGNATURE)
    with given.open() as rows:
        yield given.batches(rows, most_rows=lambda: most_cells // 2)


def test_batches_have_all_rows_in_their_order_with_their_lines(tmp_path: Path) -> None:
    content = "b,note,a\n" + "".join(f'{row},"x\ny",{row}.5\n' for row in range(7))
    with batched(tmp_path / "table.csv", content, most_cells=6) as batches:
        found = list(batches)
    assert [len(batch.rows) for batch in found] == [3, 3, 1]
    assert [values for batch in found for values in batch.features] == [[row + 0.5, row] for row in range(7)]
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
    given = CsvInput(path, how_to_read(path, limits), limits, SIGNATURE)
    with given.open() as rows:
        checked = sum(1 for _ in given.check(rows, problems, InputWarnings("line")))
    assert checked == 1_000
