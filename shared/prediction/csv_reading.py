"""How a CSV file of rows to predict for is read, told from its bytes as that of an upload is."""

from pathlib import Path

from shared.errors import InvalidTable, ReadingRefused
from shared.tables.encodings import guess_encoding
from shared.tables.inspected import TableLimits
from shared.tables.options import ReadingOptions
from shared.tables.reading import Reading, Rules
from shared.tables.sniffing import detect


def how_to_read(path: Path, limits: TableLimits) -> Reading:
    """Encoding, compression and dialect of a file; its delimiter is only the most likely one.

    Raises:
        EmptyTable: when nothing but blanks is there.
        InvalidTable: when it is not delimited text.
        NotUtf8: when its encoding has to be guessed.
    """
    reading = _detected(path, limits, ReadingOptions())
    if reading.delimiter is None:
        raise InvalidTable(f"The body is {reading.format}, not CSV. Send rows as CSV with a line of column names.")
    return reading


def how_to_read_guessed(path: Path, limits: TableLimits, *, rules: Rules) -> Reading:
    """The same for a file that is not UTF-8; older releases took all of them for Latin-1, as `rules` 1 does.

    Raises:
        EmptyTable, InvalidTable: as `how_to_read`, and when no encoding fits, or a few bytes only are not UTF-8.
    """
    if rules == 1:
        return _detected(path, limits, ReadingOptions(encoding="latin-1"))
    with path.open("rb") as file:
        compression = "gzip" if file.read(2) == b"\x1f\x8b" else None
    try:
        encoding = guess_encoding(path, compression).encoding
    except ReadingRefused as error:
        raise _not_text(error) from None
    return _detected(path, limits, ReadingOptions(encoding=encoding))


def _detected(path: Path, limits: TableLimits, options: ReadingOptions) -> Reading:
    try:
        return detect(path, limits, options)
    except ReadingRefused:
        # Which delimiter it is shows where the columns of the model are found.
        options = options.model_copy(update={"delimiter": ","})
    try:
        return detect(path, limits, options)
    except ReadingRefused as error:
        raise _not_text(error) from None


def _not_text(error: ReadingRefused) -> InvalidTable:
    """What is wrong, without the fields of an upload, which a prediction does not have."""
    line = next((part for problem in error.errors for part in problem["loc"] if isinstance(part, int)), None)
    what = "The table is not UTF-8, and its bytes do not tell what it is."
    if line is not None:
        what = f"Line {line} holds bytes that are not UTF-8, and nothing tells what they are."
    return InvalidTable(
        f"{what} Save the table as UTF-8.", errors=[{"loc": ["body", line], "msg": "not UTF-8"}] if line else []
    )
