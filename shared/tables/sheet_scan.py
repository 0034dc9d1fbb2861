"""What the file of a sheet tells beside the values of its cells; it is looked through before they are loaded."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import IO

from shared.errors import InvalidTable

_BLOCK = 2**20
# No row of Excel is longer, but for one of long texts in thousands of cells.
_LONGEST_ROW = 64 * 2**20
# Some programs put a prefix before each name.
_P = rb"(?:[A-Za-z_][\w.-]*:)?"
_C, _F, _V = (rb"<" + _P + name for name in (rb"c", rb"f", rb"v"))
_PLACE = rb"\s(?:[^>]*?\s)?r=[\"'](?P<column>[A-Z]{1,3})(?P<row>\d{1,7})[\"'][^>]*"
_MADE_BY = _F + rb"\b[^>]*(?:/>|>[^<]*</" + _P + rb"f>)\s*"
_NO_VALUE = rb"(?:" + _V + rb"\s*/>|" + _V + rb">\s*</" + _P + rb"v>)?\s*</" + _P + rb"c>"
_CELL = re.compile(_C + rb"(?=[\s>])(?:" + _PLACE + rb"|[^>]*)(?<!/)>")
_ERROR = re.compile(
    _C + rb"(?=\s[^>]*\bt=[\"']e[\"'])" + _PLACE + rb">\s*(?:" + _MADE_BY + rb")?" + _V + rb">(?P<word>[^<]{1,20})<"
)
_HAS_FORMULA = re.compile(_F + rb"[\s/>]")
# An empty text is the value of many formulas.
_FORMULA = re.compile(_C + rb"(?![^>]*\bt=[\"']str[\"'])" + _PLACE + rb">\s*" + _MADE_BY + _NO_VALUE)
_ROW_END = re.compile(rb"</" + _P + rb"row>")
# A sheet is loaded with the empty cells between those that hold something.
_SPREAD_CELLS = 10_000_000
_SPREAD = 20


@dataclass
class Errors:
    """The errors in the cells of one column, and the row of the first one."""

    row: int
    words: Counter[str] = field(default_factory=Counter)


@dataclass
class SheetScan:
    """How many cells hold something, in which rows, from 1, and columns, from 0 for `A`.

    `formulas` counts those without a value, and `formula` is the place of the first one.
    """

    cells: int = 0
    columns: set[int] = field(default_factory=set)
    rows: int = 0
    first_row: int = 0
    last_row: int = 0
    errors: dict[int, Errors] = field(default_factory=dict)
    formulas: int = 0
    formula: tuple[int, str] | None = None

    def check_spread(self, name: str) -> None:
        """Return if the cells lie close enough together to be one table.

        Raises:
            InvalidTable: naming the sheet and the place of the last cell.
        """
        if not self.columns:
            return
        size = (self.last_row - self.first_row + 1) * (max(self.columns) - min(self.columns) + 1)
        if size > max(_SPREAD_CELLS, _SPREAD * self.rows * len(self.columns)):
            raise InvalidTable(
                f"The {self.cells:,} cells of the sheet '{name}' lie too far apart to be one table: they reach to row "
                f"{self.last_row:,} and column {letters_of(max(self.columns))}. Delete what is far away from the table."
            )

    def add(self, block: bytes) -> None:
        """Take the next whole rows."""
        names = set()
        for column, row in _CELL.findall(block):
            self.cells += 1
            if row and int(row) != self.last_row:
                self.last_row = int(row)
                self.first_row = self.first_row or self.last_row
                self.rows += 1
            if column:
                names.add(column)
        self.columns |= {_number_of(name) for name in names}
        for found in _ERROR.finditer(block) if b'"e"' in block or b"'e'" in block else ():
            errors = self.errors.setdefault(_number_of(found["column"]), Errors(int(found["row"])))
            errors.words[found["word"].decode("utf-8", "replace")] += 1
        for found in _FORMULA.finditer(block) if _HAS_FORMULA.search(block) else ():
            self.formulas += 1
            self.formula = self.formula or (int(found["row"]), found["column"].decode())


def scan_sheet(part: IO[bytes]) -> SheetScan:
    """Look through the file of a sheet.

    Raises:
        InvalidTable: when a row is too long.
        ValueError: when it has a document type: a workbook has none (ECMA-376-2), and what that declares is not read.
    """
    scan = SheetScan()
    rest, block = b"", part.read(_BLOCK)
    if b"<!DOCTYPE" in block.partition(b"sheetData")[0]:
        raise ValueError
    while block:
        rest += block
        ends = rest.rfind(b"row>")
        if ends >= 0 and _ROW_END.search(rest, max(ends - 64, 0)):
            scan.add(rest[: ends + 4])
            rest = rest[ends + 4 :]
        elif len(rest) > _LONGEST_ROW:
            raise InvalidTable(f"A row of the sheet has more than {_LONGEST_ROW:,} bytes. Shorten its texts.")
        block = part.read(_BLOCK)
    scan.add(rest)
    return scan


def letters_of(column: int) -> str:
    """The name that a spreadsheet gives a column: A for 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _number_of(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number - 1
