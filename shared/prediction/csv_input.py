"""The rows of a CSV file against a model's signature: all of them are checked before the first is predicted."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.errors import InvalidInput, MissingNotAllowed, PlatformError, closest, meant
from shared.estimators.signature import Signature
from shared.prediction.cells import short
from shared.prediction.csv_problems import Tell, add_wrong, told_of
from shared.prediction.csv_reading import LearntReading
from shared.prediction.csv_rows import CsvRow, CsvRows
from shared.prediction.input_warnings import InputWarnings, WarningKind
from shared.prediction.problems import InputProblems, listed, named
from shared.tables.inspected import TableLimits
from shared.tables.reading import Reading

if TYPE_CHECKING:
    from shared.prediction.csv_columns import CsvColumn

# With this many problems, the exact number does not matter.
_MOST_COUNTED = 1_000
# Cells that are checked at a time.
_CELLS = 20_000
# What the cells of a batch take at most, each with its object.
_BATCH_BYTES = 8 * 2**20
_OBJECT_BYTES = 60


class CsvBatch(NamedTuple):
    """Rows as they are written, with their line numbers, and for each used input the values that the model gets."""

    rows: list[CsvRow]
    columns: dict[str, list[Any]]


class CsvInput:
    """One file with the version that its rows are for."""

    def __init__(
        self,
        path: Path,
        reading: Reading,
        limits: TableLimits,
        signature: Signature,
        *,
        version: int,
        learnt: LearntReading | None = None,
    ) -> None:
        self._path = path
        self._reading = reading
        self._limits = limits
        self._signature = signature
        self._version = version
        self._learnt = learnt
        self._used = [column for column in signature.inputs if column.used]
        # How the cells of each input are read, which the check learns for the predictions.
        self._readers: dict[str, CsvColumn] = {}

    def open(self) -> CsvRows:
        """The file from its beginning; raises as `CsvRows` does."""
        names = [column.name for column in self._signature.inputs]
        return CsvRows(
            self._path,
            self._reading,
            self._limits,
            columns=names,
            model=named(self._version, self._signature),
            rules=self._signature.rules,
            learnt=self._learnt,
        )

    def check(self, rows: CsvRows, problems: InputProblems, warnings: InputWarnings) -> Iterator[int]:
        """Check all rows, and yield the line after each; it ends early where there are very many problems.

        Raises:
            InvalidTable, TableTooLarge, NotUtf8: as reading does.
        """
        pending, most = iter(rows), max(1, _CELLS // len(self._signature.inputs))
        while batch := list(_bounded(islice(pending, most))):
            told = self._look_at(rows, batch)
            self._add_released(problems)
            for position, row in enumerate(batch):
                for tell in told.get(position, ()):
                    tell(problems, warnings)
                if problems.count > _MOST_COUNTED:
                    return
                yield row.line
        for line in rows.skipped_lines:
            warnings.add(WarningKind.NO_ROW, line)
        for line in rows.repeated_names:
            warnings.add(WarningKind.REPEATED_NAMES, line)

    def batches(self, rows: CsvRows, *, most_rows: Callable[[], int]) -> Iterator[CsvBatch]:
        """All rows of a file that has been checked, at most `most_rows()` at a time, and no more than some memory."""
        pending = iter(rows)
        while batch := list(_bounded(islice(pending, most_rows()))):
            columns: dict[str, list[Any]] = {column.name: [None] * len(batch) for column in self._used}
            for reader, cells in self._cells(rows, batch):
                columns[reader.column.name] = reader.read(cells, _lines(batch)).values
            yield CsvBatch(batch, columns)

    def _look_at(self, rows: CsvRows, batch: list[CsvRow]) -> dict[int, list[Tell]]:
        """What is to be told of each row, the columns in their order."""
        told: dict[int, list[Tell]] = defaultdict(list)
        lines, nothing = _lines(batch), set(range(len(batch)))
        for reader, cells in self._cells(rows, batch):
            found = reader.read(cells, lines)
            for position, tell in told_of(reader.column, lines, cells, found):
                told[position].append(tell)
            nothing -= {position for position, value in enumerate(found.values) if value is not None}
        for position in nothing:
            told[position].append(_of_nothing(lines[position]))
        return told

    def _cells(self, rows: CsvRows, batch: list[CsvRow]) -> Iterator[tuple["CsvColumn", list[str]]]:
        """The cells of each used input that the file has."""
        from shared.prediction.csv_columns import CsvColumn

        for column in self._used:
            if (at := rows.position_of(column.name)) is None:
                continue
            if (reader := self._readers.get(column.name)) is None:
                reader = self._readers[column.name] = CsvColumn(column, delimiter=rows.delimiter)
            yield reader, [row.cells[at] for row in batch]

    def _add_released(self, problems: InputProblems) -> None:
        for reader in self._readers.values():
            for line, cell in reader.release():
                add_wrong(problems, reader.column, line, cell)

    def settle_header(self, header: list[str], added: list[str], warnings: InputWarnings) -> None:
        """Check the names of the columns and of those that the answer adds.

        Raises:
            InvalidInput: when a column looks like a misspelt missing one, or has the name of an added one.
            MissingNotAllowed: when a column that the model needs is missing.
        """
        absent = [column for column in self._signature.inputs if column.used and column.name not in header]
        _check_names(header, self._signature, [column.name for column in absent], version=self._version)
        needed = [column.name for column in absent if not column.missing_allowed]
        if needed:
            model = named(self._version, self._signature)
            raise MissingNotAllowed(f"The table lacks {listed(needed)}, which the {model} needs in every row.")
        taken = sorted(set(added) & set(header))
        if taken:
            raise InvalidInput(
                f"The table has a column '{taken[0]}' already, which the answer adds. Remove it, or name the new "
                "column with 'column'."
            )
        if added and added[0] in added[1:]:
            raise InvalidInput(
                f"The answer has a column '{added[0]}' already. Name that of the predictions otherwise with 'column'."
            )
        if absent:
            names = listed([column.name for column in absent])
            warnings.tell(f"The table lacks {names}: the values there are taken as missing.")
        if self._signature.target in header:
            warnings.tell(f"Column '{self._signature.target}' is what the model predicts: its values were ignored.")


def placed_in_file(error: PlatformError, batch: CsvBatch) -> PlatformError:
    """The error of a batch with the lines of the file in place of the rows of the batch."""
    problems: list[dict[str, Any]] = []
    for problem in error.errors:
        row = next((part for part in problem["loc"] if isinstance(part, int)), None)
        if row is None or row >= len(batch.rows):
            return error
        line = batch.rows[row].line
        sentence = problem["msg"].removeprefix(f"Row {row}: ").replace(f"), row {row}: ", "): ")
        problems.append({"loc": ["body", line], "msg": f"line {line}: {sentence}"})
    return type(error)(str(problems[0]["msg"]), errors=problems, **error.members) if problems else error


def _bounded(rows: Iterator[CsvRow]) -> Iterator[CsvRow]:
    size = 0
    for row in rows:
        yield row
        size += sum(map(len, row.cells)) + _OBJECT_BYTES * len(row.cells)
        if size > _BATCH_BYTES:
            return


def _lines(batch: Sequence[CsvRow]) -> list[int]:
    return [row.line for row in batch]


def _of_nothing(line: int) -> Tell:
    return lambda _problems, warnings: warnings.add(WarningKind.NOTHING_GIVEN, line)


def _check_names(header: list[str], signature: Signature, absent: list[str], *, version: int) -> None:
    """Refuse names that nearly are those of missing columns; all other unknown ones are the client's own."""
    known = {column.name for column in signature.inputs} | {signature.target}
    problems = InputProblems("body")
    for name in header if absent else []:
        if name in known or not problems.suggests:
            continue
        near = closest(name, absent)
        if near:
            model = named(version, signature)
            sentence = f"The {model} has no input column '{short(name)}', and the table lacks one.{meant(near)}"
            problems.add_unknown((1, name), sentence, near=near, known=absent)
    problems.raise_if_any()
