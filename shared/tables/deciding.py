"""Decides, from the evidence of all columns, how each is read; what is not sure is told."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shared.tables.columns import CellReading, ColumnKind, Form
from shared.tables.evidence import Evidence
from shared.tables.findings import FindingCode
from shared.tables.near_misses import note_of_words
from shared.tables.notes import Note, first_of, notes_of_gaps, notes_of_spelling, shown
from shared.tables.number_columns import (
    COMMAS,
    NUMERIC,
    POINTS,
    Marks,
    ambiguous,
    conflict,
    mixed_signs,
    notes_of_numbers,
    number_reading,
)
from shared.tables.options import KindChoice, ReadingOptions, kind_choice
from shared.tables.reading import Decimal
from shared.tables.shapes import DATES, NUMBERS, CellShape

# One cell in so many may be neither number nor gap in a column of numbers, and so many different ones.
_ONE_IN = 50
_MOST_ODD_WORDS = 20


@dataclass
class Decision:
    """How a column is read, and what is told about that."""

    reading: CellReading
    notes: list[Note] = field(default_factory=list)


def marks_of(columns: Sequence[Evidence], options: ReadingOptions, *, semicolons: bool = False) -> Marks:
    """What all columns together tell of the marks in numbers; `semicolons` says that these part the cells."""
    commas = any(column.count(*COMMAS) and not column.count(*POINTS) for column in columns)
    points = any(column.count(*POINTS) and not column.count(*COMMAS) for column in columns)
    found: Decimal | None = None if commas == points else "," if commas else "."
    thousands = None if options.thousands == "none" else options.thousands
    return Marks(found, options.decimal, thousands, no_thousands=options.thousands == "none", semicolons=semicolons)


def decide(evidence: Evidence, marks: Marks, options: ReadingOptions) -> Decision:
    """How one column is read."""
    gap_words = None if options.gap_words is None else tuple(options.gap_words)
    decision = _decide(evidence, marks, options)
    reading = decision.reading.model_copy(update={"gap_words": gap_words})
    return Decision(
        reading, [*notes_of_gaps(evidence, reading), *notes_of_spelling(evidence, reading), *decision.notes]
    )


def _decide(evidence: Evidence, marks: Marks, options: ReadingOptions) -> Decision:
    said = (options.kinds or {}).get(evidence.name)
    if said is not None:
        reading = _as_said(kind_choice(said), evidence, marks)
        doubt = ambiguous(evidence, marks, reading) if reading.kind in NUMERIC else None
        return Decision(reading, [doubt] if doubt else [])
    words = options.gap_words
    evidence = _without(evidence, words or [])
    present = evidence.present - evidence.count(CellShape.NO_VALUE)
    if not present:
        kept = evidence.no_values or (words is not None and set(evidence.gaps) - set(words))
        return Decision(CellReading(kind=ColumnKind.TEXT if kept else ColumnKind.NUMBER))
    if evidence.count(CellShape.BOOLEAN) == present + evidence.count(CellShape.NO_VALUE):
        return Decision(CellReading(kind=ColumnKind.BOOLEAN))
    dates, numbers = evidence.count(*DATES), evidence.count(*NUMBERS)
    if dates and dates >= numbers:
        return _decide_dates(evidence, present)
    return _decide_numbers(evidence, marks, present) if numbers else _words(evidence, present)


def _without(evidence: Evidence, words: Sequence[str]) -> Evidence:
    """The evidence without the words that count as missing because somebody said so."""
    odd, dates = (
        Counter({text: count for text, count in found.items() if text not in words})
        for found in (evidence.odd, evidence.dates)
    )
    taken = evidence.odd.total() + evidence.dates.total() - odd.total() - dates.total()
    return replace(evidence, present=evidence.present - taken, odd=odd, dates=dates)


def _as_said(choice: KindChoice, evidence: Evidence, marks: Marks) -> CellReading:
    """The reading of a column whose kind was asked for; that its cells are of that kind, is checked later."""
    if choice.kind in NUMERIC:
        reading = number_reading(evidence, marks)
        return reading.model_copy(update={"kind": choice.kind, "format": choice.form or reading.format})
    if choice.kind is ColumnKind.BOOLEAN:
        words = evidence.present > evidence.count(CellShape.BOOLEAN, CellShape.NO_VALUE)
        return CellReading(kind=choice.kind, format="words" if words else None)
    form = choice.form or (_date_form(evidence) if choice.kind is ColumnKind.DATETIME else None)
    return CellReading(kind=choice.kind, format=form)


def _words(evidence: Evidence, present: int) -> Decision:
    """A column of words, which may be parts of dates or numbers with a sign before them."""
    codes = evidence.count(CellShape.CODE) and evidence.count(CellShape.CODE, CellShape.INTEGER) == present
    decision = Decision(CellReading(kind=ColumnKind.TEXT, format="code" if codes else None))
    if evidence.odd.total() * 2 > present and (note := note_of_words(evidence)):
        decision.notes.append(note)
    return decision


def _decide_numbers(evidence: Evidence, marks: Marks, present: int) -> Decision:
    problem = conflict(evidence, marks, present) or mixed_signs(evidence)
    if problem is not None:
        return Decision(CellReading(kind=ColumnKind.TEXT), [problem])
    numbers = evidence.count(*NUMBERS)
    odd = evidence.odd + evidence.dates
    reading = number_reading(evidence, marks)
    notes = notes_of_numbers(evidence, marks, reading, present)
    if numbers == present:
        return Decision(reading, notes)
    if _are_few(odd, present - numbers, present) and not evidence.count(CellShape.CODE, CellShape.BIG):
        reading = reading.model_copy(update={"odd_words": tuple(odd)})
        return Decision(reading, [_nearly_numeric(evidence, odd, present - numbers, kept=False), *notes])
    decision = _words(evidence, present)
    few_codes = evidence.count(CellShape.CODE) * _ONE_IN <= present
    if (numbers * 2 >= present and few_codes) or evidence.count(CellShape.BIG) * 2 >= present:
        decision.notes.append(_nearly_numeric(evidence, odd, present - numbers, kept=True))
    return decision


def _are_few(odd: dict[str, int], count: int, present: int) -> bool:
    """Whether the odd words of a column are so few that all are known and the column is what the other cells are."""
    return count * _ONE_IN <= present and len(odd) <= _MOST_ODD_WORDS and sum(odd.values()) == count


def _decide_dates(evidence: Evidence, present: int) -> Decision:
    dates = evidence.count(*DATES)
    form = _date_form(evidence)
    others = evidence.odd if dates < present else {}
    doubt = _doubt(evidence, form)
    if doubt is None and others and not _are_few(others, present - dates, present):
        doubt = "others are not", "Correct the others, or send them as 'gap_words' to read them as missing."
    if doubt is None:
        reading = CellReading(kind=ColumnKind.DATETIME, format=form, odd_words=tuple(others))
        return Decision(reading, [_nearly_dates(evidence, present - dates)] if others else [])
    decision = _words(evidence, present)
    first = evidence.first(*DATES)
    if dates * 2 >= present and first is not None:
        reason, fix = doubt
        detail = f"{dates:,} cells are dates such as {shown(first)}, but {reason}. The column is kept as text. {fix}"
        decision.notes.append(Note(FindingCode.NEARLY_DATES, first.row, dates, detail))
    return decision


def _doubt(evidence: Evidence, form: Form | None) -> tuple[str, str] | None:
    """Why the dates of a column cannot be read, and what to do about it."""
    if evidence.count(CellShape.DAY_FIRST) and evidence.count(CellShape.MONTH_FIRST):
        return "some have the day first and some the month", "Write all its dates as 2026-01-31."
    if evidence.count(CellShape.DAY_OR_MONTH_FIRST) and form is None:
        fix = "Send 'kinds' with datetime:dmy (day first) or datetime:mdy (month first)."
        return "day and month may be meant either way", fix
    if evidence.count(CellShape.ISO) and evidence.count(CellShape.ZONED):
        fix = "Send 'kinds' with datetime to read those without one as UTC."
        return "some name a time zone and some do not", fix
    return None


def _date_form(evidence: Evidence) -> Form | None:
    if evidence.count(CellShape.DAY_FIRST):
        return "dmy"
    return "mdy" if evidence.count(CellShape.MONTH_FIRST) else None


def _nearly_dates(evidence: Evidence, count: int) -> Note:
    first, row = first_of(evidence, evidence.odd)
    cells = f"{count:,} {'cell is no date' if count == 1 else 'cells are no dates'}, such as {shown(first)}"
    return Note(FindingCode.NEARLY_DATES, row, count, f"{cells}. {_count_as_missing(count)}")


def _nearly_numeric(evidence: Evidence, odd: dict[str, int], count: int, *, kept: bool) -> Note:
    first, row = first_of(evidence, odd)
    cells = f"{count:,} {'cell is not a number' if count == 1 else 'cells are not numbers'}, such as {shown(first)}"
    if not kept:
        done = _count_as_missing(count)
    elif evidence.count(CellShape.BIG):
        done = (
            "Numbers of more than 18 digits are kept as they are written. Send 'kinds' to read them as rounded numbers."
        )
    elif evidence.count(CellShape.CODE):
        done = "A leading zero makes a code: the column is kept as it is written. Send 'kinds' to read numbers."
    else:
        done = (
            "The column is kept as it is written. Correct the cells, or send 'gap_words' with them to read them as "
            "missing."
        )
    return Note(FindingCode.NEARLY_NUMERIC, row, count, f"{cells}. {done}")


def _count_as_missing(count: int) -> str:
    done, them = ("It counts", "it") if count == 1 else ("They count", "them")
    return f"{done} as missing. Correct {them}, or send 'kinds' to keep the column as a category."
