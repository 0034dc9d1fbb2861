"""Tables in random dialects are read back exactly, or what was read otherwise is told, or they are refused.

`MLMINI_HYPOTHESIS_PROFILE=long` looks at 10,000 examples.
"""

import csv
import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import HeaderDoubtful, InvalidTable, ReadingRefused
from shared.tables.inspected import Inspection
from tests.support.tables import column, load

EXAMPLES = {"default": 120, "long": 10_000}[os.environ.get("MLMINI_HYPOTHESIS_PROFILE", "default")]
WORDS = ("red", "blue", "deep sky", "O'Neil", "café", "Zürich", "Łódź", "x;y", "a,b", 'say "hi"', "t\tu", "p|q")
GAPS = ("", "NA", "null", "?")
_MEASURE = re.compile(r"-?\d{1,3}\.\d{3}")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "cp1250")


@dataclass(frozen=True)
class Dialect:
    """One way to write a table."""

    delimiter: str
    quoting: int
    line_end: str
    encoding: str
    decimal: str
    thousands: str
    gap: str
    date: Callable[[date], str]
    above: str

    def cell(self, value: Any) -> str:
        """A value as a cell."""
        if value is None:
            return self.gap
        if isinstance(value, float):
            whole, fraction = f"{value:,.2f}".split(".")
            return whole.replace(",", self.thousands) + self.decimal + fraction
        if isinstance(value, int):
            return f"{value:,}".replace(",", self.thousands)
        return self.date(value) if isinstance(value, date) else str(value)

    def write(self, names: list[str], rows: list[list[Any]]) -> bytes:
        """The table in this dialect."""
        text = io.StringIO(newline="")
        quoting: Any = self.quoting
        writer = csv.writer(text, delimiter=self.delimiter, quoting=quoting, lineterminator=self.line_end)
        writer.writerow(names)
        writer.writerows([self.cell(value) for value in row] for row in rows)
        return (self.above + text.getvalue()).encode(self.encoding)


@st.composite
def dialects(draw: st.DrawFn) -> Dialect:
    """Dialects that people use: the marks of numbers differ from each other and from the delimiter."""
    delimiter = draw(st.sampled_from(",;\t|"))
    decimal = draw(st.sampled_from(".,"))
    others = [mark for mark in ("", ".", ",", " ", "'") if mark != decimal]
    forms = [
        date.isoformat,
        lambda day: f"{day:%d.%m.%Y}",
        lambda day: f"{day:%d %b %Y}",
        lambda day: f"{day:%Y/%m/%d}",
    ]
    return Dialect(
        delimiter=delimiter,
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        line_end=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        encoding=draw(st.sampled_from(ENCODINGS)),
        decimal=decimal,
        thousands=draw(st.sampled_from(others)),
        gap=draw(st.sampled_from(GAPS)),
        date=draw(st.sampled_from(forms)),
        above=draw(st.sampled_from(["", "", "\n", "Report of the year\n"])),
    )


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": st.floats(-(10**7), 10**7).map(lambda value: round(value, 2)),
    "integer": st.integers(-(10**9), 10**9),
    "datetime": st.dates(date(1950, 1, 1), date(2100, 1, 1)),
    "category": st.sampled_from(WORDS),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[str, str], list[list[Any]]]:
    """Names with their kinds, and rows; at least one column of numbers and one of words."""
    kinds = ["number", "category", *draw(st.lists(st.sampled_from(list(VALUES)), max_size=3))]
    names = [f"{kind}_{position}" for position, kind in enumerate(kinds)]
    gaps = draw(st.booleans())
    cells = [st.none() | VALUES[kind] if gaps else VALUES[kind] for kind in kinds]
    rows = draw(st.lists(st.tuples(*cells).map(list), min_size=2, max_size=12))
    return dict(zip(names, kinds, strict=True)), rows


@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), dialects())
def test_a_table_in_any_dialect_is_read_back_exactly_or_told(
    table: tuple[dict[str, str], list[list[Any]]], dialect: Dialect
) -> None:
    kinds, rows = table
    try:
        content = dialect.write(list(kinds), rows)
    except UnicodeEncodeError:
        return
    try:
        with TemporaryDirectory() as folder:
            found, frame = load(Path(folder), content)
    except (HeaderDoubtful, ReadingRefused, InvalidTable):
        return
    told = {finding.column for finding in found.findings}
    codes = {finding.code for finding in found.findings}
    if "one_column" in codes:
        return
    if "encoding_guessed" in codes:
        told |= {name for name, kind in kinds.items() if kind == "category"}
    assert list(frame.columns) == list(kinds)
    for position, name in enumerate(kinds):
        cells = [row[position] for row in rows]
        if name not in told and not _look_like_measures(cells, dialect):
            _assert_same(found, frame, name, cells)


def _look_like_measures(cells: list[Any], dialect: Dialect) -> bool:
    """Whether each number has one point, before three digits: those are read as fractions, and a table may be so."""
    spelled = [dialect.cell(cell) for cell in cells if cell is not None]
    return dialect.thousands == "." and all(_MEASURE.fullmatch(text) for text in spelled)


def _assert_same(found: Inspection, frame: "pd.DataFrame", name: str, cells: list[Any]) -> None:
    kind = column(found, name).kind
    for got, cell in zip(frame[name].tolist(), cells, strict=True):
        if cell is None:
            assert pd.isna(got)
        elif isinstance(cell, date):
            assert kind == "datetime"
            assert got.date() == cell
        else:
            assert got == cell
