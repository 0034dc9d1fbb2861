"""The rows of a CSV file against a model's signature: all of them are checked before the first is predicted."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from shared.errors import InvalidInput, MissingNotAllowed, PlatformError, closest, meant
from shared.estimators.signature import Signature
from shared.prediction.cells import check_of, short
from shared.prediction.csv_rows import CsvRow, CsvRows
from shared.prediction.input_warnings import InputWarnings, WarningKind
from shared.prediction.problems import InputProblems, listed, named
from shared.prediction.written_cells import NotFinite, WrongCell, converter
from shared.tables.inspected import TableLimits
from shared.tables.reading import Reading

# With this many problems, the exact number does not matter.
_MOST_COUNTED = 1_000
# What the cells of a batch take at most, each with its object.
_BATCH_BYTES = 8 * 2**20
_OBJECT_BYTES = 60


class CsvBatch(NamedTuple):
    """Rows as they are written, with their line numbers, and the values that the model gets for them."""

    rows: list[CsvRow]
    features: list[list[Any]]


class CsvInput:
    """One file with the version that its rows are for."""

    def __init__(
        self, path: Path, reading: Reading, limits: TableLimits, signature: Signature, *, version: int
    ) -> None:
        self._path = path
        self._reading = reading
        self._limits = limits
        self._signature = signature
        self._version = version

    def open(self) -> CsvRows:
        """The file from its beginning; raises as `CsvRows` does."""
        names = [column.name for column in self._signature.inputs]
        model = named(self._version, self._signature)
        return CsvRows(self._path, self._reading, self._limits, columns=names, model=model)

    def check(self, rows: CsvRows, problems: InputProblems, warnings: InputWarnings) -> Iterator[int]:
        """Check all rows, and yield the line after each; it ends early where there are very many problems.

        Raises:
            InvalidTable, TableTooLarge, NotUtf8: as reading does.
        """
        read = _row_reader(self._signature, rows)
        used = [position for position, column in enumerate(self._signature.inputs) if column.used]
        for row in rows:
            values = read(row, problems, warnings)
            if all(values[position] is None for position in used):
                warnings.add(WarningKind.NOTHING_GIVEN, row.line)
            if problems.count > _MOST_COUNTED:
                return
            yield row.line

    def batches(self, rows: CsvRows, *, most_rows: Callable[[], int]) -> Iterator[CsvBatch]:
        """All rows of a file that has been checked, at most `most_rows()` at a time, and no more than some memory."""
        read, problems, warnings = _row_reader(self._signature, rows), InputProblems("body"), InputWarnings("line")
        pending = iter(rows)
        while batch := list(_bounded(islice(pending, most_rows()))):
            yield CsvBatch(batch, [read(row, problems, warnings) for row in batch])

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


def _row_reader(signature: Signature, rows: CsvRows) -> Callable[[CsvRow, InputProblems, InputWarnings], list[Any]]:
    """How to read a row into what the signature asks for; what is wrong, or worth a warning, is noted with its line."""
    positions = {name: position for position, name in enumerate(rows.header)}
    plan = [
        (
            column,
            positions.get(column.name),
            converter(column, decimal_comma=rows.decimal_comma),
            check_of(column) if column.kind == "datetime" else None,
            column.missing_allowed or not column.used,
            column.all_categories,
        )
        for column in signature.inputs
    ]

    def read(row: CsvRow, problems: InputProblems, warnings: InputWarnings) -> list[Any]:
        values: list[Any] = []
        for column, position, convert, check, may_be_missing, known in plan:
            value = None
            try:
                value = None if position is None else convert(row.cells[position])
                wrong = None if value is None or check is None else check(value)
            except WrongCell as cell:
                wrong = str(cell)
            except NotFinite as cell:
                wrong = None if may_be_missing else f"{cell}; the model needs a number"
                if may_be_missing:
                    warnings.add(WarningKind.NOT_FINITE, row.line, column.name)
            if wrong is not None:
                _add_wrong(problems, row.line, column.name, wrong, may_be_missing=may_be_missing)
            elif value is None and not may_be_missing:
                sentence = f"line {row.line}: Column '{column.name}' is missing; the model needs a value."
                problems.add((row.line, column.name), sentence, missing=True)
            elif value is not None and known is not None and value not in known:
                warnings.add_unknown(row.line, column, value)
            values.append(value)
        return values

    return read


def _add_wrong(problems: InputProblems, line: int, name: str, wrong: str, *, may_be_missing: bool) -> None:
    hint = " Leave the cell empty where the value is missing." if may_be_missing else ""
    problems.add((line, name), f"line {line}, column '{name}': {wrong}.{hint}")


def _bounded(rows: Iterator[CsvRow]) -> Iterator[CsvRow]:
    size = 0
    for row in rows:
        yield row
        size += sum(map(len, row.cells)) + _OBJECT_BYTES * len(row.cells)
        if size > _BATCH_BYTES:
            return


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
