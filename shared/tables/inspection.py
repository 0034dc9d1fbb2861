"""The reader's child: checks whole files and reads first rows, in a process that may be killed.

It finds `request.json` in its folder and leaves `answer.json` there, with the findings or with the error.
"""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa

from shared.errors import EmptyTable, InvalidTable, PlatformError
from shared.tables.chunks import Chunks, open_chunks
from shared.tables.columns import Column, unique_bound
from shared.tables.inspected import Inspection, Preview, TableLimits
from shared.tables.loading import first_rows
from shared.tables.profile import ColumnProfile
from shared.tables.reading import Reading
from shared.tables.sniffing import detect
from shared.tables.text import NotUtf8

_NICE = 10


def main(folder: Path) -> None:
    """Answer the request in a folder."""
    # Predictions have priority over the reading of files.
    os.nice(_NICE)
    # Arrow's own allocators reserve address space in advance, which the cap on it would count.
    pa.set_memory_pool(pa.system_memory_pool())
    request = json.loads((folder / "request.json").read_text())
    try:
        answer: dict[str, Any] = {"found": _answer(request).model_dump(mode="json")}
    except PlatformError as error:
        answer = {
            "error": {"code": error.code, "detail": error.detail, "errors": error.errors, "members": error.members}
        }
    (folder / "answer.json").write_text(json.dumps(answer))


def inspect(path: Path, limits: TableLimits) -> Inspection:
    """Check a whole file, chunk by chunk, and say what is in it.

    Raises:
        InvalidTable: when it is not a table, with the line where there is one; DuplicateColumns, EmptyTable and
            TableTooLarge likewise.
    """
    reading = detect(path, limits)
    try:
        return _inspect_as(path, reading, limits)
    except NotUtf8:
        return _inspect_as(path, reading.model_copy(update={"encoding": "latin-1"}), limits)


def _answer(request: dict[str, Any]) -> Inspection | Preview:
    path = Path(request["path"])
    if request["act"] == "inspect":
        return inspect(path, TableLimits.model_validate(request["limits"]))
    return first_rows(
        path,
        Reading.model_validate(request["reading"]),
        columns=[Column.model_validate(column) for column in request["columns"]],
        rows=request["rows"],
        partial=request["partial"],
    )


def _inspect_as(path: Path, reading: Reading, limits: TableLimits) -> Inspection:
    with open_chunks(path, reading, limits) as chunks:
        rows, profiles = _profile(chunks)
        # A delimiter at the end of each line is not a column.
        for _ in range(chunks.unnamed_tail):
            if profiles and profiles[-1].is_empty:
                profiles.pop()
    if not rows:
        raise EmptyTable("The table has no rows. It needs at least a line with the names of the columns and one row.")
    if not profiles:
        raise EmptyTable("The table has no columns.")
    columns = _finished(profiles)
    for column in columns:
        column.rounded += chunks.rounded[column.name]
    return Inspection(reading=reading, rows=rows, columns=columns)


def _profile(chunks: Chunks) -> tuple[int, list[ColumnProfile]]:
    rows = 0
    profiles: list[ColumnProfile] = []
    for batch in chunks:
        bound = unique_bound(len(chunks.names))
        profiles += [
            ColumnProfile(name, typed=chunks.typed, decimal_comma=chunks.decimal_comma, bound=bound, rows_before=rows)
            for name in chunks.names[len(profiles) :]
        ]
        for profile, cells in zip(profiles, batch.columns, strict=True):
            profile.add(cells)
        rows += batch.num_rows
    return rows, profiles


def _finished(profiles: list[ColumnProfile]) -> list[Column]:
    columns = [profile.finish() for profile in profiles]
    for column in columns:
        try:
            column.model_dump_json().encode()
        except (UnicodeEncodeError, ValueError):
            raise InvalidTable(f"Column '{column.name}' holds text that is not Unicode.") from None
    return columns
