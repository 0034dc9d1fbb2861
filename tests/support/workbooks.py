"""Small factory of Excel workbooks."""

import io
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

import openpyxl

Change = Callable[[Any], object]


def workbook(rows: Iterable[Any], change: Change | None = None, **others: Iterable[Any]) -> bytes:
    """A workbook whose sheet `Data` has these rows, and other sheets by their names; `change` is done to its sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    for row in rows:
        sheet.append(list(row))
    for name, cells in others.items():
        other = book.create_sheet(name)
        for row in cells:
            other.append(list(row))
    if change is not None:
        change(sheet)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook with one of its parts changed."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            data = old.read(part)
            new.writestr(part.filename, change(data) if part.filename == name else data)
    return changed.getvalue()
