"""Rewrites dialects that the fast parser does not know, row by row; slower, and only where it has to be."""

import csv
import io
from collections.abc import Iterator
from itertools import chain

from shared.tables.delimited_problems import ROW_BYTES, ragged, too_long, unclosed
from shared.tables.dialect import Dialect, Record, records_of
from shared.tables.layout import Layout
from shared.tables.reading import WHITE_SPACE
from shared.tables.text import EndlessLine, TextFile, split_lines

_BLOCK_CHARACTERS = 2**20
# Comes behind the last line, to tell a quote that is still open there: tables hold no NUL.
_LAST = "\0"


class Rewritten(io.RawIOBase):
    """A text as CSV with quotes where they are needed. Reading raises InvalidTable with the line of a problem."""

    def __init__(
        self, head: bytes, text: TextFile, dialect: Dialect, layout: Layout, *, ending: bytes, partial: bool
    ) -> None:
        self.may_have_stray_quotes = dialect.quote is not None
        self.may_have_lines_in_cells = True
        self._dialect = dialect
        self._layout = layout
        self._partial = partial
        self._blocks = chain(self._written(_Rest(head, text)), [ending])
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._waiting:
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._waiting = block
        block, self._waiting = self._waiting[:size], self._waiting[size:]
        return block

    def _written(self, rest: "_Rest") -> Iterator[bytes]:
        delimiter = "\t" if self._dialect.delimiter == WHITE_SPACE else self._dialect.delimiter
        block = io.StringIO(newline="")
        writer = csv.writer(block, delimiter=delimiter, lineterminator="\n")
        for record in self._records(rest):
            writer.writerow(record.cells)
            if block.tell() > _BLOCK_CHARACTERS:
                yield block.getvalue().encode()
                block.seek(0)
                block.truncate()
        yield block.getvalue().encode()

    def _records(self, rest: "_Rest") -> Iterator[Record]:
        names, before = self._layout.names, self._layout.lines
        lines = (line.decode("utf-8", "replace") for line in split_lines(rest, longest=2 * ROW_BYTES))
        line = before
        try:
            for record in records_of(chain(lines, [_LAST]), self._dialect):
                line = before + record.line
                if not record.cells:
                    continue
                if record.cells[-1].endswith(_LAST):
                    if record.cells == [_LAST] or self._partial:
                        return
                    raise unclosed(line, names[min(len(record.cells), len(names)) - 1])
                if len(record.cells) != len(names):
                    if self._partial:
                        continue
                    raise ragged(line, record.cells, names)
                yield record
        except (csv.Error, EndlessLine):
            raise too_long(line + 1) from None


class _Rest:
    """The rest of the head of a text, and then the text."""

    def __init__(self, head: bytes, text: TextFile) -> None:
        self._head = head
        self._text = text

    def read(self, size: int) -> bytes:
        block, self._head = self._head, b""
        return block or self._text.read(size)
