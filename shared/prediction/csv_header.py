"""Where the names of the columns are in a CSV file of rows to predict for: the model knows what they should be."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from shared.errors import DuplicateColumns, EmptyTable, InvalidInput, TableTooLarge
from shared.tables.dialect import DELIMITERS, Dialect, Record, delimiter_said, records_of
from shared.tables.header_rows import is_rule, units_row
from shared.tables.inspected import TableLimits
from shared.tables.names import clean_name
from shared.tables.reading import Reading

# Among the first rows that hold anything.
_LOOKED_AT = 20
_MOST_NAMES = 20


class FoundHeader(NamedTuple):
    """How lines are parted into cells, the names, how they are written, and the lines that are left out.

    `line` is that of the names; it is None where the file has none, as the table that the model learnt from.
    """

    dialect: Dialect
    line: int | None
    names: list[str]
    written: list[str]
    skipped_lines: list[int]


class _Candidate(NamedTuple):
    """A row that may hold the names, with those from it on; more columns are better, then a long first row."""

    dialect: Dialect
    above: list[Record]
    rows: list[Record]
    names: list[str]
    columns: int

    @property
    def rank(self) -> tuple[int, int]:
        return self.columns, 0 if self.above else len(self.names)

    @property
    def is_even(self) -> bool:
        """Whether all rows have as many cells as each other, and no more than a delimiter at the end beside names."""
        widths = {len(record.cells) for record in self.rows[1:]}
        return len(widths) < 2 and all(abs(width - len(self.names)) < 2 for width in widths)


def likely_dialects(reading: Reading, known: Reading | None) -> list[Dialect]:
    """What may part a file into cells, most likely first: what parted the `known` table, then what was found in it."""
    found = Dialect.stored(reading)
    bases, delimiters = [found], [found.delimiter, *DELIMITERS]
    if known is not None and known.delimiter is not None:
        same = Dialect.stored(known)
        if same.quote == found.quote:
            skips_blanks = same.skips_blanks or found.skips_blanks
            same = same._replace(escape=same.escape or found.escape, skips_blanks=skips_blanks)
        bases, delimiters = [same, found], [same.delimiter, *delimiters]
    return list(dict.fromkeys(base._replace(delimiter=each) for each in delimiters for base in bases))


def find_names(
    lines: list[str], dialects: list[Dialect], columns: Sequence[str], *, known: Reading | None = None, cleans: bool
) -> FoundHeader:
    """The row that holds most of the columns, in the dialect that gives most of them; the first of equal ones.

    `cleans` brings names into the form that those of columns have today, and looks for a title above them, and for a
    row of units below. Where the `known` table has no names in its file, the file may have none, too.

    Raises:
        EmptyTable: when no line holds anything.
    """
    said = delimiter_said(lines)
    if said is not None:
        lines = ["\n", *lines[1:]]
        dialects = list(dict.fromkeys(dialect._replace(delimiter=said) for dialect in dialects))
    looked_at = max(_LOOKED_AT, known.header_line or 0) if known is not None else _LOOKED_AT
    candidates = []
    for dialect in dialects:
        filled = list(islice(_filled(lines, dialect), looked_at))
        for at, record in enumerate(filled if cleans else filled[:1]):
            names = [clean_name(cell) if cleans else cell.strip() for cell in record.cells]
            count = len(set(names) & set(columns))
            candidates.append(_Candidate(dialect, filled[:at], filled[at:], names, count))
    if not candidates:
        raise EmptyTable("The table is empty. Its first line must hold the names of the columns.")
    if known is not None and known.names is not None and (nameless := _without_names(candidates, known.names)):
        return nameless
    best = _best(candidates)
    skipped = [record.line for record in best.above] + (_below(*best.rows) if cleans else [])
    return FoundHeader(best.dialect, best.rows[0].line, best.names, best.rows[0].cells, skipped)


def _below(names: Record, *rows: Record) -> list[int]:
    """The lines right below the names that hold no row: one that draws a line, and one of units."""
    rules = [row for row in rows[:1] if is_rule(row)]
    units = units_row([names, *rows[len(rules) :]])
    return [record.line for record in (*rules, units) if record is not None]


def _without_names(candidates: list[_Candidate], written: list[str]) -> FoundHeader | None:
    """The header of a file that begins with data: its first row has as many cells as there are names, and no names."""
    names = [clean_name(name) for name in written]
    firsts = [each for each in candidates if not each.above and len(each.names) == len(names)]
    if not firsts or any(2 * len(set(each.names) & set(names)) > len(names) for each in candidates if not each.above):
        return None
    return FoundHeader(_best(firsts).dialect, None, names, written, [])


def _best(candidates: list[_Candidate]) -> _Candidate:
    """The first one of the highest rank, or one that has another quote and leaves rows of one width."""
    best = max(candidates, key=lambda each: each.rank)
    delimiter, line = best.dialect.delimiter, best.rows[0].line
    alike = [each for each in candidates if each.rank == best.rank and each.dialect.delimiter == delimiter]
    return next((each for each in alike if each.is_even and each.rows[0].line == line), best)


def _filled(lines: list[str], dialect: Dialect) -> Iterator[Record]:
    """The rows that hold anything, as far as they can be read; who reads all of them says what is wrong."""
    try:
        for record in records_of(lines, dialect):
            if any(cell.strip() for cell in record.cells):
                yield record
    except csv.Error:
        return


def check_names(header: list[str], columns: Sequence[str], limits: TableLimits, *, model: str) -> None:
    """Refuse a header that is too long, has a name twice, or none of the columns that the model takes.

    Raises:
        TableTooLarge, DuplicateColumns, InvalidInput: saying which.
    """
    if len(header) > limits.max_columns:
        raise TableTooLarge(f"The table has {len(header):,} columns, the limit is {limits.max_columns:,}.")
    name, times = Counter(header).most_common(1)[0]
    if times > 1:
        raise DuplicateColumns(f"There is more than one column of the name '{name}'. Rename or remove one.")
    if not set(header) & set(columns):
        raise InvalidInput(
            f"The table has none of the columns that the {model} takes: {', '.join(columns[:_MOST_NAMES])}. "
            f"Its first line must hold their names; it holds {', '.join(header[:_MOST_NAMES])[:200]}."
        )
