"""Workbooks that are not read: each is refused with a reason, and before much memory is taken."""

import gzip
import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from shared.errors import (
    DuplicateColumns,
    EmptyTable,
    HeaderDoubtful,
    InvalidTable,
    PlatformError,
    ReadingRefused,
    TableTooLarge,
)
from shared.tables.inspected import TableLimits
from shared.tables.inspection import inspect
from shared.tables.options import ReadingOptions
from tests.support.tables import check
from tests.support.workbooks import with_part, workbook

ROWS = [["size", "word"], [1, "a"], [2, "b"], [3, "a"]]
CONTENT = workbook(ROWS)
SHEET = "xl/worksheets/sheet1.xml"


def only_a_chart() -> bytes:
    book = openpyxl.Workbook()
    book.create_chartsheet("Chart")
    book.remove(book.worksheets[0])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def hidden(sheet: Any) -> None:
    sheet.parent.create_sheet("Blank")
    sheet.sheet_state = "hidden"


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as parts:
        for name in names:
            parts.writestr(name, "<x/>")
    return file.getvalue()


def far_away(sheet: Any) -> None:
    sheet["XFD1048576"] = 1


def damaged(content: bytes) -> bytes:
    at = content.index(SHEET.encode()) + len(SHEET) + 40
    return content[:at] + bytes(8) + content[at + 8 :]


REFUSED: dict[str, tuple[bytes, type[PlatformError], str]] = {
    "without cells": (workbook([]), EmptyTable, "No visible sheet of the workbook has cells"),
    "with blank cells": (workbook([[" "], [""]]), EmptyTable, "is empty"),
    "with cells in a hidden sheet": (workbook(ROWS, hidden), EmptyTable, "No visible sheet"),
    "with a chart only": (only_a_chart(), EmptyTable, "No visible sheet"),
    "without rows": (workbook(ROWS[:1]), EmptyTable, "no rows"),
    "two columns of one name": (workbook([["a", "b", "a"], [1, 2, 3]]), DuplicateColumns, r"'a' \(columns 1, 3\)"),
    "data in the first row": (workbook([[5.1, 3.5, "x"], [4.9, 3, "y"]]), HeaderDoubtful, "Line 1 holds data"),
    "groups above the names": (
        workbook([["where", "2020"], ["city", "wind", "rain"], ["x", 1, 2], ["y", 3, 4]]),
        HeaderDoubtful,
        "line 2 seems to hold them",
    ),
    "cut off": (CONTENT[:3000], InvalidTable, "cut off or damaged.*save the sheet as CSV"),
    "not what it says": (archive("[Content_Types].xml", "xl/workbook.xml"), InvalidTable, "cut off or damaged"),
    "without a list of sheets": (with_part(CONTENT, "xl/workbook.xml", lambda _: b"<a"), InvalidTable, "damaged"),
    "with a broken sheet": (with_part(CONTENT, SHEET, lambda xml: xml[:-200]), InvalidTable, "damaged"),
    "with a damaged part": (damaged(CONTENT), InvalidTable, "damaged"),
    "binary": (archive("xl/workbook.bin"), InvalidTable, "binary Excel workbook. Open it and save it as .xlsx"),
    "of OpenDocument": (
        archive("mimetype-application/vnd.oasis.opendocument.spreadsheet"),
        InvalidTable,
        "OpenDocument spreadsheet. Open it and save it as .xlsx",
    ),
    "of Word": (archive("[Content_Types].xml", "word/document.xml"), InvalidTable, "document of Office"),
    "old or with a password": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        InvalidTable,
        "with a password.*as .xlsx without",
    ),
    "inside gzip": (gzip.compress(CONTENT), InvalidTable, "gzip file holds something else.*without gzip"),
    "a cell far away": (workbook(ROWS, far_away), InvalidTable, "too far apart.*row 1,048,576 and column XFD"),
    "a control character": (
        with_part(CONTENT, SHEET, lambda xml: xml.replace(b">b<", b">_x0007_<")),
        InvalidTable,
        r"Row 3 holds the control character U\+0007 in 'word'",
    ),
}


@pytest.mark.parametrize(("content", "error", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_a_workbook_that_is_no_table_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, error: type[PlatformError], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        check(tmp_path, content)


@pytest.mark.asvs("5.2.3")
def test_a_workbook_that_is_too_large_once_unpacked_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    content = with_part(CONTENT, SHEET, lambda xml: xml.replace(b"<sheetData>", b"<sheetData>" + b" " * 10**7))
    assert len(content) < 10**5
    with pytest.raises(TableTooLarge, match=r"Unpacked, .* 10,0\d\d,\d\d\d bytes; the limit is 1,000,000") as refused:
        check(tmp_path, content, max_bytes=10**6)
    assert refused.value.members["setting"] == "MLMINI_TABLE_MAX_BYTES"


def test_too_many_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TableTooLarge, match="3 columns, the limit is 2"):
        check(tmp_path, workbook([["a", "b", "c"], [1, 2, 3]]), max_columns=2)


@pytest.mark.asvs("5.2.3")
def test_a_workbook_is_judged_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.tables.workbook.open_workbook", None)
    with pytest.raises(TableTooLarge, match="Unpacked"):
        check(tmp_path, CONTENT, max_bytes=1000)
    crowded = archive("xl/workbook.xml", *(f"xl/media/{number}.png" for number in range(10_000)))
    with pytest.raises(TableTooLarge, match=r"has 10,001 parts; the limit is 10,000\. Save"):
        check(tmp_path, crowded)


@pytest.mark.asvs("1.5.1")
@pytest.mark.parametrize(("part", "place"), [("xl/workbook.xml", b'"Data"'), (SHEET, b">b<"), (SHEET, b">1<")])
def test_an_external_entity_is_not_read(tmp_path: Path, part: str, place: bytes) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the server")
    outside = f'<!DOCTYPE x [<!ENTITY a SYSTEM "{secret.as_uri()}">]>'.encode()
    asking = with_part(CONTENT, part, lambda xml: outside + xml.replace(place, place[:1] + b"&a;" + place[-1:]))
    assert b"&a;" in zipfile.ZipFile(io.BytesIO(asking)).read(part)
    with pytest.raises(InvalidTable, match="damaged"):
        check(tmp_path, asking)


@pytest.mark.asvs("1.5.1")
def test_an_entity_is_not_expanded(tmp_path: Path) -> None:
    entities = b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>" + b"".join(
        b"<!ENTITY %c '%s'>" % (ord("b") + n, b"&%c;" % (ord("a") + n) * 10) for n in range(9)
    )
    bomb = with_part(CONTENT, "xl/workbook.xml", lambda xml: entities + b"]>" + xml.replace(b"Data", b"&j;"))
    with pytest.raises(InvalidTable, match="damaged"):
        check(tmp_path, bomb)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"delimiter": ";"}, "has no use for 'delimiter'"),
        ({"encoding": "cp1252", "quote": "none"}, "has no use for 'encoding' and 'quote'"),
        ({"header": 9}, "Line 9 holds no names"),
        ({"header": "none", "names": ["a"]}, "'names' has 1 names"),
        ({"kinds": {"word": "number"}}, r"'a' \(row 2\), 'b' \(row 3\)"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path: Path, options: dict[str, Any], reason: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(CONTENT)
    with pytest.raises(ReadingRefused, match=reason):
        inspect(path, TableLimits(), ReadingOptions(**options))


def test_without_what_reads_workbooks_the_refusal_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(InvalidTable, match=r"save the sheet as CSV, or have the extra 'excel' installed: pip install"):
        check(tmp_path, CONTENT)
