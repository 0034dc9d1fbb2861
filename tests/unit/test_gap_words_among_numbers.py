"""A number that was named as a word for a missing value is missing wherever it stands, beside whatever other cells."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from shared.estimators.signature import InputColumn, Signature
from shared.prediction.input_warnings import InputWarnings
from shared.tables.cells import read_cells
from shared.tables.inspected import TableLimits
from shared.tables.inspection import inspect
from shared.tables.loading import read_table
from shared.tables.options import ReadingOptions
from shared.tables.shapes import look_of
from tests.support.inputs import read_input


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


def test_a_number_for_a_missing_value_is_one_in_typed_files_and_in_requests(tmp_path: Path) -> None:
    rows = [{"x": -999 if row % 5 == 0 else row, "y": "ab"[row % 2]} for row in range(40)]
    path = tmp_path / "upload"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = inspect(path, TableLimits(), ReadingOptions(gap_words=["-999"]))
    assert (found.columns[0].kind, found.columns[0].missing, found.columns[0].min) == ("integer", 8, 1.0)
    table = read_table(path, found.reading, columns=found.columns)
    assert table["x"].isna().sum() == 8
    column = InputColumn(name="x", kind="integer", missing_allowed=True, cells=found.columns[0].cells)
    signature = Signature(inputs=[column], target="y", task="classification", classes=["a", "b"], numeric=True)
    taken = read_input(
        signature,
        version=1,
        features=[[-999], [-999.0], [7]],
        records=None,
        max_cells=9,
        warnings=InputWarnings(),
    )
    assert np.isnan(taken[:2]).all()
    assert taken[2, 0] == 7
