"""What is told about a column: findings that still wait for their line."""

from collections.abc import Collection
from dataclasses import dataclass

from shared.tables.cells import gap_words
from shared.tables.columns import CellReading, ColumnKind
from shared.tables.evidence import Evidence, First
from shared.tables.findings import FindingCode
from shared.tables.values import STRINGS

_SHOWN_CHARACTERS = 40
_MOST_WORDS = 5


@dataclass
class Note:
    """A finding about a column, with the row that it begins in."""

    code: FindingCode
    row: int | None
    count: int | None
    detail: str


def notes_of_gaps(evidence: Evidence, reading: CellReading) -> list[Note]:
    """A note for each word that counts as missing."""
    words = set(gap_words(reading))
    found = {
        text: count
        for text, count in (evidence.gaps + evidence.no_values + evidence.odd + evidence.dates).items()
        if text in words and text
    }
    found = {text: count for text, count in found.items() if text not in reading.odd_words}
    if not found:
        return []
    first = min((first for first in evidence.firsts.values() if first.cell in found), default=None)
    said = ", ".join(f"{text!r} ({count:,})" for text, count in list(found.items())[:_MOST_WORDS])
    as_words = reading.model_copy(update={"kind": ColumnKind.CATEGORY, "odd_words": ()})
    fixes = [] if reading.kind in STRINGS else ["'kinds' with category for the column"]
    if not fixes or not found.keys().isdisjoint(gap_words(as_words)):
        fixes.append("'gap_words' with the words that shall count as missing")
    fix = ", and ".join(fixes)
    detail = f"{said} {'counts' if len(found) == 1 else 'count'} as missing. Send {fix} to keep such cells."
    return [Note(FindingCode.GAP_WORD, first.row if first else None, sum(found.values()), detail)]


def notes_of_spelling(evidence: Evidence, reading: CellReading) -> list[Note]:
    """Notes on blanks and letters of words that were changed or look alike."""
    if reading.kind not in STRINGS:
        return []
    notes = []
    if evidence.trimmed and (first := evidence.first("trimmed")):
        detail = f"{evidence.trimmed:,} cells have blanks around them, such as {shown(first)}. They were removed."
        notes.append(Note(FindingCode.TRIMMED, first.row, evidence.trimmed, detail))
    if evidence.composed and (first := evidence.first("composed")):
        detail = (
            f"{evidence.composed:,} cells have letters in parts, such as {shown(first)}. They were put together (NFC)."
        )
        notes.append(Note(FindingCode.LOOK_ALIKE, first.row, evidence.composed, detail))
    if evidence.invisible and (first := evidence.first("invisible")):
        detail = (
            f"{evidence.invisible:,} cells hold characters that cannot be seen, such as {ascii(first.cell)[:60]}. They "
            "were kept. Remove them if such cells should be the same as others."
        )
        notes.append(Note(FindingCode.LOOK_ALIKE, first.row, evidence.invisible, detail))
    return notes


def first_of(evidence: Evidence, cells: Collection[str]) -> tuple[First, int | None]:
    """One of these cells, and the row of the first; no row where only first cells of other looks have one."""
    known = min((first for first in evidence.firsts.values() if first.cell in cells), default=None)
    return known or First(0, next(iter(cells), "")), known.row if known else None


def shown(first: First) -> str:
    """A cell as a sentence may show it."""
    text = first.cell if first.cell.isprintable() else ascii(first.cell)[1:-1]
    return f"'{text[:_SHOWN_CHARACTERS]}…'" if len(text) > _SHOWN_CHARACTERS else f"'{text}'"
