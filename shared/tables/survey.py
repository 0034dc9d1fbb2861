"""Looks at all cells of a table: decides how each column is read, and profiles it as it is read.

One pass is enough where the first chunk tells how columns are read and all others agree. Columns of which a later chunk
tells more are read once more.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from shared.tables.ahead import ahead
from shared.tables.beginning import beginning, rows_as_read
from shared.tables.cells import values_of
from shared.tables.chunks import Chunks, open_chunks
from shared.tables.columns import CellReading, Column, ColumnKind
from shared.tables.deciding import Decision, decide, marks_of
from shared.tables.delimited import CsvChunks
from shared.tables.evidence import Evidence
from shared.tables.examined import Examined, cells_of_columns, is_settled, take, wrong_cells
from shared.tables.findings import FindingCode
from shared.tables.inspected import TableLimits
from shared.tables.layout import Layout
from shared.tables.notes import Note
from shared.tables.number_columns import NUMERIC, Marks
from shared.tables.options import ReadingOptions
from shared.tables.profile import ColumnProfile
from shared.tables.reading import Reading
from shared.tables.sheet_facts import SheetFacts
from shared.tables.spread import ColumnSketch
from shared.tables.stray_quotes import refuse_stray_quotes
from shared.tables.typed_evidence import TypedEvidence, note_of_mixed
from shared.tables.values import STRINGS

_MOST_CONTRADICTIONS = 5
# From how many rows it is guessed how columns are read: many, but not so many cells of a wide table.
_MOST_GUESSED, _LEAST_GUESSED, _GUESSED_CELLS = 2_000, 50, 200_000
_THREADS = 2
# Rows are compared with each other as far as that is cheap.
_COMPARED_CELLS = 1_000_000


@dataclass
class Surveyed:
    """What a survey found; rows in the notes are counted from 0."""

    rows: int = 0
    columns: list[Column] = field(default_factory=list)
    sketches: dict[str, ColumnSketch] = field(default_factory=dict)
    notes: dict[str, list[Note]] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)
    layout: Layout | None = None
    sheet: SheetFacts | None = None
    repeated_headers: list[int] = field(default_factory=list)
    # Rows that are the same as others, among the first ones, and how many were compared.
    duplicates: int = 0
    compared: int = 0
    unnamed_tail: int = 0
    rows_in_cells: dict[str, tuple[int, int]] = field(default_factory=dict)
    last_row: list[Any] = field(default_factory=list)
    first_rows: list[list[Any]] = field(default_factory=list)
    cleaned_names: list[str] = field(default_factory=list)


class Contradiction(Exception):
    """Cells of a column, with their rows, are not of the kind that was asked for."""

    def __init__(self, column: str, kind: str, cells: list[tuple[int, str]]) -> None:
        super().__init__(column)
        self.column = column
        self.kind = kind
        self.cells = cells


class Survey:
    """One file that is looked at as `reading` says."""

    def __init__(self, path: Path, reading: Reading, limits: TableLimits, options: ReadingOptions) -> None:
        self._path = path
        self._reading = reading
        self._limits = limits
        self._options = options
        self._looks: list[Examined] = []
        self._mixed: dict[str, int] = {}
        self._first: pa.RecordBatch | None = None
        self.found = Surveyed()

    def run(self) -> Surveyed:
        """Look at the whole file.

        Raises:
            InvalidTable: when it is not a table, with the line where there is one.
            Contradiction: when cells are not of the kinds that the options ask for.
        """
        with open_chunks(self._path, self._reading, self._limits) as chunks:
            self._first_pass(chunks)
            if isinstance(chunks, CsvChunks):
                self.found.rows_in_cells = chunks.rows_in_cells
            if isinstance(chunks, CsvChunks) and chunks.may_have_stray_quotes and chunks.layout is not None:
                refuse_stray_quotes(self._path, self._reading, self._limits, chunks.layout)
            rounded = chunks.rounded
        self._decide()
        while again := [look for look in self._looks if not is_settled(look)]:
            self._pass_again(again)
        for look in self._looks:
            if look.profile is None or look.decision is None:
                raise AssertionError("each column has been read")
            column = look.profile.finish()
            self.found.sketches[column.name] = look.profile.sketch()
            column.rounded += rounded[column.name]
            self.found.columns.append(column)
            notes = [*self._notes_of_sheet(column.name), *look.decision.notes, *look.profile.notes()]
            self.found.notes[column.name] = notes
        if self._first is not None:
            self.found.first_rows = rows_as_read(self._first, self._looks)
        return self.found

    def _notes_of_sheet(self, name: str) -> list[Note]:
        return self.found.sheet.notes[name] if self.found.sheet is not None else []

    def _first_pass(self, chunks: Chunks) -> None:
        row = 0
        with ThreadPoolExecutor(_THREADS) as pool:
            for batch in ahead(iter(chunks)):
                self._mixed = chunks.mixed
                added = self._add_columns(batch.schema.names, chunks, rows_before=row)
                if added:
                    self._guess(added, batch, row)
                seen = [0] * (len(self._looks) - len(added)) + [self._guessed_from] * len(added)
                # Columns have nothing to do with each other, and Arrow works outside of Python's lock.
                list(pool.map(partial(take, row=row), self._looks, batch.columns, seen))
                if self._first is None:
                    self._first = beginning(batch)
                    self._compare(batch)
                row += batch.num_rows
                if batch.num_rows:
                    self.found.last_row = [cells[-1].as_py() for cells in batch.columns]
        self.found.rows = row
        self.found.layout = chunks.layout
        self.found.sheet = chunks.sheet
        self.found.repeated_headers = chunks.repeated_headers
        self.found.unnamed_tail = chunks.unnamed_tail
        self.found.cleaned_names = chunks.cleaned

    def _add_columns(self, names: list[str], chunks: Chunks, *, rows_before: int) -> list[Examined]:
        as_text = chunks.sheet.as_text if chunks.sheet is not None else ()
        added = [
            Examined(TypedEvidence(name) if chunks.typed and name not in as_text else Evidence(name))
            for name in names[len(self._looks) :]
        ]
        self._looks += added
        for look in added:
            look.profile = self._profile(look, CellReading(kind=ColumnKind.NUMBER), rows_before=rows_before)
        return added

    def _profile(self, look: Examined, reading: CellReading, *, rows_before: int = 0) -> ColumnProfile:
        name, count = look.evidence.name, len(self._looks)
        said = name in (self._options.kinds or {})
        return ColumnProfile(name, reading, columns=count, kind_is_said=said, rows_before=rows_before)

    @property
    def _guessed_from(self) -> int:
        return max(_LEAST_GUESSED, min(_MOST_GUESSED, _GUESSED_CELLS // max(len(self._looks), 1)))

    def _guess(self, added: list[Examined], batch: pa.RecordBatch, row: int) -> None:
        """Decide from the first rows, so that the profile can begin with them."""
        for look, cells in zip(added, batch.columns[-len(added) :], strict=True):
            look.evidence.add(cells[: self._guessed_from], row)
        self._decide()
        for look in added:
            if look.profile is not None and look.decision is not None:
                look.profile.reading = look.decision.reading

    def _decide(self) -> None:
        plain = [look.evidence for look in self._looks if isinstance(look.evidence, Evidence)]
        self.found.marks = marks_of(plain, self._options, semicolons=self._reading.delimiter == ";")
        for look in self._looks:
            mixed = self._mixed.get(look.evidence.name)
            if isinstance(look.evidence, Evidence):
                look.decision = decide(look.evidence, self.found.marks, self._options)
                if mixed is not None and look.decision.reading.kind in STRINGS:
                    look.decision.notes.append(note_of_mixed(mixed))
            else:
                look.decision = look.evidence.decide(self._options, mixed=mixed)

    def _pass_again(self, looks: list[Examined]) -> None:
        wrong: dict[str, list[tuple[int, str]]] = {}
        for look in looks:
            if look.decision is not None:
                look.profile = self._profile(look, look.decision.reading)
        row = 0
        with open_chunks(self._path, self._reading, self._limits) as chunks:
            for batch in chunks:
                for look, cells in cells_of_columns(looks, chunks, batch):
                    if look.profile is None:
                        continue
                    try:
                        look.profile.add(cells, values_of(cells, look.profile.reading))
                    except pa.ArrowInvalid:
                        found = wrong.setdefault(look.evidence.name, [])
                        room = _MOST_CONTRADICTIONS - len(found)
                        found += islice(wrong_cells(cells, look.profile.reading, row), room)
                row += batch.num_rows
        for look in looks:
            if cells_of_column := wrong.get(look.evidence.name):
                self._keep_as_text(look, cells_of_column)

    def _keep_as_text(self, look: Examined, wrong: list[tuple[int, str]]) -> None:
        """Read a column as text of which cells are not what they look like.

        Raises:
            Contradiction: when its kind was asked for.
        """
        name = look.evidence.name
        kind = (self._options.kinds or {}).get(name)
        if kind is not None:
            raise Contradiction(name, kind, wrong)
        row, cell = wrong[0]
        numeric = look.decision is not None and look.decision.reading.kind in NUMERIC
        fix = " Send 'thousands' and 'decimal' with the marks that they have, or correct them." if numeric else ""
        detail = f"Cells such as {cell!r} cannot be read as the others. The column is kept as text.{fix}"
        typed = isinstance(look.evidence, TypedEvidence)
        words = None if self._options.gap_words is None else tuple(self._options.gap_words)
        text = CellReading(kind=ColumnKind.TEXT, typed=typed, gap_words=words)
        look.decision = Decision(text, [Note(FindingCode.NEARLY_NUMERIC, row, None, detail)])

    def _compare(self, batch: pa.RecordBatch) -> None:
        """Count the rows that are the same as others."""
        rows = min(batch.num_rows, _COMPARED_CELLS // max(batch.num_columns, 1))
        self.found.compared = rows
        if rows < 2 or batch.num_columns < 2:
            return
        # Arrow takes names such as `.x` for paths.
        first = pa.Table.from_batches([batch.slice(0, rows)]).rename_columns(list(map(str, range(batch.num_columns))))
        different = first.group_by(first.column_names, use_threads=False).aggregate([]).num_rows
        self.found.duplicates = rows - different
