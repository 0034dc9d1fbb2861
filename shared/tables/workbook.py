"""Workbooks of Excel: which sheet of one is read, and its rows. Macros are never run."""

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

from shared.errors import EmptyTable, InvalidTable, TableTooLarge
from shared.tables.inspected import TableLimits
from shared.tables.sheet_scan import SheetScan, scan_sheet

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_ZIP = b"PK\x03\x04"
_MAIN = "xl/workbook.xml"
_LINKS = "xl/_rels/workbook.xml.rels"
# The lists of the sheets; those of Excel have a few KiB.
_LIST_BYTES = 4 * 2**20
# Sheets, pictures and charts; of files that people have, few have a hundred.
_MOST_PARTS = 10_000
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_ID = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
# What reading an archive raises that is damaged, or packed or encrypted as nobody packs workbooks.
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, KeyError)

Cell = Any
Range = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Sheet:
    """A sheet that is loaded. `left` is the number of columns that are empty on its left side."""

    loaded: "CalamineSheet"
    left: int

    @property
    def width(self) -> int:
        """How many cells each row has."""
        return self.loaded.width

    def __iter__(self) -> Iterator[tuple[int, list[Cell]]]:
        """The rows with their numbers, from 1, also empty ones; all have as many cells."""
        return enumerate(self.loaded.iter_rows(), start=1)

    @property
    def merged(self) -> list[Range]:
        """Which cells are merged: the first and the last one of each range, by row and column from 0."""
        return self.loaded.merged_cell_ranges or []


class ChosenSheet(NamedTuple):
    """The first sheet with cells: its name, what its file says beside them, and the sheets that are not read."""

    name: str
    scan: SheetScan
    others: list[str]


def is_workbook(path: Path, start: bytes) -> bool:
    """Whether a file that starts so is a workbook in the form of Excel since 2007, maybe with macros."""
    if not start.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return _MAIN in archive.namelist()
    except _UNREADABLE:
        return b"xl/" in start


def find_sheet(path: Path, limits: TableLimits) -> ChosenSheet:
    """The first visible sheet that has cells, judged before any sheet is loaded.

    Raises:
        EmptyTable: when there is none.
        InvalidTable: when the workbook is damaged, or its cells lie too far apart.
        TableTooLarge: when it is over the limit once it is unpacked.
    """
    _check_sizes(path, limits)
    with open_workbook(path) as workbook:
        sheets = workbook.sheets_metadata
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    try:
        with zipfile.ZipFile(path) as archive:
            parts = zip(sheets, _parts(archive), strict=True)
            with_cells = [(sheet, part) for sheet, part in parts if sheet.typ == SheetTypeEnum.WorkSheet]
            for sheet, part in with_cells:
                if sheet.visible != SheetVisibleEnum.Visible:
                    continue
                with archive.open(part) as file:
                    scan = scan_sheet(file)
                if scan.cells:
                    scan.check_spread(sheet.name)
                    others = [other.name for other, _ in with_cells if other is not sheet]
                    return ChosenSheet(sheet.name, scan, others)
    except (*_UNREADABLE, ET.ParseError, ValueError):
        raise _damaged() from None
    raise EmptyTable("No visible sheet of the workbook has cells. Put the table into the first sheet.")


def open_sheet(path: Path, name: str) -> Sheet:
    """One sheet, which is loaded as a whole.

    Raises:
        InvalidTable: when the workbook is damaged, or has no such sheet.
    """
    with open_workbook(path) as workbook:
        from python_calamine import CalamineError

        try:
            sheet = workbook.get_sheet_by_name(name)
        except CalamineError:
            raise _damaged() from None
    start = sheet.start
    return Sheet(sheet, start[1] if start is not None else 0)


def open_workbook(path: Path) -> "CalamineWorkbook":
    """A workbook with the list of its sheets.

    Raises:
        InvalidTable: when it is damaged, or what reads workbooks is not installed.
    """
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError:
        raise InvalidTable(
            "The file is an Excel workbook, and what reads those is not installed here. Open it and save the sheet as "
            "CSV, or have the extra 'excel' installed: pip install 'ml-mini-platform[excel]'."
        ) from None
    try:
        return CalamineWorkbook.from_path(path)
    except (CalamineError, OSError):
        raise _damaged() from None


def _check_sizes(path: Path, limits: TableLimits) -> None:
    """See that nothing takes more than allowed once it is unpacked, before anything is."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except _UNREADABLE:
        raise _damaged() from None
    if len(parts) > _MOST_PARTS:
        raise TableTooLarge(
            f"The workbook has {len(parts):,} parts; the limit is {_MOST_PARTS:,}. Save the sheet as CSV.",
            limit=_MOST_PARTS,
        )
    size = sum(part.file_size for part in parts if part.filename.endswith((".xml", ".rels")))
    if size > limits.max_bytes:
        raise TableTooLarge(
            f"Unpacked, the workbook has {size:,} bytes; the limit is {limits.max_bytes:,}. Split it into smaller "
            "files, or have MLMINI_TABLE_MAX_BYTES raised.",
            limit=limits.max_bytes,
            setting="MLMINI_TABLE_MAX_BYTES",
        )


def _parts(archive: zipfile.ZipFile) -> list[str]:
    """The files of the sheets, in their order."""
    targets = {
        link.get("Id"): posixpath.normpath(posixpath.join("/xl", link.get("Target", ""))).lstrip("/")
        for link in _list(archive, _LINKS).iter()
        if link.get("Id")
    }
    ids = [each.get(_ID) or each.get(_STRICT_ID) for each in _list(archive, _MAIN).findall("./{*}sheets/{*}sheet")]
    return [targets[each] for each in ids]


def _list(archive: zipfile.ZipFile, part: str) -> ET.Element:
    if archive.getinfo(part).file_size > _LIST_BYTES:
        raise zipfile.BadZipFile
    # The size is bounded, and expat bounds what entities expand to.
    return ET.fromstring(archive.read(part))  # noqa: S314 # nosec B314


def _damaged() -> InvalidTable:
    return InvalidTable(
        "The file is an Excel workbook that cannot be read: it is cut off or damaged. Open it and save it again, or "
        "save the sheet as CSV."
    )
