"""Which sheet of a workbook is read, where its names are, and what is told of both."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from shared.tables.dialect import Record
from shared.tables.findings import Finding, FindingCode
from shared.tables.header import Header, find_header
from shared.tables.inspected import TableLimits
from shared.tables.names import clean_name
from shared.tables.options import ReadingOptions
from shared.tables.reading import Reading
from shared.tables.sheet_columns import is_blank, plain_text
from shared.tables.sheet_scan import SheetScan, letters_of
from shared.tables.workbook import Range, Sheet, find_sheet, open_sheet

_LOOKED_AT = 400
_SHOWN_SHEETS = 5
_MOST_COLUMNS = 100


def sheet_reading(
    path: Path, reading: Reading, limits: TableLimits, options: ReadingOptions
) -> tuple[Reading, list[Finding]]:
    """The reading of a workbook with its sheet and the row of the names, and what is told about them.

    Raises:
        EmptyTable: when no sheet has cells.
        HeaderDoubtful: when it cannot be told which row holds the names.
        InvalidTable: when the workbook is damaged.
        ReadingRefused: when the options do not fit it.
        TableTooLarge: when it is over a limit.
    """
    found = find_sheet(path, limits)
    sheet = open_sheet(path, found.name)
    columns, records = _records(islice(sheet, _LOOKED_AT))
    header = find_header(records, options)
    names = [clean_name(name) or f"column_{at}" for at, name in enumerate(header.names, start=1)]
    update = {
        "sheet": found.name,
        "header_line": header.line,
        "names": options.names,
        "skipped_lines": header.skipped_lines,
    }
    findings = [
        *_of_others(found.name, found.others),
        *header.findings,
        *_of_merged(sheet, header),
        *_of_formulas(found.scan),
        *_of_errors(found.scan, {sheet.left + at: name for at, name in zip(columns, names, strict=False)}),
    ]
    return reading.model_copy(update=update), findings


def _records(rows: Iterable[tuple[int, list[object]]]) -> tuple[list[int], list[Record]]:
    """Which columns the first rows have cells in, and the rows with these alone; a title may be beside them."""
    texts = [(number, ["" if is_blank(cell) else plain_text(cell) for cell in cells]) for number, cells in rows]
    filled = [[at for at, text in enumerate(cells) if text] for _, cells in texts]
    used = sorted({at for each in filled if len(each) > 1 for at in each} or {at for each in filled for at in each})
    records = []
    for (number, cells), places in zip(texts, filled, strict=True):
        kept = [cells[at] for at in used]
        if len(places) == 1 and places[0] not in used:
            kept[0] = cells[places[0]]
        records.append(Record(number, kept, number))
    return used, records


def _of_others(name: str, others: list[str]) -> list[Finding]:
    if not others:
        return []
    said = ", ".join(f"'{other}'" for other in others[:_SHOWN_SHEETS]) + (", …" if others[_SHOWN_SHEETS:] else "")
    detail = f"Only the sheet '{name}' was read, not {said}. Save another one as a file of its own to upload it."
    return [Finding(code=FindingCode.OTHER_SHEETS, count=len(others), detail=detail)]


def _of_merged(sheet: Sheet, header: Header) -> list[Finding]:
    """What is told of merged cells among the names and the rows; titles above are often merged."""
    first = header.line or 1
    ranges = sorted(each for each in sheet.merged if each[1][0] + 1 >= first and each[0] != each[1])
    if not ranges:
        return []
    detail = (
        f"Cells are merged, such as {_place(ranges[0])}. The first cell of such a range has its value, and the others "
        "count as missing. Unmerge them and write the value into each cell, if it holds for all of them."
    )
    return [Finding(code=FindingCode.MERGED_CELLS, line=ranges[0][0][0] + 1, count=len(ranges), detail=detail)]


def _place(cells: Range) -> str:
    return ":".join(f"{letters_of(column)}{row + 1}" for row, column in cells)


def _of_formulas(scan: SheetScan) -> list[Finding]:
    if scan.formula is None:
        return []
    row, column = scan.formula
    detail = (
        f"The file lacks the value of {scan.formulas:,} formula{'s' * (scan.formulas > 1)}, such as that in "
        f"{column}{row}. Such a cell counts as missing. Open the workbook in a spreadsheet program, which computes "
        "them, and save it."
    )
    return [Finding(code=FindingCode.FORMULA_WITHOUT_VALUE, line=row, count=scan.formulas, detail=detail)]


def _of_errors(scan: SheetScan, names: dict[int, str]) -> list[Finding]:
    findings = []
    for column, errors in islice(sorted(scan.errors.items()), _MOST_COLUMNS):
        said = ", ".join(f"{word!r} ({count:,})" for word, count in errors.words.most_common(_SHOWN_SHEETS))
        place = f"{letters_of(column)}{errors.row}"
        finding = Finding(
            code=FindingCode.GAP_WORD,
            column=names.get(column),
            line=errors.row,
            count=errors.words.total(),
            detail=f"Cells with an error count as missing: {said}, the first in {place}. Correct their formulas.",
        )
        findings.append(finding)
    return findings
