"""How the lines of a delimited text are parted into cells: delimiter, quote, escape."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, Protocol

from shared.errors import ReadingRefused
from shared.tables.options import ReadingOptions
from shared.tables.reading import WHITE_SPACE, Reading

FIELD_BYTES = 2**20
DELIMITERS = (",", ";", "\t", "|")
# What parts the cells of some files, but is too common within cells to be taken without a word of the user.
_UNCOMMON = ("^", "~", ":", "\x01", "§", "¦")

_MOST_RECORDS = 200
_MOSTLY = 0.8

_SEP_LINE = re.compile(r'"?sep=(?P<delimiter>[^\w"\'.+\\\r\n\0\x80-\U0010ffff-])"?[,;\t|]*\s*', re.IGNORECASE)
_TOKEN = re.compile(r'"(?:[^"]|"")*"(?=\s|$)|\S+')
_TYPED = re.compile(
    r"[\s(+\-\u2212]*[$\u00a2-\u00a5\u20a0-\u20c0]?\s?(?:\d[\d.,'\u2019\s\u202f]*|[.,]\d+)(?:[eE][+-]?\d+)?\s?[%$\u20ac)]?\s*"
    r"|\d{4}-\d\d?-\d\d?.*|\d{1,2}([./-])\d{1,2}\1\d{2,4}.*|true|false",
    re.IGNORECASE,
)


class Dialect(NamedTuple):
    """What parts and encloses cells. `skips_blanks` says that a quote behind a blank is one, too."""

    delimiter: str
    quote: str | None = '"'
    escape: str | None = None
    skips_blanks: bool = False

    @classmethod
    def stored(cls, reading: Reading) -> "Dialect":
        """The dialect of a reading."""
        if reading.rules == 1:
            return cls(reading.delimiter or ",")
        return cls(reading.delimiter or ",", reading.quote, reading.escape, reading.skips_blanks)


class _Reader(Protocol):
    """What Python's reader of CSV offers."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


class Record(NamedTuple):
    """The cells of a row as they are written, the line that it begins in, and the line that it ends in."""

    line: int
    cells: list[str]
    last_line: int


def records_of(lines: Iterable[str], dialect: Dialect) -> Iterator[Record]:
    """The records of some lines, also those of blank lines, which have no cells.

    Raises:
        csv.Error: when a cell is too long.
    """
    if dialect.delimiter == WHITE_SPACE:
        for number, line in enumerate(lines, start=1):
            yield Record(number, _split_white(line, quoted=dialect.quote is not None), number)
        return
    reader = csv_reader(lines, dialect)
    first = 1
    for cells in reader:
        yield Record(first, cells, reader.line_num)
        first = reader.line_num + 1


def csv_reader(lines: Iterable[str], dialect: Dialect, *, strict: bool = False) -> "_Reader":
    """Python's reader for lines in a dialect that has a delimiter."""
    csv.field_size_limit(FIELD_BYTES)
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar=dialect.escape,
        skipinitialspace=dialect.skips_blanks,
        strict=strict,
    )


def delimiter_said(lines: list[str]) -> str | None:
    """The delimiter that a first line `sep=;` names, as Excel writes and obeys it."""
    found = _SEP_LINE.fullmatch(lines[0]) if lines else None
    return found["delimiter"] if found else None


def find_dialect(lines: list[str], options: ReadingOptions) -> Dialect:
    """The dialect of the first lines of a text, which are whole.

    Raises:
        ReadingRefused: when no delimiter parts the lines, but an uncommon one would, or that of the options does not.
    """
    quote = {None: '"', "none": None}.get(options.quote, options.quote)
    said = options.delimiter or delimiter_said(lines)
    if options.delimiter is None and delimiter_said(lines):
        lines = lines[1:]
    if options.delimiter is not None and not any(_parts(line, options.delimiter) for line in lines):
        raise ReadingRefused(
            f"'delimiter' is {options.delimiter!r}, which is not in the first lines of the file. Send another one, or "
            "leave it out to have it found out."
        )
    delimiter = said or _best_delimiter(lines, quote)
    dialect = Dialect(delimiter, quote)
    if delimiter == WHITE_SPACE or quote is None:
        return dialect
    dialect = dialect._replace(escape=_escape(lines, dialect))
    return dialect._replace(skips_blanks=_has_quotes_behind_blanks(lines, dialect))


def _parts(line: str, delimiter: str) -> bool:
    return len(line.split()) > 1 if delimiter == WHITE_SPACE else delimiter in line


class _Parting(NamedTuple):
    """How well a delimiter parts some lines; more is better, in this order."""

    share: float
    typed: float
    width: int


def _best_delimiter(lines: list[str], quote: str | None) -> str:
    fits = {delimiter: _fit(lines, Dialect(delimiter, quote)) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: (fits[delimiter].width > 1, *fits[delimiter]))
    blanks = _fit(lines, Dialect(WHITE_SPACE, quote))
    aligned = blanks.share == 1.0 and blanks.width > 1
    if fits[best].width > 1:
        return WHITE_SPACE if aligned and blanks.typed > fits[best].typed else best
    if aligned:
        return WHITE_SPACE
    _refuse_unparted(lines, quote)
    return ","


def _fit(lines: list[str], dialect: Dialect) -> _Parting:
    try:
        records = [
            record.cells
            for record in islice(records_of(lines, dialect), _MOST_RECORDS)
            if any(cell.strip() for cell in record.cells)
        ]
    except csv.Error:
        return _Parting(0.0, 0.0, 0)
    if not records:
        return _Parting(0.0, 0.0, 0)
    width, count = Counter(map(len, records)).most_common(1)[0]
    body = [cells for cells in records[1:] if len(cells) == width]
    columns = list(zip(*body, strict=True))
    typed = sum(map(_is_typed, columns)) / width
    unparted = any(_is_unparted(cells, dialect.delimiter) for cells in columns)
    return _Parting(count / len(records), typed - unparted, width)


def is_typed(cell: str) -> bool:
    """Whether a cell looks like a number, a date or a boolean."""
    return _TYPED.fullmatch(cell.strip()) is not None


def _is_typed(cells: tuple[str, ...]) -> bool:
    present = [cell for cell in cells if cell.strip()]
    return bool(present) and sum(map(is_typed, present)) >= _MOSTLY * len(present)


def _is_unparted(cells: tuple[str, ...], delimiter: str) -> bool:
    """Whether another delimiter is in each cell, in the same number, though the cells are not numbers or dates."""
    if len(cells) < 2 or _is_typed(cells):
        return False
    others = [other for other in DELIMITERS if other != delimiter]
    return any(len(counts := {cell.count(other) for cell in cells}) == 1 and 0 not in counts for other in others)


def _refuse_unparted(lines: list[str], quote: str | None) -> None:
    """Return if nothing speaks for another delimiter, so that the table has one column.

    Raises:
        ReadingRefused: saying what may part the cells.
    """
    texts = [line.strip() for line in islice(lines, _MOST_RECORDS) if line.strip()]
    if len(texts) < 2:
        return
    for other in _UNCOMMON:
        counts = {text.count(other) for text in texts}
        if len(counts) == 1 and 0 not in counts:
            raise ReadingRefused(
                f"No comma, semicolon, tab or pipe parts the lines, but each has as many {other!r}. Send 'delimiter' "
                f"{other}, or save the table with commas."
            )
    whole = quote is not None and all(len(text) > 1 and text[0] == text[-1] == quote for text in texts)
    inner = [{text.count(each) for text in texts} for each in DELIMITERS]
    if whole and any(len(counts) == 1 and 0 not in counts for counts in inner):
        raise ReadingRefused(
            "Each line is enclosed in quotes as a whole, so that it is one cell. Remove the quotes around the lines, "
            "or send 'quote' none if no cell is quoted."
        )


def _escape(lines: list[str], dialect: Dialect) -> str | None:
    """A backslash if the quotes within cells have it, else None."""
    if not any('\\"' in line or "\\'" in line for line in lines) or _is_clean(lines, dialect):
        return None
    return "\\" if _is_clean(lines, dialect._replace(escape="\\")) else None


def _is_clean(lines: list[str], dialect: Dialect) -> bool:
    """Whether nothing stands between a closing quote and the next delimiter."""
    try:
        for _ in islice(csv_reader(lines, dialect, strict=True), 10 * _MOST_RECORDS):
            pass
    except csv.Error as error:
        # The lines are the beginning of a file, which may end within quotes.
        return "unexpected end" in str(error)
    return True


def _has_quotes_behind_blanks(lines: list[str], dialect: Dialect) -> bool:
    pattern = re.compile(f"{re.escape(dialect.delimiter)} +{re.escape(dialect.quote or '')}")
    return any(pattern.search(line) for line in lines)


def _split_white(line: str, *, quoted: bool) -> list[str]:
    if not quoted:
        return line.split()
    return [
        token[1:-1].replace('""', '"') if len(token) > 1 and token[0] == token[-1] == '"' else token
        for token in _TOKEN.findall(line)
    ]
