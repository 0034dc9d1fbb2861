"""Delimited text as a stream of chunks of strings, in bounded memory."""

import io
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import takewhile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from shared.errors import InvalidTable, TableTooLarge
from shared.processes import giving_back_at_once
from shared.tables.delimited_problems import ROW_BYTES, find_problem
from shared.tables.dialect import FIELD_BYTES, Dialect
from shared.tables.inspected import TableLimits
from shared.tables.layout import Layout, layout_of
from shared.tables.missing import MISSING
from shared.tables.names import changed_names, settle_names
from shared.tables.reading import WHITE_SPACE, Reading
from shared.tables.rewriting import Rewritten
from shared.tables.sheet_facts import SheetFacts
from shared.tables.stray_quotes import has_quotes_within
from shared.tables.text import TextFile

_HEAD_BYTES = 2**20

# The last row that the parser gets. No file may hold NUL, so this row arrives unless an open quote swallows it.
_END = "\0"

# Blanks, and the mark that a file has at its beginning, which stays within when files are put together.
AROUND_NAMES = " \t\ufeff"

# So many blocks may be reserved at one time, without harm.
_MANY_COLUMNS = 100

# The places of more repeated headers are not remembered.
_MOST_REPEATED = 10_000


class CsvChunks:
    """The chunks of one file. Iterating raises InvalidTable with the line of the first problem.

    `partial` takes the file for the beginning of a longer one: its last row, which may be cut, is left out.
    `repeated_headers` are the places of rows that repeat the names and are left out, among all rows of the file.
    """

    typed = False
    sheet: SheetFacts | None = None

    def __init__(self, path: Path, reading: Reading, limits: TableLimits, *, partial: bool = False) -> None:
        self._path = path
        self._reading = reading
        self._limits = limits
        self._partial = partial
        self._dialect = Dialect.stored(reading)
        self._rewrites = self._dialect.delimiter == WHITE_SPACE or self._dialect.skips_blanks
        self._delimiter = "\t" if self._dialect.delimiter == WHITE_SPACE else self._dialect.delimiter
        self._text = TextFile(path, reading, limits, partial=partial)
        # Cells stay as they are written, so none is rounded.
        self.rounded: Counter[str] = Counter()
        self.mixed: dict[str, int] = {}
        self.repeated_headers: list[int] = []
        # By column, the first row with a cell that looks as if it held rows, and how many there are.
        self.rows_in_cells: dict[str, tuple[int, int]] = {}
        self._rows_before = 0
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            chunks = self._without_last_row() if self._partial else self._up_to_end()
            for chunk in chunks:
                self._check_fields(chunk)
                self._note_rows_in_cells(chunk)
                yield self._without_names(chunk)
        except pa.ArrowInvalid:
            if not self._partial:
                find_problem(self._path, self._reading, self._limits, names=self.names, layout=self._layout)
            raise InvalidTable("The file is not a table with the same number of fields in each line.") from None

    @property
    def may_have_stray_quotes(self) -> bool:
        """Whether a quote was read that is within a cell, and may have closed it too early."""
        return self._body.may_have_stray_quotes

    def _open(self) -> None:
        head = self._text.read(_HEAD_BYTES)
        self._layout = layout_of(head, self._reading, longest=_HEAD_BYTES)
        self.layout: Layout | None = self._layout
        names = self._layout.names
        # Names that are empty at the end of the line come from a delimiter there; such a column may be left out.
        self.unnamed_tail = sum(1 for _ in takewhile(lambda name: not name.strip(), reversed(names)))
        self.names = settle_names(names, self._limits, rules=self._reading.rules)
        rest = head[self._layout.consumed :]
        self.cleaned = changed_names(names, self.names)
        self._body: Rewritten | _Body = (
            Rewritten(rest, self._text, self._dialect, self._layout, ending=self._ending(), partial=self._partial)
            if self._rewrites
            else _Body(rest, self._text, self._dialect, ending=self._ending())
        )

    def _up_to_end(self) -> Iterator[pa.RecordBatch]:
        ended = False
        for batch in self._batches():
            ended = batch.num_rows > 0 and batch.column(0)[-1].as_py() == _END
            yield batch.slice(0, batch.num_rows - 1) if ended else batch
        if not ended:
            raise pa.ArrowInvalid("an open quote took the end")

    def _without_last_row(self) -> Iterator[pa.RecordBatch]:
        held = None
        for batch in self._batches():
            if held is not None:
                yield held
            held = batch
        if held is not None:
            yield held.slice(0, held.num_rows - 1)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        # The parser reserves for each column what the whole block has, and gives back all but a little.
        with giving_back_at_once() if len(self.names) > _MANY_COLUMNS else nullcontext():
            yield from self._parsed()

    def _parsed(self) -> Iterator[pa.RecordBatch]:
        yield from pyarrow.csv.open_csv(
            self._body,
            read_options=pyarrow.csv.ReadOptions(column_names=self.names, block_size=ROW_BYTES, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self._delimiter,
                quote_char='"' if self._rewrites else self._dialect.quote or False,
                escape_char=False if self._rewrites else self._dialect.escape or False,
                newlines_in_values=True,
                invalid_row_handler=(lambda _: "skip") if self._partial else None,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(self.names, pa.string()),
                null_values=list(MISSING) if self._reading.rules == 1 else [""],
                strings_can_be_null=True,
                check_utf8=False,
            ),
        )

    def _without_names(self, chunk: pa.RecordBatch) -> pa.RecordBatch:
        """The chunk without rows that repeat the names of the columns, as in files that were put together."""
        rows_before, self._rows_before = self._rows_before, self._rows_before + chunk.num_rows
        if self._reading.rules == 1 or self._layout.given or all(map(is_numeral, self._layout.names)):
            return chunk
        repeated = pa.scalar(True)
        for at, name in enumerate(self._layout.names):
            cells = pc.utf8_trim(pc.fill_null(chunk.column(at), ""), characters=AROUND_NAMES)
            repeated = pc.and_(repeated, pc.equal(cells, name.strip(AROUND_NAMES)))
            if not pc.any(repeated).as_py():
                return chunk
        room = _MOST_REPEATED - len(self.repeated_headers)
        self.repeated_headers += [rows_before + int(at) for at in pc.indices_nonzero(repeated)[:room].to_pylist()]
        return chunk.filter(pc.invert(repeated))

    def _note_rows_in_cells(self, chunk: pa.RecordBatch) -> None:
        """Count the cells with lines that have as many delimiters as a row: an unpaired quote may have taken rows."""
        if len(self.names) < 2 or self._dialect.delimiter == WHITE_SPACE or not self._body.may_have_lines_in_cells:
            return
        for name, cells in zip(self.names, chunk.columns, strict=True):
            lines = pc.match_substring(cells, "\n")
            if not pc.any(lines).as_py():
                continue
            for at in pc.indices_nonzero(pc.fill_null(lines, False)).to_pylist():
                counts = [line.count(self._dialect.delimiter) for line in cells[at].as_py().splitlines()]
                if len(self.names) - 1 in counts:
                    first, count = self.rows_in_cells.get(name, (self._rows_before + at, 0))
                    self.rows_in_cells[name] = first, count + 1

    def _check_fields(self, chunk: pa.RecordBatch) -> None:
        for name, cells in zip(self.names, chunk.columns, strict=True):
            data = cells.buffers()[2]
            if data is None or data.size <= FIELD_BYTES:
                continue
            longest = pc.max(pc.binary_length(cells)).as_py() or 0
            if longest > FIELD_BYTES:
                raise TableTooLarge(
                    f"Column '{name}' holds a field of {longest:,} bytes, the limit is {FIELD_BYTES:,}. "
                    "Shorten it. A quote that is never closed makes such fields too.",
                    limit=FIELD_BYTES,
                )

    def _ending(self) -> bytes:
        return b"" if self._partial else b"\n" + self._delimiter.join([_END] * len(self.names)).encode() + b"\n"


def is_numeral(name: str) -> bool:
    """Whether a name may as well be a value, or is none."""
    return not name.strip(AROUND_NAMES) or name.strip(AROUND_NAMES).isdecimal()


class _Body(io.RawIOBase):
    """What the parser reads: the rest of the head, the rest of the text, the ending."""

    def __init__(self, head: bytes, text: TextFile, dialect: Dialect, *, ending: bytes) -> None:
        self.may_have_stray_quotes = False
        self.may_have_lines_in_cells = dialect.escape is not None
        self._dialect = dialect
        self._text = text
        self._ending = ending
        self._waiting = self._watched(head)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._waiting:
            self._waiting = self._watched(self._text.read(ROW_BYTES))
        if not self._waiting:
            self._waiting, self._ending = self._ending, b""
        block, self._waiting = self._waiting[:size], self._waiting[size:]
        return block

    def _watched(self, block: bytes) -> bytes:
        quote = self._dialect.quote
        if quote is not None and not self.may_have_stray_quotes and quote.encode() in block:
            self.may_have_lines_in_cells = True
            self.may_have_stray_quotes = has_quotes_within(block, self._dialect)
        return block
