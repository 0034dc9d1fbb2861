"""A number that was named as a word for a missing value is missing wherever it stands, beside whatever other cells."""

from pathlib import Path

import pyarrow as pa
import pytest

from shared.tables.cells import read_cells
from shared.tables.inspected import TableLimits
from shared.tables.inspection import inspect
from shared.tables.loading import read_table
from shared.tables.options import ReadingOptions
from shared.tables.shapes import look_of


@pytest.mark.parametrize(
    ("cells", "word"),
    [(["1", "-999", "2"], "-999"), (["1.5", "-999", "2.5"], "-999"), (["1.5", "9.99", "2"], "9.99")],
)
def test_a_number_that_counts_as_missing_is_missing_in_training_and_in_prediction(
    tmp_path: Path, cells: list[str], word: str
) -> None:
    path = tmp_path / "upload"
    path.write_text("x,y\n" + "".join(f"{cell},a\n" for cell in cells * 5))
    found = inspect(path, TableLimits(), ReadingOptions(gap_words=[word]))
    table = read_table(path, found.reading, columns=found.columns)
    assert (found.columns[0].missing, table["x"].isna().sum()) == (5, 5)
    reading = found.columns[0].cells
    assert reading is not None
    alone = [read_cells(pa.array([cell]), reading).values[0].is_valid for cell in cells]
    assert alone == read_cells(pa.array(cells), reading).values.is_valid().to_pylist() == [True, False, True]


def test_many_blanks_within_cells_do_not_make_a_file_slow() -> None:
    # The patterns of currencies took hours for it.
    assert look_of("1" + " " * 100_000 + "7").shape == "word"
