"""What is known of a column of a file that itself tells strings from numbers."""

from dataclasses import dataclass, field

import pyarrow as pa

from shared.tables.columns import CellReading, ColumnKind
from shared.tables.deciding import Decision, decide, marks_of
from shared.tables.evidence import Evidence, First
from shared.tables.findings import FindingCode
from shared.tables.notes import Note, shown
from shared.tables.number_columns import Marks
from shared.tables.options import ReadingOptions
from shared.tables.shapes import DATES, NUMBERS, CellShape
from shared.tables.values import STRINGS

_KINDS = (
    (pa.types.is_integer, ColumnKind.INTEGER),
    (pa.types.is_floating, ColumnKind.NUMBER),
    (pa.types.is_boolean, ColumnKind.BOOLEAN),
    (pa.types.is_timestamp, ColumnKind.DATETIME),
    (pa.types.is_string, ColumnKind.TEXT),
)


@dataclass
class TypedEvidence:
    """The kinds of values that a column has, and what its strings look like."""

    name: str
    kinds: dict[ColumnKind, int] = field(default_factory=dict)
    strings: Evidence = field(init=False)

    def __post_init__(self) -> None:
        self.strings = Evidence(self.name)

    def add(self, cells: pa.Array, row: int) -> None:
        """Take values, of which the first is in this row."""
        if cells.null_count == len(cells):
            return
        kind = next(kind for is_of, kind in _KINDS if is_of(cells.type))
        self.kinds.setdefault(kind, row)
        if kind is ColumnKind.TEXT:
            self.strings.add(cells, row)

    def decide(self, options: ReadingOptions, *, mixed: int | None) -> Decision:
        """How the column is read; `mixed` is the first row whose value is of another type than those before."""
        if self.name in (options.kinds or {}):
            return self._as_said(options)
        kind, notes = self._kind(mixed)
        reading = CellReading(kind=kind, typed=True)
        if kind is ColumnKind.TEXT and mixed is None and set(self.kinds) == {ColumnKind.TEXT}:
            found = decide(self.strings, Marks(), ReadingOptions())
            if found.reading.kind is ColumnKind.DATETIME and not found.reading.odd_words:
                reading = found.reading.model_copy(update={"typed": True})
            else:
                notes = [note for note in found.notes if note.code in _OF_STRINGS] + self._spelled_numbers()
        words = None if options.gap_words is None else tuple(options.gap_words)
        return Decision(reading.model_copy(update={"gap_words": words}), notes)

    def _as_said(self, options: ReadingOptions) -> Decision:
        """The reading of a column whose kind was asked for; strings that shall be numbers are read as those of text."""
        found = decide(self.strings, marks_of([self.strings], options), options)
        typed = found.reading.kind in STRINGS or ColumnKind.TEXT not in self.kinds
        told = {FindingCode.THOUSANDS_AMBIGUOUS} if typed else {FindingCode.THOUSANDS_AMBIGUOUS, FindingCode.GAP_WORD}
        notes = [note for note in found.notes if note.code in told]
        return Decision(found.reading.model_copy(update={"typed": typed}), notes)

    def _kind(self, mixed: int | None) -> tuple[ColumnKind, list[Note]]:
        kinds = set(self.kinds)
        if mixed is None and len(kinds) < 2:
            return next(iter(kinds), ColumnKind.NUMBER), []
        if mixed is None and kinds == {ColumnKind.INTEGER, ColumnKind.NUMBER}:
            return ColumnKind.NUMBER, []
        if mixed is None and kinds == {ColumnKind.INTEGER, ColumnKind.TEXT} and self._are_whole():
            return ColumnKind.TEXT, self._spelled_numbers()
        row = mixed if mixed is not None else sorted(self.kinds.values())[1]
        return ColumnKind.TEXT, [note_of_mixed(row)]

    def _are_whole(self) -> bool:
        return self.strings.count(CellShape.INTEGER, CellShape.BIG) == self.strings.present > 0

    def _spelled_numbers(self) -> list[Note]:
        numbers, long = self.strings.count(*NUMBERS), self.strings.count(CellShape.BIG)
        if not numbers + long or (numbers + long) * 2 < self.strings.present or self.strings.count(*DATES):
            return []
        if big := self.strings.first(CellShape.BIG):
            detail = f"Numbers such as {shown(big)} have more digits than an integer keeps. All are kept as text."
            return [Note(FindingCode.NEARLY_NUMERIC, big.row, long, detail)]
        first = self.strings.first(*NUMBERS) or First(0, "")
        detail = (
            f"{numbers:,} strings spell numbers, such as {shown(first)}. They are kept as text, as the file has them. "
            "Send 'kinds' with number for the column to read them as numbers."
        )
        return [Note(FindingCode.NEARLY_NUMERIC, first.row, numbers, detail)]


def note_of_mixed(row: int) -> Note:
    """A note on a column that changes its type in a row."""
    detail = "It holds values of several types, such as numbers and strings. All of them are kept as text."
    return Note(FindingCode.MIXED_TYPES, row, None, detail)


_OF_STRINGS = {FindingCode.NEARLY_DATES, FindingCode.LOOK_ALIKE}
