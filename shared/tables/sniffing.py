"""What a file is, told from its bytes and never from its name."""

import gzip
import json
import re
import zlib
from itertools import islice
from pathlib import Path

from shared.errors import EmptyTable, InvalidTable
from shared.tables.controls import CONTROLS
from shared.tables.header import parse_records
from shared.tables.inspected import TableLimits
from shared.tables.reading import Reading
from shared.tables.text import NotUtf8, TextFile

DELIMITERS = (",", ";", "\t", "|")

_SAMPLE_BYTES = 256 * 1024
_SAMPLE_RECORDS = 200

# Text has few of these or none. ESC is not among them: encodings such as ISO-2022-JP use it often.
_BINARY = CONTROLS.replace(b"\x1b", b"")

_FEW_CONTROLS = 4


_ZIP = b"PK\x03\x04"
_EXPORT = "Export the table as CSV and upload that"
# First bytes -> what the file is and how to get a table out of it.
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "a PNG image", "Upload the table that it shows as CSV"),
    (b"\xff\xd8\xff", "a JPEG image", "Upload the table that it shows as CSV"),
    (b"GIF8", "a GIF image", "Upload the table that it shows as CSV"),
    (b"%PDF", "a PDF document", _EXPORT),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Office file", "Open it and save the sheet as CSV"),
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
    (b"PAR1", "a Parquet file inside gzip", "Decompress it; Parquet is compressed by itself"),
    (b"\x7fELF", "a program", "Upload a table as CSV, Parquet or JSON Lines"),
    (b"\xff\xfe", "text in UTF-16", "Save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16", "Save it as UTF-8"),
)
_MARKUP = re.compile(rb"\s*<(!doctype|html|\?xml|head|body|table|svg)\b", re.IGNORECASE)


def detect(path: Path, limits: TableLimits) -> Reading:
    """How to read the file, judged by its first 256 KiB.

    The encoding is UTF-8 if these bytes are valid UTF-8; `inspection.inspect` reads the file as Latin-1 if a later
    byte shows that it is.

    Raises:
        EmptyTable: when nothing but blanks is there.
        InvalidTable: when it is a file of another kind, saying how to make a table of it.
    """
    start = _first_bytes(path)
    if start.startswith(b"PAR1"):
        return Reading(format="parquet")
    compression = "gzip" if start.startswith(b"\x1f\x8b") else None
    refuse_foreign(_first_bytes_inside(path) if compression else start, inside=compression)
    reading = Reading.model_validate({"format": "csv", "encoding": "utf-8", "compression": compression})
    try:
        sample = _sample(path, reading, limits)
    except NotUtf8:
        reading = reading.model_copy(update={"encoding": "latin-1"})
        sample = _sample(path, reading, limits)
    if not sample.strip():
        raise EmptyTable("The file is empty. The first line must hold the names of the columns.")
    if _is_json_lines(sample):
        if reading.encoding != "utf-8":
            raise InvalidTable("JSON has to be UTF-8, and this is not. Save the file as UTF-8.")
        return reading.model_copy(update={"format": "jsonl"})
    _refuse_binary(sample)
    delimiter = _delimiter(sample)
    return reading.model_copy(update={"format": "tsv" if delimiter == "\t" else "csv", "delimiter": delimiter})


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_SAMPLE_BYTES)


def _first_bytes_inside(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(_SAMPLE_BYTES)
    except (OSError, EOFError, zlib.error):
        # A damaged file is refused with its reason once it is read as text.
        return b""


def _refuse_binary(sample: bytes) -> None:
    controls = len(sample) - len(sample.translate(None, delete=_BINARY))
    # A few control characters in a table are reported later, with their line.
    if controls > _FEW_CONTROLS + 0.01 * len(sample):
        raise InvalidTable("The file is binary, not text. Supported are CSV, TSV, Parquet and JSON Lines.")


def _sample(path: Path, reading: Reading, limits: TableLimits) -> bytes:
    # A binary file is reported as binary, not by its first control character.
    with TextFile(path, reading, limits.model_copy(update={"controls": True})) as text:
        return text.read(_SAMPLE_BYTES)


def _is_json_lines(sample: bytes) -> bool:
    """Whether each line is a JSON object.

    Raises:
        InvalidTable: when it is JSON of another form.
    """
    start = sample.lstrip()
    if start.startswith((b"[{", b"[\n", b"[\r\n", b"[ ", b"[[")):
        raise InvalidTable("The file holds one JSON array. Write each row as one JSON object in a line of its own.")
    if not start.startswith(b"{"):
        return False
    line = start.splitlines()[0].strip()
    if line == b"{":
        raise InvalidTable("The JSON object goes over several lines. Write each row as one object in one line.")
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        # What begins like `{"` is meant to be JSON; its reader says which line is wrong.
        return line[1:].lstrip().startswith((b'"', b"}"))


def _delimiter(sample: bytes) -> str:
    """The delimiter that splits the header, and most rows into as many fields; the comma if none does."""
    lines = sample.splitlines(keepends=True)
    if len(sample) >= _SAMPLE_BYTES and len(lines) > 1:
        lines.pop()
    best = (0.0, 0, ",")
    for delimiter in DELIMITERS:
        share, width = _fit(lines, delimiter)
        if width > 1 and (share, width) > best[:2]:
            best = (share, width, delimiter)
    return best[2]


def _fit(lines: list[bytes], delimiter: str) -> tuple[float, int]:
    """Which share of the records has as many fields as the header, and how many these are."""
    widths = [len(record) for record, _ in islice(parse_records(lines, delimiter), _SAMPLE_RECORDS)]
    if len(widths) < 2:
        return 1.0, sum(widths)
    return sum(width == widths[0] for width in widths[1:]) / (len(widths) - 1), widths[0]


def refuse_foreign(start: bytes, *, inside: str | None = None) -> None:
    """Return if the first bytes of a file may be those of delimited text or JSON Lines.

    Raises:
        InvalidTable: saying what the file is and what to do with it.
    """
    what, hint = _recognise(start)
    if what:
        where = f"The {inside} file holds something else: it is" if inside else "The file is not a table: it is"
        raise InvalidTable(f"{where} {what}. {hint}. Supported are CSV, TSV, Parquet and JSON Lines.")


def _recognise(start: bytes) -> tuple[str, str]:
    if start.startswith(_ZIP):
        if b"xl/" in start or b"[Content_Types].xml" in start:
            return "an Excel workbook", "Open it and save the sheet as CSV"
        return "a ZIP archive", "Unpack it and upload the table in it, as it is or compressed with gzip"
    if _MARKUP.match(start.removeprefix(b"\xef\xbb\xbf")):
        return "HTML or XML, perhaps a page with an error or a login", _EXPORT
    if start[257:262] == b"ustar":
        return "a tar archive", "Unpack it and upload the table in it"
    for beginning, what, hint in _STARTS:
        if start.startswith(beginning):
            return what, hint
    return "", ""
