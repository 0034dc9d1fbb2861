"""What a survey found, as columns and findings that are told."""

import re
from collections.abc import Collection
from pathlib import Path

from shared.errors import EmptyTable, InvalidTable, ReadingRefused, closest, meant
from shared.tables.columns import Column, ColumnKind, ColumnRole
from shared.tables.dialect import is_typed
from shared.tables.findings import Finding, FindingCode
from shared.tables.lines import lines_of_rows
from shared.tables.options import ReadingOptions
from shared.tables.reading import Reading
from shared.tables.survey import Contradiction, Surveyed

_IDENTIFIER = re.compile(
    r"(.*[_\W])?(id|ids|index|key|uuid|guid|unnamed_?\W*0|row_?(number|no|nr)?)|__index_level_\d+__", re.IGNORECASE
)
# A number with a comma, or with groups of three digits.
_MARKED = re.compile(r"[^\w,.]*(\d{1,3}([.,'\u2019\s]\d{3})+([.,]\d+)?|\d*,\d+)([eE][+-]?\d+)?\W*")
# What a table calls its first column if the file has no name for it.
_UNNAMED = "column_1"
_LEAST_ROWS = 5
_SHOWN_CHARACTERS = 60
_FOOTER_WORDS = "sum|average|mean|sources?|notes?|footnotes?|gesamt|summe|quelle|somme|fuente"
_FOOTER = re.compile(rf"((grand |sub)?totals?|{_FOOTER_WORDS})\b", re.IGNORECASE)
# Findings beyond these are about columns alike.
_MOST_FINDINGS = 1_000


def finished_columns(surveyed: Surveyed, options: ReadingOptions) -> list[Column]:
    """The columns of the table with their roles, without those that a delimiter at the end of each line makes.

    Raises:
        EmptyTable: when there are no rows or no columns.
        InvalidTable: when a column that only some rows have holds values, or text is not Unicode.
        ReadingRefused: when the options name columns that are not there.
    """
    columns = list(surveyed.columns)
    for _ in range(surveyed.unnamed_tail):
        if columns and not columns[-1].unique and columns[-1].missing == surveyed.rows:
            columns.pop()
    if not surveyed.rows:
        raise EmptyTable("The table has no rows. It needs at least a line with the names of the columns and one row.")
    if not columns:
        raise EmptyTable("The table has no columns.")
    if surveyed.layout is not None and surveyed.layout.added and len(columns) == len(surveyed.layout.names):
        raise InvalidTable(
            f"The rows have one cell more than the header has names ({len(columns) - 1}), and in some of them it is "
            "not empty. Add its name to the header, or remove the cells that are too much."
        )
    names = {column.name for column in columns}
    for name in options.kinds or {}:
        if name not in names:
            near = closest(name, names)
            raise ReadingRefused(
                f"'kinds' names the column '{name[:80]}', which the table does not have.{meant(near)}",
                did_you_mean=near,
            )
    for at, column in enumerate(columns):
        _check_unicode(column)
        column.role = _role(column, at, surveyed.rows)
    return columns


def contradiction(error: Contradiction, surveyed: Surveyed, path: Path, reading: Reading) -> ReadingRefused:
    """The error of cells that are not of the kind that was asked for, with their lines."""
    places = [_physical(row, surveyed.repeated_headers) for row, _ in error.cells]
    lines = _lines(surveyed, path, reading, places)
    cells = [(lines.get(place), cell) for place, (_, cell) in zip(places, error.cells, strict=True)]
    unit = "row" if reading.typed else "line"
    return ReadingRefused(
        f"Column '{error.column}' is not {error.kind}: it holds "
        f"{', '.join(f'{cell!r} ({unit} {line})' for line, cell in cells)}. {_fix(error, reading)}, or correct them.",
        errors=[{"loc": ["file", line, error.column], "msg": f"{cell!r} is not {error.kind}"} for line, cell in cells],
    )


def _fix(error: Contradiction, reading: Reading) -> str:
    """What to send where cells are not of the kind that was asked for."""
    texts = [cell for _, cell in error.cells]
    if error.kind.startswith(("integer", "number")) and any(_MARKED.fullmatch(text) for text in texts):
        return "Send 'thousands' and 'decimal' with the marks that they have, another kind in 'kinds'"
    other = "datetime:dmy (day first) or datetime:mdy (month first)" if error.kind == "datetime" else "another kind"
    # A number or a date in a file that tells it from strings is no word.
    if reading.format in {"parquet", "jsonl"} and all(map(is_typed, texts)):
        return f"Send {other} in 'kinds'"
    return f"Send {other} in 'kinds', name such cells in 'gap_words' to read them as missing"


def _lines(surveyed: Surveyed, path: Path, reading: Reading, places: Collection[int]) -> dict[int, int]:
    """The lines of some rows of a delimited text, or the numbers of rows of a typed file."""
    if surveyed.sheet is not None:
        return {place: surveyed.sheet.number_of(place) for place in places}
    if surveyed.layout is None:
        return {place: place + 1 for place in places}
    return lines_of_rows(path, reading, surveyed.layout, places)


def findings_of(surveyed: Surveyed, columns: list[Column], path: Path, reading: Reading) -> list[Finding]:
    """What is told about a table, with the lines that it is about; for a typed file, the rows from 1."""
    told: list[tuple[Finding, int | None]] = []
    for column in columns:
        for note in surveyed.notes[column.name]:
            finding = Finding(code=note.code, column=column.name, count=note.count, detail=note.detail)
            told.append((finding, note.row))
        told += ((finding, None) for finding in _of_column(column))
    for name, (first, count) in surveyed.rows_in_cells.items():
        detail = (
            f"{count:,} {'cell holds' if count == 1 else 'cells hold'} lines that look like rows. If a quote belongs "
            "to the text, double it, or send 'quote' none."
        )
        told.append((Finding(code=FindingCode.ROWS_IN_CELL, column=name, count=count, detail=detail), first))
    if _is_footer(surveyed, columns):
        shown = ", ".join(str(cell) for cell in surveyed.last_row if cell is not None)[:_SHOWN_CHARACTERS]
        detail = f"The last row ({shown}) may be a footer. It was read as a row. Remove it, unless it is one."
        told.append((Finding(code=FindingCode.FOOTER_ROW, count=1, detail=detail), surveyed.rows - 1))
    told += ((finding, None) for finding in _of_table(surveyed, columns))
    del told[_MOST_FINDINGS:]
    dropped = surveyed.repeated_headers
    places = {id(finding): _physical(row, dropped) for finding, row in told if row is not None}
    if dropped:
        finding = Finding(
            code=FindingCode.REPEATED_HEADER,
            count=len(dropped),
            detail=f"{len(dropped):,} lines repeat the names of the columns. They were skipped.",
        )
        told.insert(0, (finding, None))
        places[id(finding)] = dropped[0]
    lines = _lines(surveyed, path, reading, places.values())
    for finding, _ in told:
        if (row := places.get(id(finding))) is not None:
            finding.line = lines.get(row)
    return [finding for finding, _ in told]


def _is_footer(surveyed: Surveyed, columns: list[Column]) -> bool:
    """Whether the last row has a single cell though others are full, or begins as rows of totals and notes do."""
    row, width = surveyed.last_row, len(columns)
    if surveyed.rows < _LEAST_ROWS or width < 2 or not row or not isinstance(row[0], str):
        return False
    if is_typed(row[0]):
        return False
    alone = (
        width > 2
        and all(cell is None for cell in row[1:])
        and all(not 2 * column.missing > surveyed.rows for column in columns)
    )
    return alone or _FOOTER.match(row[0].strip()) is not None


def _physical(row: int, dropped: list[int]) -> int:
    """The place of a row among all rows of the file, also those that are left out."""
    for place in dropped:
        if place > row:
            break
        row += 1
    return row


def _role(column: Column, at: int, rows: int) -> ColumnRole | None:
    if column.unique == 1 and not column.missing and rows > 1:
        return "constant"
    if column.kind is not ColumnKind.INTEGER or column.missing or rows < 2:
        return None
    # Distinct values are counted up to a bound, which itself stands for that many or more.
    many = column.unique >= min(rows, 1_001)
    if _IDENTIFIER.fullmatch(column.name) and many:
        return "identifier"
    if at == 0 and column.name == _UNNAMED and many and column.min is not None and column.max is not None:
        return "identifier" if column.max - column.min + 1 == rows else None
    return None


def _of_column(column: Column) -> list[Finding]:
    found = []
    if column.role == "identifier":
        detail = (
            "Its numbers name the rows, so a training leaves it out. Name it in 'features' of a training to use it."
        )
        found.append(Finding(code=FindingCode.INDEX_COLUMN, column=column.name, count=column.unique, detail=detail))
    if column.role == "constant":
        detail = "All rows have the same value, so a training leaves it out."
        found.append(Finding(code=FindingCode.CONSTANT, column=column.name, detail=detail))
    if column.not_finite:
        detail = (
            f"{column.not_finite:,} {'value is' if column.not_finite == 1 else 'values are'} infinite, or beyond all "
            "numbers of a computer. Such a value counts as missing. Send 'kinds' with category for the column to keep "
            "it."
        )
        found.append(Finding(code=FindingCode.GAP_WORD, column=column.name, count=column.not_finite, detail=detail))
    if column.rounded:
        lost = "1 value has" if column.rounded == 1 else f"{column.rounded:,} values have"
        # Numbers and moments of a typed file are rounded before anything can be said of their column.
        fix = "Write them as strings, and send" if column.cells is not None and column.cells.typed else "Send"
        detail = (
            f"{lost} more digits than are kept, and {'is' if column.rounded == 1 else 'are'} rounded. {fix} 'kinds' "
            "with category or text for the column to keep all digits."
        )
        found.append(Finding(code=FindingCode.DIGITS_LOST, column=column.name, count=column.rounded, detail=detail))
    return found


def _of_table(surveyed: Surveyed, columns: list[Column]) -> list[Finding]:
    found = []
    for name in surveyed.cleaned_names:
        detail = (
            f"The name '{name[:_SHOWN_CHARACTERS]}' had characters that cannot be seen, or letters in parts. They were "
            "removed or put together."
        )
        found.append(Finding(code=FindingCode.LOOK_ALIKE, column=name, detail=detail))
    if len(columns) == 1:
        cause = "No delimiter parts the lines, so the table has one column. Send 'delimiter' if it should have more."
        detail = cause if surveyed.layout is not None else "A model needs a target and at least one more column."
        found.append(Finding(code=FindingCode.ONE_COLUMN, detail=detail))
    if surveyed.duplicates:
        among = "" if surveyed.compared == surveyed.rows else f" among the first {surveyed.compared:,}"
        if surveyed.duplicates == 1:
            detail = f"1 row is the same as another{among}. Remove it unless it is meant."
        else:
            detail = f"{surveyed.duplicates:,} rows are the same as others{among}. Remove them unless they are meant."
        found.append(Finding(code=FindingCode.DUPLICATE_ROWS, count=surveyed.duplicates, detail=detail))
    return found


def _check_unicode(column: Column) -> None:
    try:
        column.model_dump_json().encode()
    except (UnicodeEncodeError, ValueError):
        raise InvalidTable(f"Column '{column.name}' holds text that is not Unicode.") from None
