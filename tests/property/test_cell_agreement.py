"""What a prediction makes of a cell is what training made of it, whatever is in the table."""

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.errors import PlatformError
from shared.estimators.signature import InputColumn, Signature
from shared.prediction.csv_input import CsvInput
from shared.prediction.csv_reading import how_to_read
from shared.prediction.input_warnings import InputWarnings
from shared.prediction.problems import InputProblems
from shared.tables.controls import find_control
from shared.tables.inspected import TableLimits
from shared.tables.inspection import inspect
from shared.tables.loading import read_table
from shared.tables.missing import MISSING, NO_VALUE
from shared.training.frame import model_input
from tests.support.inputs import read_input

LIMITS = TableLimits()

POINTS = st.sampled_from(
    ["1", "-2", "2.5", "1,234.5", "1,234", "12,345", "+.5", "7.", "1e3", "(3.5)", "\u22124", " 5 "]
)
COMMAS = st.sampled_from(["1", "-2", "2,5", "1.234,5", "1.234", "12.345", "1,5E-05", "7,25", "\u22124,5"])
MONEY = st.sampled_from(["$5", "$1,200.50", "7", "€ 3", "4 EUR", "($2)"])
SHARES = st.sampled_from(["12%", "12.5 %", "3", "0.5%"])
DATES = st.sampled_from(["2026-01-31", "28.06.2023", "31.12.2022", "2026-01-31 12:00", "28 Jun 2023", "20260131"])
TRUTHS = st.sampled_from(["true", "FALSE", "True"])
WORDS = st.sampled_from(
    ["oak", "elm ", "Besançon", "Besanc\u0327on", "\u00a0fir", "a, b", 'say "hi"', "o;k", "007", "missing"]
)
GAPS = st.sampled_from([*MISSING, *NO_VALUE])
TEXTS = st.text(max_size=6).filter(lambda text: find_control(text) is None and not set("\r\n") & set(text))

CELLS = st.one_of(
    *(st.lists(st.one_of(kind, kind, kind, GAPS), min_size=1, max_size=14) for kind in (POINTS, COMMAS, MONEY, SHARES)),
    *(st.lists(st.one_of(kind, kind, GAPS), min_size=1, max_size=14) for kind in (DATES, TRUTHS, WORDS)),
    st.lists(st.one_of(POINTS, COMMAS, MONEY, SHARES, DATES, TRUTHS, WORDS, GAPS, TEXTS), min_size=1, max_size=14),
)


def agreed(content: bytes, rows: list[str]) -> None:
    """Check a table with a column `x` of these cells, unless it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        path.write_bytes(content)
        try:
            found = inspect(path, LIMITS)
        except PlatformError:
            assume(False)
        assume([column.name for column in found.columns] == ["x", "y"] and found.rows == len(rows))
        inputs = [
            InputColumn(name=column.name, kind=column.kind, missing_allowed=True, cells=column.cells)
            for column in found.columns
        ]
        signature = Signature(inputs=inputs, target="t", task="regression", classes=None, numeric=False)
        expected = model_input(read_table(path, found.reading, columns=found.columns), inputs, numeric=False)
        pd.testing.assert_frame_equal(from_csv(path, signature), expected, check_exact=True)
        records = [{"x": cell, "y": "1"} for cell in rows]
        sent = read_input(
            signature, version=1, features=None, records=records, max_cells=1_000, warnings=InputWarnings()
        )
        pd.testing.assert_frame_equal(sent[["x"]], expected[["x"]], check_exact=True)


def from_csv(path: Path, signature: Signature) -> Any:
    file, problems = CsvInput(path, how_to_read(path, LIMITS), LIMITS, signature, version=1), InputProblems("body")
    with file.open() as rows:
        assert list(file.check(rows, problems, InputWarnings("line")))
    problems.raise_if_any()
    with file.open() as rows:
        (batch,) = file.batches(rows, most_rows=lambda: 1_000)
    return model_input(batch.columns, signature.inputs, numeric=False)


@given(CELLS, st.sampled_from([",", ";", "\t"]))
@example(["1,5", "2.5"], ";")
def test_a_cell_is_the_same_value_in_training_and_in_each_way_to_predict(cells: list[str], delimiter: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([["x", "y"], *([cell, "1"] for cell in cells)])
    agreed(text.getvalue().encode(), cells)
