"""Small factory of files that are tables, and what the check of an upload finds in them."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from shared.tables.columns import Column
from shared.tables.inspected import Inspection, TableLimits
from shared.tables.inspection import inspect
from shared.tables.loading import read_table

IRIS = Path(__file__).parents[2] / "shared" / "datasets" / "data" / "iris.csv"


def check(folder: Path, content: bytes | str, **limits: Any) -> Inspection:
    """What the check finds in a file with this content."""
    path = folder / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return inspect(path, TableLimits(**limits))


def load(folder: Path, content: bytes | str) -> tuple[Inspection, pd.DataFrame]:
    """The same, and the table as it is read afterwards; the two are held against each other."""
    found = check(folder, content)
    table = read_table(folder / "upload", found.reading, columns=found.columns)
    assert len(table) == found.rows
    assert list(table.columns) == [column.name for column in found.columns]
    for column in found.columns:
        assert table[column.name].isna().sum() == column.missing, column
    return found, table


def column(found: Inspection, name: str) -> Column:
    """One column by its name."""
    return next(column for column in found.columns if column.name == name)


def kinds(found: Inspection) -> dict[str, str]:
    """The kind of each column."""
    return {column.name: column.kind.value for column in found.columns}


def parquet(columns: dict[str, Any]) -> bytes:
    """A Parquet file."""
    file = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), file)
    return file.getvalue()


def broken_text() -> Any:
    """Three strings for Arrow, of which the second is not UTF-8."""
    cells = pa.array([b"ok", b"\xff", b"ok"])
    return pa.StringArray.from_buffers(len(cells), *cells.buffers()[1:])


def zipped(name: str) -> bytes:
    """A ZIP archive with one file of that name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "a,b\n1,2\n")
    return file.getvalue()


def described(found: Inspection) -> dict[str, Any]:
    """What is found in a file, as far as it says how the file is read."""
    reading = found.reading.model_dump(exclude_defaults=True)
    return {
        "reading": reading,
        "rows": found.rows,
        "columns": {
            each.name: [
                "/".join(filter(None, (each.kind.value, each.format, each.role))),
                f"{each.missing} missing, {each.unique} different",
                each.examples[:3],
                [each.min, each.max],
            ]
            for each in found.columns
        },
        "findings": [[each.code.value, each.column, each.line, each.count] for each in found.findings],
    }
