"""Files that were tables before something happened to them: each is read, or refused with a sentence."""

import gzip
import io
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.errors import PlatformError
from tests.support.mutated import bytes_near, effort
from tests.support.tables import IRIS, load, parquet
from tests.support.workbooks import workbook

_ROWS: list[list[Any]] = [
    ["name", "count", "share", "day"],
    *([f"a{n}", n, n / 7, f"2026-01-{n + 1:02}"] for n in range(8)),
]
TEXT = "\n".join(",".join(map(str, row)) for row in _ROWS) + "\n"
TEXTS = [
    TEXT.encode(),
    TEXT.replace(",", ";").replace(".", ",").encode("cp1252"),
    TEXT.encode("utf-16"),
    TEXT.encode("utf-8-sig"),
    b'"a","b ""c"" d"\r\n"1,5","x\r\ny"\r\n"2","z"\r\n',
    b"Report of the year\n\na\tb\tc\n1\tred\t\n2\tblue\tNA\n",
    "größe|straße\n1.234,5|Zürich\n2.345,6|Łódź\n".encode(),
    IRIS.read_bytes()[:1_200],
    b'{"a": 1, "b": "x", "c": null}\n{"a": 2.5, "b": "y", "c": true}\n',
    b'{"a": {"b": [1, 2]}, "t": "2026-01-31T10:00:00Z"}\n{"a": {"b": []}, "t": null}\n',
]
PARQUETS = [
    parquet({"a": [1, 2, None], "b": ["x", None, "z"], "c": [0.5, 1.5, None]}),
    parquet({"day": [date(2026, 1, 1), None], "price": [Decimal("1.50"), Decimal("2.25")], "ok": [True, False]}),
    parquet({"list": [[1], [2, 3]], "inner": [{"a": 1}, {"a": None}], "raw": [b"\0", b"\xff"]}),
]
WORKBOOKS = [
    workbook(_ROWS),
    workbook([["a", "b"], [1, "=A2*2"], [date(2026, 1, 1), True], [None, "#N/A"]], Other=[["x"], [1]]),
]
_PARTS = [
    (book, part, zipfile.ZipFile(io.BytesIO(book)).read(part))
    for book in WORKBOOKS
    for part in zipfile.ZipFile(io.BytesIO(book)).namelist()
    if part.endswith((".xml", ".rels"))
]


def read_or_refused(content: bytes) -> None:
    """Read a file as an upload does and as a training does; whatever it is, nothing else happens."""
    with TemporaryDirectory() as folder:
        refusal = _refusal(Path(folder), content)
        if refusal is not None:
            said = f"{refusal.detail} {refusal.errors} {refusal.members}"
            assert len(refusal.detail) > 20, said
            assert folder not in said
            assert "Traceback" not in said


def _refusal(folder: Path, content: bytes) -> PlatformError | None:
    try:
        found, _ = load(folder, content)
    except PlatformError as error:
        return error
    assert found.rows > 0
    return None


@effort(60)
@given(bytes_near(TEXTS), st.booleans())
def test_a_damaged_text_is_read_or_refused(content: bytes, compress: bool) -> None:
    read_or_refused(gzip.compress(content) if compress else content)


@effort(60)
@given(bytes_near([*PARQUETS, *WORKBOOKS, *map(gzip.compress, TEXTS)]))
def test_a_damaged_file_of_bytes_is_read_or_refused(content: bytes) -> None:
    read_or_refused(content)


@st.composite
def workbooks_near(draw: st.DrawFn) -> bytes:
    """A workbook that is a whole archive, one of whose parts is damaged, missing or there twice."""
    book, damaged, content = draw(st.sampled_from(_PARTS))
    changed = draw(bytes_near([content]))
    left_out, file = draw(st.booleans()) and not changed, io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(file, "w") as new:
        for part in old.namelist():
            if part != damaged:
                new.writestr(part, old.read(part))
            elif not left_out:
                new.writestr(part, changed)
    return file.getvalue()


@effort(40)
@given(workbooks_near())
def test_a_workbook_with_a_damaged_part_is_read_or_refused(content: bytes) -> None:
    read_or_refused(content)
