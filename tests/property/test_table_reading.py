"""Random tables come back as they were written; random bytes are never more than refused."""

import csv
import gzip
import io
import string
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.errors import PlatformError
from tests.support.tables import kinds, load

NAMES = st.text(string.ascii_letters + "_äß東", min_size=1, max_size=8)
# A letter in front, so that no text spells a number or a missing value.
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from("\n\t,;|\"' ")).map(
    "t".__add__
)
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "text": TEXTS,
    "datetime": st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001 - zones have a test of their own
}

slow = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[str, str], list[list[Any]]]:
    """Names with their kinds, and rows of cells."""
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    chosen = {name: draw(st.sampled_from(list(CELLS))) for name in names}
    row = st.tuples(*(st.none() | CELLS[kind] for kind in chosen.values())).map(list)
    return chosen, draw(st.lists(row, min_size=1, max_size=12))


@dataclass(frozen=True)
class Style:
    """One way to write a table as text."""

    delimiter: str
    quoting: int
    line_end: str
    encoding: str
    compress: bool

    def write(self, names: Iterable[str], rows: list[list[Any]]) -> bytes:
        """The table in this style."""
        text = io.StringIO(newline="")
        quoting: Any = self.quoting
        writer = csv.writer(text, delimiter=self.delimiter, quoting=quoting, lineterminator=self.line_end)
        writer.writerow(names)
        writer.writerows(rows)
        content = text.getvalue().encode(self.encoding)
        return gzip.compress(content) if self.compress else content


STYLES = st.builds(
    Style,
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
    compress=st.booleans(),
)


@slow
@given(tables(), STYLES)
def test_a_table_comes_back_as_it_was_written(table: tuple[dict[str, str], list[list[Any]]], style: Style) -> None:
    chosen, rows = table
    if len(chosen) == 1:
        # Nothing in a single column tells which delimiter it does without.
        style = replace(style, delimiter=",")
    content = style.write(chosen, rows)
    with TemporaryDirectory() as folder:
        found, frame = load(Path(folder), content)
    assert found.reading.delimiter == style.delimiter
    found_kinds = kinds(found)
    for position, (name, kind) in enumerate(chosen.items()):
        cells = [row[position] for row in rows]
        if all(cell is None for cell in cells):
            assert found_kinds[name] == "number"
        elif kind == "text":
            assert found_kinds[name] in {"category", "text"}
        else:
            assert found_kinds[name] == kind
        _assert_same(frame[name], cells, kind)


@slow
@given(
    start=st.sampled_from([b"", b"a,b\n", b"PAR1", b"\x1f\x8b\x08", b'{"a": ', b"\xef\xbb\xbf", b'"a"\n"', b"a;b\r"]),
    rest=st.binary(max_size=400),
    compress=st.booleans(),
)
def test_random_bytes_are_read_or_refused(start: bytes, rest: bytes, compress: bool) -> None:
    content = gzip.compress(start + rest) if compress else start + rest
    _check_or_refuse(content)


@slow
@given(st.text(st.sampled_from('ab1.,;"\n\r \t|é{}[]:-TZ'), max_size=200))
def test_random_text_is_read_or_refused(text: str) -> None:
    _check_or_refuse(text.encode())


def _word(text: str) -> str:
    """A word as tables hold it: composed, without blanks and what cannot be seen at its ends."""
    return unicodedata.normalize("NFC", text.strip().strip("\u200b\u2060\ufeff \u00a0\t\r\n"))


def _check_or_refuse(content: bytes) -> None:
    with TemporaryDirectory() as folder, suppress(PlatformError):
        load(Path(folder), content)


def _assert_same(column: "pd.Series[Any]", cells: list[Any], kind: str) -> None:
    for got, written in zip(column.tolist(), cells, strict=True):
        cell = _word(written) if kind == "text" and written is not None else written
        if cell is None:
            assert pd.isna(got)
        else:
            assert got == cell
