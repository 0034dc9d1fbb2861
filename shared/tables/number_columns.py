"""Columns of numbers: their marks and signs, and what is not sure of them."""

from typing import NamedTuple

from shared.tables.columns import CellReading, ColumnKind, Form
from shared.tables.dates import moment_of
from shared.tables.evidence import Evidence, First
from shared.tables.findings import FindingCode
from shared.tables.notes import Note, shown
from shared.tables.reading import Decimal, Thousands
from shared.tables.shapes import NUMBERS, CellShape

_COMPACT_DAY = 8
_LONGEST_VERSION = 8

NUMERIC = (ColumnKind.INTEGER, ColumnKind.NUMBER)
COMMAS = (CellShape.COMMA, CellShape.GROUPS_POINT)
POINTS = (CellShape.POINT, CellShape.GROUPS_COMMA)
OTHER_MARK: dict[str, Decimal] = {",": ".", ".": ","}
_WHOLE = frozenset(
    {
        CellShape.INTEGER,
        CellShape.PHONE,
        CellShape.GROUPS_COMMA,
        CellShape.GROUPS_POINT,
        CellShape.GROUPS_BLANK,
        CellShape.GROUPS_APOSTROPHE,
    }
)


class Marks(NamedTuple):
    """What the other columns (`decimal`), and the options (`said`), say of the marks in numbers; None if nothing.

    `no_thousands` says that the options rule out marks of thousands. `semicolons` says that they part the cells, as
    where a comma is the decimal mark.
    """

    decimal: Decimal | None = None
    said_decimal: Decimal | None = None
    said_thousands: Thousands | None = None
    no_thousands: bool = False
    semicolons: bool = False

    @property
    def are_said(self) -> bool:
        """Whether the options say anything."""
        return self.said_decimal is not None or self.said_thousands is not None or self.no_thousands


def number_reading(evidence: Evidence, marks: Marks) -> CellReading:
    """How the numbers of a column are read, whatever else is in it."""
    decimal, thousands = _marks(evidence, marks)
    threes = {",": CellShape.COMMA_THREE, ".": CellShape.POINT_THREE}
    whole = _WHOLE | ({threes[thousands]} if thousands in threes else set())
    fractions = evidence.fractions or evidence.count(*(NUMBERS - whole))
    kind = ColumnKind.NUMBER if fractions else ColumnKind.INTEGER
    return CellReading(kind=kind, decimal=decimal, thousands=thousands, format=sign_of(evidence))


def _marks(evidence: Evidence, marks: Marks) -> tuple[Decimal, Thousands | None]:
    """The decimal mark and the mark of thousands of a column; what the options say has the last word."""
    decimal, thousands = _told_marks(evidence, marks)
    if marks.no_thousands:
        thousands = None
    if marks.said_thousands is not None:
        thousands = marks.said_thousands
        decimal = marks.said_decimal or OTHER_MARK.get(thousands, decimal)
    elif marks.said_decimal is not None and marks.said_decimal != decimal:
        decimal = marks.said_decimal
        thousands = None if thousands == decimal else thousands
    return decimal, thousands


def _told_marks(evidence: Evidence, marks: Marks) -> tuple[Decimal, Thousands | None]:
    """The marks that the cells tell, of this column or of others."""
    has = evidence.count
    decimal: Decimal = marks.said_decimal or marks.decimal or "."
    if "," in evidence.fractions or (has(*COMMAS) and not has(*POINTS)):
        decimal = ","
    elif "." in evidence.fractions or (has(*POINTS) and not has(*COMMAS)):
        decimal = "."
    if has(CellShape.GROUPS_BLANK):
        return decimal, " "
    if has(CellShape.GROUPS_APOSTROPHE):
        return decimal, "'"
    if has(CellShape.GROUPS_COMMA) or (has(CellShape.COMMA_THREE) and not has(*COMMAS) and decimal != ","):
        return ".", ","
    if has(CellShape.GROUPS_POINT) or (has(CellShape.POINT_THREE) and not has(*POINTS) and decimal == ","):
        return ",", "."
    return decimal, None


def sign_of(evidence: Evidence) -> Form | None:
    """Whether the numbers are in percent or have a currency."""
    around = {look.around for look in evidence.looks if look.shape in NUMBERS} - {""}
    if not around:
        return None
    return "percent" if around == {"percent"} else "currency"


def conflict(evidence: Evidence, marks: Marks, present: int) -> Note | None:
    """A note if the cells of one column have two decimal marks, and nobody says which one counts."""
    if marks.are_said:
        return None
    commas, points = evidence.first(*COMMAS), evidence.first(*POINTS)
    blanks = evidence.count(CellShape.GROUPS_BLANK, CellShape.GROUPS_APOSTROPHE)
    if commas and points:
        first, other = sorted((commas, points))
    elif (
        not (commas or points or blanks)
        and evidence.count(CellShape.COMMA_THREE)
        and evidence.count(CellShape.POINT_THREE)
    ):
        first, other = sorted(
            found for found in (evidence.first(CellShape.COMMA_THREE), evidence.first(CellShape.POINT_THREE)) if found
        )
    else:
        return None
    return Note(
        FindingCode.DECIMAL_AMBIGUOUS,
        other.row,
        present,
        f"It holds {shown(first)} and {shown(other)}, so a comma and a point both may be its decimal mark. It is kept "
        "as text. Write all its numbers alike, or send 'decimal' and 'thousands'.",
    )


def mixed_signs(evidence: Evidence) -> Note | None:
    """A note if some numbers are in percent and some are not, or have other currencies."""
    around = {look.around for look in evidence.looks if look.shape in NUMBERS}
    if len(around - {""}) < 2 and not ("percent" in around and "" in around):
        return None
    first = evidence.first(*(around - {""})) or First(0, "")
    said = ", ".join(sorted(each or "none" for each in around))
    detail = (
        f"Its numbers have different signs ({said}), so they cannot be compared. The column is kept as it is written. "
        "Split it, or write all cells alike."
    )
    return Note(FindingCode.NEARLY_NUMERIC, first.row, evidence.present, detail)


def notes_of_numbers(evidence: Evidence, marks: Marks, reading: CellReading, present: int) -> list[Note]:
    """What is not sure of a column that is read as numbers; `present` cells of it are no gaps."""
    found = (ambiguous(evidence, marks, reading), _codes(evidence, present), _days(evidence, present))
    return [note for note in found if note is not None]


def ambiguous(evidence: Evidence, marks: Marks, reading: CellReading) -> Note | None:
    """A note if nothing tells whether a mark parts thousands or decimals."""
    if marks.decimal is not None or marks.are_said:
        return None
    sure = (CellShape.POINT, CellShape.COMMA, CellShape.GROUPS_COMMA, CellShape.GROUPS_POINT, CellShape.GROUPS_BLANK)
    commas, points = evidence.count(CellShape.COMMA_THREE), evidence.count(CellShape.POINT_THREE)
    if evidence.count(*sure) or not (commas or points):
        return None
    first = evidence.first(CellShape.COMMA_THREE, CellShape.POINT_THREE) or First(0, "")
    if reading.thousands is not None:
        done = f"{shown(first)} is read as {first.cell.replace(reading.thousands, '')}"
    elif points and not evidence.count(CellShape.INTEGER) and not marks.semicolons:
        # Three decimals in each cell are what measures have; whole numbers or semicolons beside them raise a doubt.
        return None
    else:
        done = f"{shown(first)} is read as a fraction"
    detail = f"All marks have three digits behind them: {done}. Send 'thousands' and 'decimal' if that is wrong."
    return Note(FindingCode.THOUSANDS_AMBIGUOUS, first.row, commas + points, detail)


def _codes(evidence: Evidence, present: int) -> Note | None:
    """A note if numbers are written as codes, versions or telephone numbers are."""
    others = evidence.count(*(NUMBERS - {CellShape.INTEGER, CellShape.EXPONENT}))
    what = first = None
    if evidence.count(CellShape.EXPONENT) and not others:
        what, first = "may be codes, not powers of ten", evidence.first(CellShape.EXPONENT)
    elif evidence.count(CellShape.PHONE) == present:
        what, first = "look like telephone numbers", evidence.first(CellShape.PHONE)
    elif twins := _twins(evidence.numbers):
        what, first = f"are one number, but two versions ({twins[0]} and {twins[1]})", evidence.first(CellShape.POINT)
    if what is None or first is None:
        return None
    detail = f"Cells such as {shown(first)} {what}. They are read as numbers. Send 'kinds' with category to keep them."
    return Note(FindingCode.CODES_AS_NUMBERS, first.row, present, detail)


def _twins(spelled: set[str]) -> tuple[str, str] | None:
    """Two spellings of one number of which one has a zero at its end, as versions 1.1 and 1.10 have."""
    by_value: dict[float, str] = {}
    for text in sorted(spelled):
        if len(text) > _LONGEST_VERSION or not text.replace(".", "", 1).isdecimal():
            return None
        other = by_value.setdefault(float(text), text)
        if other != text and min(len(other), len(text)) > text.index(".") + 1:
            return other, text
    return None


def _days(evidence: Evidence, present: int) -> Note | None:
    """A note if whole numbers look like days without marks, as 20260131 does."""
    first = evidence.first(CellShape.INTEGER)
    if first is None or evidence.count(CellShape.INTEGER) != present or len(first.cell) != _COMPACT_DAY:
        return None
    try:
        day = moment_of(first.cell, None)
    except ValueError:
        return None
    if day is None or day.year not in range(1900, 2101):
        return None
    detail = (
        f"Numbers such as {shown(first)} may be days. They are read as numbers. Send 'kinds' with datetime for the "
        "column to read them as days."
    )
    return Note(FindingCode.NEARLY_DATES, first.row, present, detail)
