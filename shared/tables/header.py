"""Finds the line with the names of the columns, or says why it cannot be told."""

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from shared.errors import EmptyTable, HeaderDoubtful, InvalidTable, ReadingRefused
from shared.tables.dialect import Record, is_typed
from shared.tables.findings import Finding, FindingCode
from shared.tables.header_rows import YEARS, columns_of, goes_on, is_data, is_numeric, is_rule, stands_apart, units_row
from shared.tables.options import ReadingOptions

_LOOKED_AT = 200
# A title and the lines below it are no more than these.
_MOST_ABOVE = 20
_MOST_TITLES = 3
_SHOWN_CHARACTERS = 60


class Header(NamedTuple):
    """The names as they are written, the line that they are in, the lines that are skipped, and what is told of it.

    `line` is None where the names were given.
    """

    names: list[str]
    line: int | None
    skipped_lines: list[int]
    findings: list[Finding]


def find_header(records: Iterable[Record], options: ReadingOptions) -> Header:
    """The header of a table with these first records, in which the line `sep=` has no cells.

    Raises:
        EmptyTable: when there are no cells.
        HeaderDoubtful: naming the line that holds data where names should be, or the one that seems to hold them.
        InvalidTable: when each row has one cell more than there are names.
        ReadingRefused: when the options do not fit the records.
    """
    filled = [record for record in islice(records, _LOOKED_AT) if any(cell.strip() for cell in record.cells)]
    if not filled:
        raise EmptyTable("The file is empty. The first line must hold the names of the columns.")
    if options.names is not None:
        return _given(filled, options.names)
    if isinstance(options.header, int):
        at = _place_of_line(filled, options.header)
        return _header(filled, at, [])
    at, findings = _search(filled)
    header = _header(filled, at, findings)
    if len(filled) > at + 1 and is_rule(filled[at + 1]):
        rule = filled.pop(at + 1)
        header.skipped_lines.append(rule.line)
        detail = f"Line {rule.line} only draws a line below the names and was skipped."
        findings.append(Finding(code=FindingCode.HEADER_DOUBTFUL, line=rule.line, count=1, detail=detail))
    units = units_row(filled[at:])
    if units is not None:
        header.skipped_lines.append(units.line)
        said = ", ".join(cell.strip() for cell in units.cells if cell.strip())[:_SHOWN_CHARACTERS]
        findings.append(
            Finding(
                code=FindingCode.UNITS_ROW,
                line=units.line,
                count=1,
                detail=f"Line {units.line} holds units ({said}) and was skipped. Send 'header' {header.line} to "
                "read it as a row.",
            )
        )
    return header


def _given(filled: list[Record], names: list[str]) -> Header:
    width = Counter(len(record.cells) for record in filled).most_common(1)[0][0]
    if len(names) != width:
        raise ReadingRefused(
            f"'names' has {len(names)} names, but the rows have {width} cells; line {filled[0].line} begins "
            f"{_beginning(filled[0])!r}. Send as many names as there are cells."
        )
    return Header(names, None, [], [])


def _place_of_line(filled: list[Record], line: int) -> int:
    for at, record in enumerate(filled):
        if record.line == line:
            return at
    where = f"; the lines with cells are {filled[0].line} to {filled[-1].line}, as far as names are looked for"
    raise ReadingRefused(f"Line {line} holds no names{where}. Send another 'header', or leave it out.")


def _header(filled: list[Record], at: int, findings: list[Finding]) -> Header:
    return Header(filled[at].cells, filled[at].line, [record.line for record in filled[:at]], findings)


def _search(filled: list[Record]) -> tuple[int, list[Finding]]:
    """Which record holds the names, and what is told about it."""
    first, body = filled[0], filled[1:]
    if not body:
        return 0, []
    width = Counter(len(record.cells) for record in body).most_common(1)[0][0]
    like = next((at for at in range(1, min(len(filled), _MOST_ABOVE)) if _names_things(filled, at, width)), None)
    cells = _fitted(first.cells, body, width)
    if cells is not None and like is not None and stands_apart(filled, like):
        raise _not_the_names(first, filled[like])
    alone = sum(bool(cell.strip()) for cell in first.cells) == 1 < width
    if like is not None and (cells is None or alone or _lacks_names(cells, body)):
        return _below_title(filled, like)
    if cells is not None and goes_on(cells, body):
        raise _in_two_lines(first, body[0])
    if cells is None:
        _refuse_row_names(first, body, width)
    if cells is not None and _lacks_names(cells, body) and alone:
        raise _doubtful(first, f"holds one cell only ({_beginning(first)!r}), but the rows below have {width}")
    if cells is not None and is_data(cells, body):
        raise _doubtful(first, f"holds data ({_beginning(first)}) where the names of the columns should be")
    return 0, []


def _below_title(filled: list[Record], at: int) -> tuple[int, list[Finding]]:
    above, record = filled[:at], filled[at]
    titles = [[cell for cell in each.cells if cell.strip()] for each in above]
    is_title = len(above) <= _MOST_TITLES and all(len(cells) == 1 for cells in titles)
    if not is_title or titles[0][0].lstrip().startswith(("#", "%", "//", "--")):
        raise _not_the_names(above[0], record)
    detail = (
        f"Line {above[0].line} holds {titles[0][0].strip()[:_SHOWN_CHARACTERS]!r} only and was taken for a title, line "
        f"{record.line} for the names. Send 'header' with another line if that is wrong."
    )
    return at, [Finding(code=FindingCode.HEADER_DOUBTFUL, line=above[0].line, count=at, detail=detail)]


def _not_the_names(first: Record, record: Record) -> HeaderDoubtful:
    what = f"does not hold the names of the columns ({_beginning(first)!r}); line {record.line} seems to hold them"
    return _doubtful(first, what, line=record.line)


def _in_two_lines(first: Record, record: Record) -> HeaderDoubtful:
    return HeaderDoubtful(
        f"Line {first.line} names groups of columns ({_beginning(first)!r}), and line {record.line} goes on with the "
        f"names. Join the two in one line; 'header' {first.line} takes line {first.line} for the names nevertheless.",
        errors=[{"loc": ["file", first.line], "msg": "the names are in two lines"}],
    )


def _doubtful(record: Record, what: str, *, line: int | None = None) -> HeaderDoubtful:
    fix = (
        f"Send 'header' {line}, or remove the lines above it."
        if line
        else f"Add a line with the names above it, or send 'header' none and the names in 'names'; 'header' "
        f"{record.line} takes it for the names nevertheless."
    )
    return HeaderDoubtful(
        f"Line {record.line} {what}. {fix}",
        errors=[{"loc": ["file", record.line], "msg": "not the names of the columns"}],
    )


def _fitted(cells: list[str], body: list[Record], width: int) -> list[str] | None:
    """The names with as many cells as the rows have, where a delimiter at the end of lines makes the difference."""
    if len(cells) == width:
        return cells
    rows = [record.cells for record in body if len(record.cells) == width]
    if len(cells) == width + 1 and not cells[-1].strip():
        return cells[:-1]
    if len(cells) == width - 1 and not any(row[-1].strip() for row in rows):
        return [*cells, ""]
    return None


def _refuse_row_names(first: Record, body: list[Record], width: int) -> None:
    """Return if the rows do not have the row names of R in front, or cells in single quotes.

    Raises:
        InvalidTable: when they have row names.
        ReadingRefused: when single quotes may make one cell of two.
    """
    rows = [record.cells for record in body if len(record.cells) == width]
    if any(cell.strip().startswith("'") and not cell.strip().endswith("'") for row in rows for cell in row):
        raise ReadingRefused(
            f"The rows have {width} cells where there are {len(first.cells)} names, and some seem to be enclosed in "
            "single quotes. Send 'quote' ' or single, if they are."
        )
    fronts = [row[0].strip() for row in rows if row]
    if len(first.cells) != width - 1 or len(fronts) < 2 or len(set(fronts)) < len(fronts) or "" in fronts:
        return
    title = f"; if that line is a title, send 'header' {body[0].line}" if len(first.cells) == 1 else ""
    raise InvalidTable(
        f"Each row has one cell more than there are names: the first cells ({', '.join(fronts[:3])}, …) name the rows, "
        f"as R writes them. Write the table with row.names = FALSE, or put a name in front of the first line{title}.",
        errors=[{"loc": ["file", first.line], "msg": "the rows have names in front"}],
    )


def refuse_single_quotes(records: list[Record]) -> None:
    """Return if no column has all its cells in single quotes.

    Raises:
        ReadingRefused: when it cannot be told whether these quotes belong to the words.
    """
    filled = [record for record in records[:_LOOKED_AT] if any(cell.strip() for cell in record.cells)]
    for column in columns_of(filled[1:], len(filled[0].cells)) if filled else []:
        cells = [cell for cell in column if cell]
        if len(cells) > 1 and all(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells):
            raise ReadingRefused(
                f"All cells of a column are enclosed in single quotes, such as {cells[0]}. Send 'quote' single if the "
                "quotes are no part of the cells, or double if they are.",
                errors=[{"loc": ["file", filled[1].line], "msg": "single quotes"}],
            )


def _names_things(filled: list[Record], at: int, width: int) -> bool:
    """Whether a record looks like names: all of it words, above a column of numbers at least."""
    cells, body = filled[at].cells, filled[at + 1 :]
    if len(cells) != width or not body or not all(cell.strip() for cell in cells):
        return False
    words = [not is_typed(cell) or (cell.strip().isdigit() and int(cell) in YEARS) for cell in cells]
    if not all(words) or len({cell.strip() for cell in cells}) < width:
        return False
    return any(map(is_numeric, columns_of(body, width)))


def _lacks_names(cells: list[str], body: list[Record]) -> bool:
    """Whether a column that has values lacks a name; the first one may, it often numbers the rows."""
    columns = columns_of(body, len(cells))
    return any(not name.strip() and any(column) for name, column in list(zip(cells, columns, strict=False))[1:])


def _beginning(record: Record) -> str:
    text = ", ".join(cell.strip() for cell in record.cells)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
