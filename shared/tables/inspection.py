"""The reader's child: checks whole files and reads first rows, in a process that may be killed.

It finds `request.json` in its folder and leaves `answer.json` there, with what it found or with the error.
"""

import gc
import json
import os
from pathlib import Path
from typing import Any

import pyarrow.acero  # noqa: F401 - Arrow imports it in the middle of its work; so a fork server has it for all it forks

from shared.errors import InvalidTable, PlatformError, ReadingRefused
from shared.tables.columns import Column
from shared.tables.compared import TableDrift, TableFile
from shared.tables.comparing import compare_tables
from shared.tables.dialect import Dialect, delimiter_said, records_of
from shared.tables.encodings import guess_encoding
from shared.tables.findings import Finding, FindingCode
from shared.tables.header import find_header, refuse_single_quotes
from shared.tables.inspected import Inspection, Preview, TableLimits, TableProfile
from shared.tables.loading import first_rows
from shared.tables.number_columns import OTHER_MARK, Marks
from shared.tables.options import ReadingOptions
from shared.tables.profiling import profile_table
from shared.tables.reading import Reading
from shared.tables.relating import relate
from shared.tables.relations import Relations
from shared.tables.results import contradiction, findings_of, finished_columns
from shared.tables.sheet_header import sheet_reading
from shared.tables.sketch import rows_looked_at
from shared.tables.sniffing import detect, text_lines, text_sample
from shared.tables.survey import Contradiction, Survey
from shared.tables.text import NotUtf8

_NICE = 10
_NO_USE = {
    "parquet": {"delimiter", "quote", "header", "names", "encoding"},
    "jsonl": {"delimiter", "quote", "header", "names"},
    "xlsx": {"delimiter", "quote", "encoding"},
}


def main(folder: Path) -> None:
    """Answer the request in a folder."""
    # Predictions have priority over the reading of files.
    os.nice(_NICE)
    # What the modules made stays as long as the child lives: no need to look for garbage in it.
    gc.freeze()
    # The end of what a child says is kept; a backtrace of a library in Rust would leave no room for the cause.
    os.environ["RUST_BACKTRACE"] = "0"
    request = json.loads((folder / "request.json").read_text())
    try:
        answer: dict[str, Any] = {"found": _answer(request).model_dump(mode="json")}
    except PlatformError as error:
        answer = {
            "error": {"code": error.code, "detail": error.detail, "errors": error.errors, "members": error.members}
        }
    (folder / "answer.json").write_text(json.dumps(answer))


def inspect(path: Path, limits: TableLimits, options: ReadingOptions | None = None) -> Inspection:
    """Check a whole file, chunk by chunk, and say how it is read and what is in it; `options` have the last word.

    Raises:
        InvalidTable: when it is not a table, with the line where there is one; DuplicateColumns, EmptyTable and
            TableTooLarge likewise.
        HeaderDoubtful, ReadingRefused: when it cannot be told how it is meant, or the options do not fit it.
    """
    said = options or ReadingOptions()
    try:
        return _inspect(path, limits, said, [])
    except NotUtf8:
        pass
    compression = "gzip" if _starts_compressed(path) else None
    guess = guess_encoding(path, compression)
    finding = Finding(
        code=FindingCode.ENCODING_GUESSED,
        line=guess.line,
        count=guess.lines,
        detail=f"The file is not UTF-8. It was read as {guess.encoding}, so that line {guess.line} has {guess.word!r}. "
        "Send 'encoding' if such words are wrong.",
    )
    return _inspect(path, limits, said.model_copy(update={"encoding": guess.encoding}), [finding])


def _answer(request: dict[str, Any]) -> Inspection | Preview | TableProfile | TableDrift | Relations:
    path = Path(request["path"])
    if request["act"] == "inspect":
        options = ReadingOptions.model_validate(request.get("options", {}))
        return inspect(path, TableLimits.model_validate(request["limits"]), options)
    table = _table(request)
    _, reading, columns = table
    if request["act"] == "profile":
        return profile_table(path, reading, columns)
    if request["act"] == "relate":
        return relate(table, request["target"])
    if request["act"] == "compare":
        return compare_tables(table, _table(request["other"]))
    return first_rows(path, reading, columns=columns, rows=request["rows"], partial=request["partial"])


def _table(told: dict[str, Any]) -> TableFile:
    columns = [Column.model_validate(column) for column in told["columns"]]
    return TableFile(Path(told["path"]), Reading.model_validate(told["reading"]), columns)


def _starts_compressed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _inspect(path: Path, limits: TableLimits, options: ReadingOptions, findings: list[Finding]) -> Inspection:
    reading = detect(path, limits, options)
    if reading.format == "jsonl" and findings:
        raise InvalidTable("JSON has to be UTF-8, and this is not. Save the file as UTF-8.")
    if reading.delimiter is not None:
        reading, told = _with_header(path, reading, limits, options)
        findings = [*findings, *told]
    elif reading.format == "xlsx":
        _check_fit(reading, options)
        reading, findings = sheet_reading(path, reading, limits, options)
        # Numbers that stand among texts are written with the mark that the texts have.
        decimal = options.decimal or OTHER_MARK.get(options.thousands or "", ".")
        reading = reading.model_copy(update={"decimal": "," if decimal == "," else None})
        options = options.model_copy(update={"decimal": decimal})
    else:
        _check_fit(reading, options)
    reading = reading.model_copy(update={"gap_words": options.gap_words, "kinds": options.kinds or {}})
    survey = Survey(path, reading, limits, options)
    try:
        surveyed = survey.run()
    except Contradiction as error:
        raise contradiction(error, survey.found, path, reading) from None
    columns = finished_columns(surveyed, options)
    if reading.delimiter is not None:
        reading = reading.model_copy(update=_marks(surveyed.marks, columns))
    findings += findings_of(surveyed, columns, path, reading)
    profile = TableProfile(
        rows_looked_at=rows_looked_at(surveyed.rows, columns=len(surveyed.columns)),
        columns={column.name: surveyed.sketches[column.name] for column in columns},
        # A column that a delimiter at the end of each line made is not among them.
        first_rows=Preview(
            columns=[column.name for column in columns],
            rows=[row[: len(columns)] for row in surveyed.first_rows],
        ),
    )
    return Inspection(reading=reading, rows=surveyed.rows, columns=columns, findings=findings, profile=profile)


def _with_header(
    path: Path, reading: Reading, limits: TableLimits, options: ReadingOptions
) -> tuple[Reading, list[Finding]]:
    """The reading with the place of the names, and what is told about it."""
    lines = text_lines(text_sample(path, reading, limits))
    skipped = []
    if delimiter_said(lines):
        lines[0] = "\n"
        skipped.append(1)
    records = list(records_of(lines, Dialect.stored(reading)))
    header = find_header(records, options)
    if options.quote is None:
        refuse_single_quotes(records)
    update = {
        "header_line": header.line,
        "names": options.names,
        "skipped_lines": [*skipped, *header.skipped_lines],
    }
    return reading.model_copy(update=update), header.findings


def _check_fit(reading: Reading, options: ReadingOptions) -> None:
    """Return if the options are not about what files of this format do not have.

    Raises:
        ReadingRefused: naming the ones that are.
    """
    foreign = _NO_USE[reading.format]
    said = [name for name in options.model_dump(exclude_none=True) if name in foreign]
    if said:
        fields = " and ".join(f"'{name}'" for name in said)
        raise ReadingRefused(f"The file is {reading.format}, which has no use for {fields}. Leave that out.")


def _marks(marks: Marks, columns: list[Column]) -> dict[str, str | None]:
    """The marks of numbers in most columns."""
    parted = (column.cells.thousands for column in columns if column.cells is not None and column.cells.thousands)
    return {
        "decimal": marks.said_decimal or marks.decimal or ".",
        "thousands": marks.said_thousands or next(parted, None),
    }
