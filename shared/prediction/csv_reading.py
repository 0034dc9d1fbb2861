"""How a CSV file of rows to predict for is read, told from its bytes as that of an upload is.

What was said and found of the table that the model learnt from is followed where it fits the file: the same raw rows
mean the same. `csv_header` does so for delimiter, quote and names, of which only the columns of the model tell whether
they fit.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.errors import InvalidTable, ReadingRefused
from shared.tables.dialect import Dialect, find_dialect
from shared.tables.encodings import guess_encoding
from shared.tables.inspected import TableLimits
from shared.tables.options import ReadingOptions
from shared.tables.reading import Reading, Rules
from shared.tables.sniffing import detect_format, foreign_kind, is_json, marked_encoding
from shared.tables.text import NotUtf8, TextFile

_BLOCK_BYTES = 2**20
_OTHERS = {"parquet": "a Parquet file", "xlsx": "an Excel workbook"}


@dataclass(frozen=True)
class LearntReading:
    """How the table was read that a model learnt from, and the encoding that was given at its upload."""

    reading: Reading
    encoding: str | None = None

    @property
    def given_encoding(self) -> str | None:
        """The given one, unless it is UTF-8, which is what a file has if nothing is said."""
        return None if self.encoding in {None, "utf-8", "utf-8-sig"} else self.encoding

    @property
    def likely_encoding(self) -> str | None:
        """The one that a file has which is not UTF-8."""
        return None if self.reading.encoding in {None, "utf-8", "utf-8-sig"} else self.reading.encoding


def how_to_read(path: Path, limits: TableLimits, learnt: LearntReading | None = None) -> Reading:
    """Encoding, compression and dialect of a file; its delimiter is only the most likely one.

    A mark of the byte order, and text that is UTF-8 as a whole, win over the encoding that was given for the table.

    Raises:
        EmptyTable: when nothing but blanks is there.
        InvalidTable: when it is not delimited text.
        NotUtf8: when its encoding has to be guessed, or is the one that was given.
    """
    given = learnt.given_encoding if learnt is not None else None
    # UTF-16 without a mark, and what else is not refused as binary once its encoding is known.
    if given is not None and not _is_utf8(path, limits) and _fits(path, limits, given):
        raise NotUtf8
    return _detected(path, limits, ReadingOptions())


def how_to_read_guessed(
    path: Path, limits: TableLimits, learnt: LearntReading | None = None, *, rules: Rules
) -> Reading:
    """The same for a file that is not UTF-8; older releases took all of them for Latin-1, as `rules` 1 does.

    The encoding that was given for the model's table wins over a guess where it fits.

    Raises:
        EmptyTable, InvalidTable: as `how_to_read`, and when no encoding fits, or a few bytes only are not UTF-8.
    """
    if rules == 1:
        return _detected(path, limits, ReadingOptions(encoding="latin-1"))
    given = learnt.given_encoding if learnt is not None else None
    if given is not None and _fits(path, limits, given):
        return _detected(path, limits, ReadingOptions(encoding=given))
    likely = learnt.likely_encoding if learnt is not None else None
    try:
        encoding = guess_encoding(path, _compression(path), likely=likely).encoding
    except ReadingRefused as error:
        raise not_text(error) from None
    return _detected(path, limits, ReadingOptions(encoding=encoding))


def _is_utf8(path: Path, limits: TableLimits) -> bool:
    """Whether a file is text in UTF-8, or in what a mark says."""
    return marked_encoding(path) is not None or _fits(path, limits, "utf-8")


def _compression(path: Path) -> Literal["gzip"] | None:
    with path.open("rb") as file:
        return "gzip" if file.read(2) == b"\x1f\x8b" else None


def _fits(path: Path, limits: TableLimits, encoding: str) -> bool:
    """Whether all of a file is text in an encoding, without control characters."""
    reading = Reading(format="csv", encoding=encoding, compression=_compression(path))
    try:
        with TextFile(path, reading, limits) as text:
            while text.read(_BLOCK_BYTES):
                pass
    except (NotUtf8, InvalidTable, ReadingRefused):
        return False
    return True


def _detected(path: Path, limits: TableLimits, options: ReadingOptions) -> Reading:
    try:
        # With a delimiter, no text is taken for JSON: an array is refused in words of uploads.
        reading, lines = detect_format(path, limits, options.model_copy(update={"delimiter": ","}))
    except ReadingRefused as error:
        raise not_text(error) from None
    except InvalidTable:
        if (foreign := foreign_kind(path)) is None:
            raise
        raise _not_csv(foreign) from None
    what = "JSON" if is_json(lines) else _OTHERS.get(reading.format)
    if what is not None:
        raise _not_csv(what)
    try:
        dialect = find_dialect(lines, options)
    except ReadingRefused:
        # Which delimiter it is shows where the columns of the model are found.
        dialect = Dialect(",")
    return reading.model_copy(update=dialect._asdict())


def _not_csv(what: str) -> InvalidTable:
    return InvalidTable(
        f"The body is {what}, not CSV. Save the table as CSV with a line of column names, or send its rows as JSON in "
        "'input_data'."
    )


def not_text(error: ReadingRefused) -> InvalidTable:
    """What is wrong, without the fields of an upload, which a prediction does not have."""
    line = next((part for problem in error.errors for part in problem["loc"] if isinstance(part, int)), None)
    what = "The table is not UTF-8, and its bytes do not tell what it is."
    if line is not None:
        what = f"Line {line} holds bytes that are not UTF-8, and nothing tells what they are."
    return InvalidTable(
        f"{what} Save the table as UTF-8.", errors=[{"loc": ["body", line], "msg": "not UTF-8"}] if line else []
    )
