"""Files that are not tables, told from their bytes and never from their names."""

import re

from shared.errors import InvalidTable
from shared.tables.controls import CONTROLS

# Text has few of these or none. ESC is not among them: encodings such as ISO-2022-JP use it often.
_BINARY = CONTROLS.replace(b"\x1b", b"")
_FEW_CONTROLS = 4
# Some formats begin with letters, as the name of a column may; their next bytes are not text.
_LETTERS_BYTES = 512

SUPPORTED = "CSV, TSV, Parquet, JSON Lines and Excel workbooks (.xlsx)"

_ZIP = b"PK\x03\x04"
_EXPORT = "Export the table as CSV and upload that"
# First bytes -> what the file is and how to get a table out of it.
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "a PNG image", "Upload the table that it shows as CSV"),
    (b"\xff\xd8\xff", "a JPEG image", "Upload the table that it shows as CSV"),
    (b"GIF8", "a GIF image", "Upload the table that it shows as CSV"),
    (b"%PDF", "a PDF document", _EXPORT),
    (
        b"\xd0\xcf\x11\xe0",
        "an Excel workbook in the form before 2007, or one with a password, or another file of Office",
        "Open it and save it as .xlsx without a password, or the sheet as CSV",
    ),
    (b"SQLite format 3", "an SQLite database", _EXPORT),
    (b"\x89HDF", "an HDF5 file", _EXPORT),
    (b"ARROW1", "an Arrow (Feather) file", "Save the table as Parquet or CSV"),
    (b"FEA1", "a Feather file", "Save the table as Parquet or CSV"),
    (b"ORC", "an ORC file", "Save the table as Parquet or CSV"),
    (b"Obj\x01", "an Avro file", "Save the table as Parquet or CSV"),
    (b"\x93NUMPY", "a NumPy array", "Save it as CSV with a line of column names"),
    (b"\x80\x04\x95", "a pickle, which is never read here", "Save the table as Parquet or CSV"),
    (b"\x80\x05\x95", "a pickle, which is never read here", "Save the table as Parquet or CSV"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "Decompress it, or compress it with gzip"),
    (b"BZh", "a bzip2 file", "Decompress it, or compress it with gzip"),
    (b"\xfd7zXZ", "an xz file", "Decompress it, or compress it with gzip"),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it and upload the table in it"),
    (b"Rar!", "a RAR archive", "Unpack it and upload the table in it"),
    (b"\x1f\x8b", "compressed twice", "Decompress it once"),
    (b"PAR1", "a Parquet file", "Upload it without gzip: Parquet is compressed by itself"),
    (b"\x7fELF", "a program", "Upload a table as CSV, Parquet or JSON Lines"),
)
# What the first bytes of an archive hold that is a document.
_ZIPPED: tuple[tuple[bytes, str, str], ...] = (
    (b"xl/workbook.bin", "a binary Excel workbook", "Open it and save it as .xlsx, or the sheet as CSV"),
    (b"xl/", "an Excel workbook", "Upload it without gzip, or open it and save the sheet as CSV"),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet", "Open it and save it as .xlsx, or the sheet as CSV"),
    (b"[Content_Types].xml", "a document of Office", "Open it and save the table in it as CSV"),
)
_MARKUP = re.compile(rb"\s*<(!doctype|html|\?xml|head|body|table|svg)\b", re.IGNORECASE)


def refuse_foreign(start: bytes, *, inside: str | None = None) -> None:
    """Return if the first bytes of a file may be those of delimited text or JSON Lines.

    Raises:
        InvalidTable: saying what the file is and what to do with it.
    """
    what, hint = recognise(start)
    if what:
        where = f"The {inside} file holds something else: it is" if inside else "The file is not a table: it is"
        raise InvalidTable(f"{where} {what}. {hint}. Supported are {SUPPORTED}.")


def recognise(start: bytes) -> tuple[str, str]:
    """What a file with these first bytes is, and how to get a table out of it; empty if it may be one."""
    if start.startswith(_ZIP):
        for mark, what, hint in _ZIPPED:
            if mark in start:
                return what, hint
        return "a ZIP archive", "Unpack it and upload the table in it, as it is or compressed with gzip"
    if _is_markup(start.removeprefix(b"\xef\xbb\xbf")):
        return "HTML or XML, perhaps a page with an error or a login", _EXPORT
    if start[257:262] == b"ustar":
        return "a tar archive", "Unpack it and upload the table in it"
    for beginning, what, hint in _STARTS:
        if start.startswith(beginning) and (not beginning.isalnum() or is_binary(start[:_LETTERS_BYTES])):
            return what, hint
    return "", ""


def is_binary(sample: bytes) -> bool:
    """Whether some bytes of a file are not those of a text; a few control characters may be."""
    controls = len(sample) - len(sample.translate(None, delete=_BINARY))
    return b"\0" in sample or controls > _FEW_CONTROLS + 0.01 * len(sample)


def _is_markup(start: bytes) -> bool:
    found = _MARKUP.match(start)
    if found is None:
        return False
    # A table may have a column of the name `<table>`.
    line = start.lstrip().split(b"\n", 1)[0].strip()
    return not re.fullmatch(rb"[^<>,;\t|]*<[a-z]+>[^<>]*[,;\t|][^<>]*", line, re.IGNORECASE)
