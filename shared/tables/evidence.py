"""What is known of the cells of one column, after the chunks so far: enough to decide how it is to be read."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from shared.tables.cells import without_gaps
from shared.tables.columns import CellReading, ColumnKind
from shared.tables.dates import ZONE
from shared.tables.leading_zeros import has_codes
from shared.tables.missing import MISSING
from shared.tables.shapes import DATES, NUMBERS, CellShape, Look, look_of
from shared.tables.string_bytes import is_ascii
from shared.tables.values import STRINGS

# Of more words than these, a column is one of words, whatever comes.
_MANY_WORDS = 20_000
_MOSTLY = 0.6
_KEPT_WORDS = 100
_KEPT_NUMBERS = 1_000
_ZONE = rf"[ Tt]\d\d[\d:.,]*\s?(?:{ZONE})$"

# By shape, the decimal marks that a number with such marks of thousands may have.
_FRACTIONS = {
    CellShape.GROUPS_COMMA: ".",
    CellShape.GROUPS_POINT: ",",
    CellShape.GROUPS_BLANK: ".,",
    CellShape.GROUPS_APOSTROPHE: ".,",
}

_PLAIN = Look(CellShape.POINT)
_AS_TEXT = CellReading(kind=ColumnKind.TEXT, gap_words=())


class First(NamedTuple):
    """The first cell of its kind: its row, counted from 0, and how it is written."""

    row: int
    cell: str


@dataclass
class Evidence:
    """Counts of cells by their look, and what there is to tell about them.

    `present` counts the cells that hold something else than `gaps`, the words that stand for no value in any column.
    `no_values` are those that do so among numbers and dates, `odd` the first words that are no number and no date.
    """

    name: str
    present: int = 0
    looks: Counter[Look] = field(default_factory=Counter)
    firsts: dict[str, First] = field(default_factory=dict)
    gaps: Counter[str] = field(default_factory=Counter)
    odd: Counter[str] = field(default_factory=Counter)
    # The first dates, which are odd among numbers.
    dates: Counter[str] = field(default_factory=Counter)
    no_values: Counter[str] = field(default_factory=Counter)
    # Some numbers with a point as they are written, and the decimal marks of those with marks of thousands.
    numbers: set[str] = field(default_factory=set)
    fractions: set[str] = field(default_factory=set)
    trimmed: int = 0
    composed: int = 0
    invisible: int = 0
    # All cells are counted by their look; else words are so many that the rest was not looked at.
    complete: bool = True

    def count(self, *shapes: CellShape) -> int:
        """How many cells have one of these shapes."""
        return sum(count for look, count in self.looks.items() if look.shape in shapes)

    def first(self, *keys: str) -> First | None:
        """The first cell with one of these shapes or marks."""
        found = [self.firsts[key] for key in keys if key in self.firsts]
        return min(found, default=None)

    def add(self, cells: pa.Array, row: int) -> None:
        """Take strings as they are written, of which the first is in this row."""
        trimmed = self._add_blanks(cells, row)
        self.present += len(trimmed) - trimmed.null_count
        if not self.complete:
            return self._add_gaps(trimmed, row)
        counts = pc.value_counts(trimmed)
        values, numbers = counts.field("values"), counts.field("counts")
        for text, count in zip(values.to_pylist(), numbers.to_pylist(), strict=True):
            if text is not None:
                self._add_text(text, count, trimmed, row)
        words = self.count(CellShape.WORD)
        self.complete = words < _MANY_WORDS or words < _MOSTLY * self.present
        return None

    def add_fitting(self, cells: pa.Array, values: pa.Array, reading: CellReading, row: int) -> bool:
        """Take cells that fit a reading, without a look at each; False if a look has to be taken at them."""
        if reading.kind in STRINGS:
            return self._add_words(cells, values, reading, row)
        if not self._is_settled(cells, reading):
            return False
        present = len(values) - values.null_count
        if values.null_count > cells.null_count:
            lost = cells.filter(pc.and_(pc.is_null(values), pc.is_valid(cells)))
            self.present += len(lost)
            for text, count in _counted(lost):
                self._add_text(text.strip(), count, cells, row)
        self.present += present
        if present:
            self.looks[self._usual(reading)] += present
        return True

    def _add_words(self, cells: pa.Array, values: pa.Array, reading: CellReading, row: int) -> bool:
        """Take cells of a column that is one of words for sure, and has the usual words for no value."""
        if self.complete or reading.gap_words is not None:
            return False
        trimmed = self._add_blanks(cells, row)
        self.present += len(trimmed) - trimmed.null_count
        if values.null_count > trimmed.null_count:
            self._add_gaps(trimmed, row)
        return True

    def _usual(self, reading: CellReading) -> Look:
        """The commonest look of the cells that such a reading takes."""
        shapes = {ColumnKind.DATETIME: DATES, ColumnKind.BOOLEAN: {CellShape.BOOLEAN}}.get(reading.kind, NUMBERS)
        return max((look for look in self.looks if look.shape in shapes), key=lambda look: self.looks[look])

    def _is_settled(self, cells: pa.Array, reading: CellReading) -> bool:
        """Whether more cells that fit can tell nothing new."""
        if reading.kind is ColumnKind.DATETIME:
            zoned = bool(pc.any(pc.match_substring_regex(cells, _ZONE)).as_py())
            return zoned == (self.count(CellShape.ZONED) > 0) and set(self._shapes() & DATES) <= {
                CellShape.ISO,
                CellShape.ZONED,
            }
        if reading.kind is ColumnKind.BOOLEAN:
            return True
        if has_codes(cells) or not self._has_signs(cells):
            return False
        sure = (CellShape.POINT, CellShape.COMMA, CellShape.GROUPS_COMMA, CellShape.GROUPS_POINT)
        whole = reading.kind is ColumnKind.INTEGER and reading.thousands is None
        return whole or self.count(*sure) > 0

    def _has_signs(self, cells: pa.Array) -> bool:
        """Whether all cells have the one sign that those before had: percent, a currency, or none."""
        signs = {look.around for look in self.looks if look.shape in NUMBERS}
        if len(signs) != 1:
            return False
        sign = next(iter(signs))
        return not sign or bool(
            pc.all(pc.match_substring(cells, "%" if sign == "percent" else sign), min_count=0).as_py()
        )

    def _shapes(self) -> set[CellShape]:
        return {look.shape for look in self.looks}

    def _add_text(self, text: str, count: int, cells: pa.Array, row: int) -> None:
        look = look_of(text)
        if look.shape is CellShape.NO_VALUE and text in MISSING:
            self.present -= count
            self.gaps[text] += count
            self._note("gap", text, cells, row)
            return
        self.looks[look] += count
        self._note(look.shape, text, cells, row)
        if look.around:
            self._note(look.around, text, cells, row)
        if look.shape is CellShape.NO_VALUE:
            self.no_values[text] += count
        elif look.shape not in NUMBERS:
            kept = self.dates if look.shape in DATES else self.odd
            if text in kept or len(kept) < _KEPT_WORDS:
                kept[text] += count
        elif look == _PLAIN and text.isascii() and len(self.numbers) < _KEPT_NUMBERS:
            self.numbers.add(text)
        if look.shape in _FRACTIONS:
            self.fractions.update(mark for mark in _FRACTIONS[look.shape] if mark in text)

    def _add_gaps(self, trimmed: pa.Array, row: int) -> None:
        """Count the words for no value where the column is one of words for sure."""
        gaps = trimmed.filter(pc.fill_null(pc.is_in(trimmed, value_set=pa.array(MISSING)), False))
        for text, count in _counted(gaps):
            self._add_text(text, count, trimmed, row)

    def _add_blanks(self, cells: pa.Array, row: int) -> pa.Array:
        """Count what is changed or cannot be seen in the cells; they come back trimmed, null where empty."""
        trimmed = without_gaps(cells, _AS_TEXT)
        if pc.sum(pc.binary_length(cells)).as_py() == pc.sum(pc.binary_length(trimmed)).as_py():
            around = None
        else:
            around = pc.match_substring_regex(cells, r"^[\pZ\s]+[^\pZ\s]|[^\pZ\s][\pZ\s]+$")
        if around is not None and (count := pc.sum(around).as_py()):
            self.trimmed += count
            self._note_first("trimmed", cells, around, row)
        if is_ascii(cells):
            return trimmed
        composed = pc.not_equal(cells, pc.utf8_normalize(cells, form="NFC"))
        if count := pc.sum(composed).as_py():
            self.composed += count
            self._note_first("composed", cells, composed, row)
        invisible = pc.match_substring_regex(cells, r"[\x{AD}\x{200B}\x{2060}\x{FEFF}]")
        if count := pc.sum(invisible).as_py():
            self.invisible += count
            self._note_first("invisible", cells, invisible, row)
        return trimmed

    def _note(self, key: str, text: str, cells: pa.Array, row: int) -> None:
        if key not in self.firsts:
            at = pc.index(pc.utf8_trim_whitespace(cells), text).as_py()
            self.firsts[key] = First(row + max(at, 0), text)

    def _note_first(self, key: str, cells: pa.Array, mask: pa.Array, row: int) -> None:
        if key not in self.firsts:
            at = pc.index(mask, True).as_py()
            self.firsts[key] = First(row + at, cells[at].as_py())


def _counted(cells: pa.Array) -> list[tuple[str, int]]:
    return [(each["values"], each["counts"]) for each in pc.value_counts(cells).to_pylist()]
