"""What a file is, told from its bytes and never from its name."""

import codecs
import gzip
import json
import zlib
from pathlib import Path

from shared.errors import EmptyTable, InvalidTable, ReadingRefused
from shared.tables.dialect import find_dialect
from shared.tables.foreign import SUPPORTED, is_binary, recognise, refuse_foreign
from shared.tables.inspected import TableLimits
from shared.tables.options import ReadingOptions
from shared.tables.reading import Reading
from shared.tables.text import TextFile
from shared.tables.workbook import is_workbook

SAMPLE_BYTES = 256 * 1024
# Long enough for the footer's length and the mark behind it.
_TAIL_BYTES = 8

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def detect(path: Path, limits: TableLimits, options: ReadingOptions | None = None) -> Reading:
    """How to read the file, judged by its first 256 KiB; where the names are is for `header.find_header` to tell.

    The encoding is UTF-8 unless a mark, the options or these bytes say otherwise. A later byte may show that it is not.

    Raises:
        EmptyTable: when nothing but blanks is there.
        InvalidTable: when it is a file of another kind, saying how to make a table of it.
        ReadingRefused: when its lines cannot be parted into cells, or it is not in the encoding of the options.
        NotUtf8: when the encoding has to be guessed.
    """
    said = options or ReadingOptions()
    reading, lines = detect_format(path, limits, said)
    if reading.format != "csv":
        return reading
    dialect = find_dialect(lines, said)
    return reading.model_copy(update=dialect._asdict() | {"format": "tsv" if dialect.delimiter == "\t" else "csv"})


def detect_format(path: Path, limits: TableLimits, said: ReadingOptions) -> tuple[Reading, list[str]]:
    """All of `detect` but what parts the lines of delimited text, whose first lines come with it.

    Raises:
        EmptyTable, InvalidTable, NotUtf8: as `detect`.
        ReadingRefused: when it is not in the encoding of the options, or in UTF-16 without a mark.
    """
    start = _first_bytes(path)
    if start.startswith(b"PAR1") and (is_binary(start) or _last_bytes(path).endswith(b"PAR1")):
        return Reading(format="parquet"), []
    if is_workbook(path, start):
        return Reading(format="xlsx"), []
    compression = "gzip" if start.startswith(b"\x1f\x8b") else None
    inside = _first_bytes_inside(path) if compression else start
    mark = _marked(inside)
    if mark is None and said.encoding is None:
        refuse_foreign(inside, inside=compression)
        _refuse_binary(inside)
    encoding = said.encoding or mark or "utf-8"
    reading = Reading.model_validate({"format": "csv", "encoding": encoding, "compression": compression})
    sample = text_sample(path, reading, limits)
    if not sample.strip():
        raise EmptyTable("The file is empty. The first line must hold the names of the columns.")
    if said.delimiter is None and _is_json_lines(sample):
        return reading.model_copy(update={"format": "jsonl"}), []
    return reading, text_lines(sample)


def marked_encoding(path: Path) -> str | None:
    """The encoding that a mark at the beginning of a text names, which may be in gzip; None without a mark."""
    inside = _inside(path)
    return "utf-8" if inside.startswith(codecs.BOM_UTF8) else _marked(inside)


def foreign_kind(path: Path) -> str | None:
    """What a file is that is no table, as a sentence names it; None if it may be text."""
    inside = _inside(path)
    return recognise(inside)[0] or ("binary" if is_binary(inside.replace(b"\0", b"")) else None)


def _inside(path: Path) -> bytes:
    start = _first_bytes(path)
    return _first_bytes_inside(path) if start.startswith(b"\x1f\x8b") else start


def _marked(start: bytes) -> str | None:
    return next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)


def _refuse_binary(start: bytes) -> None:
    evens, odds = start[::2].count(0), start[1::2].count(0)
    if 3 * max(evens, odds) > len(start) and 10 * min(evens, odds) < len(start):
        said = "utf-16-le" if odds > evens else "utf-16-be"
        raise ReadingRefused(
            f"The file seems to be text in UTF-16 without a mark. Send 'encoding' {said}, or save it as UTF-8."
        )
    # A few control characters in a table are reported later, with their line, and NUL among them.
    if is_binary(start.replace(b"\0", b"")):
        raise InvalidTable(f"The file is binary, not text. Supported are {SUPPORTED}.")


def text_sample(path: Path, reading: Reading, limits: TableLimits) -> bytes:
    """The first 256 KiB of a text as UTF-8; a binary file is not refused by its first control character.

    Raises:
        NotUtf8, ReadingRefused: when it is not in the encoding of the reading.
    """
    with TextFile(path, reading, limits.model_copy(update={"controls": True})) as text:
        return text.read(SAMPLE_BYTES)


def text_lines(sample: bytes) -> list[str]:
    """The whole lines of a beginning of a text."""
    lines = sample.splitlines(keepends=True)
    if len(sample) >= SAMPLE_BYTES and len(lines) > 1:
        lines.pop()
    return [line.decode("utf-8", "replace") for line in lines]


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(SAMPLE_BYTES)


def _last_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
        return file.read()


def _first_bytes_inside(path: Path) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(SAMPLE_BYTES)
    except (OSError, EOFError, zlib.error):
        # A damaged file is refused with its reason once it is read as text.
        return b""


def is_json(lines: list[str]) -> bool:
    """Whether a text with these first lines is meant to be JSON, in whatever form."""
    try:
        return _is_json_lines("".join(lines).encode())
    except InvalidTable:
        return True


def _is_json_lines(sample: bytes) -> bool:
    """Whether each line is a JSON object.

    Raises:
        InvalidTable: when it is JSON of another form.
    """
    start = sample.lstrip()
    line = (start.splitlines() or [b""])[0].strip()
    if line in {b"[", b"[{"} or line.startswith((b"[{", b"[[")):
        raise InvalidTable("The file holds one JSON array. Write each row as one JSON object in a line of its own.")
    if not start.startswith(b"{"):
        return False
    if line == b"{":
        raise InvalidTable("The JSON object goes over several lines. Write each row as one object in one line.")
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        # What begins like `{"` is meant to be JSON; its reader says which line is wrong.
        return line[1:].lstrip().startswith((b'"', b"}"))
