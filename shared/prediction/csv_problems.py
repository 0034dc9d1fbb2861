"""What is to be told of the cells of CSV: which are wrong or missing, and which were not taken as they are written."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from shared.estimators.signature import InputColumn
from shared.prediction.cells import not_a_moment
from shared.prediction.input_warnings import InputWarnings, WarningKind
from shared.prediction.problems import InputProblems

if TYPE_CHECKING:
    from shared.prediction.texts import Texts

_SHOWN = 40

# Tells of one cell.
Tell = Callable[[InputProblems, InputWarnings], None]


def told_of(
    column: InputColumn, lines: Sequence[int], cells: Sequence[str], found: "Texts"
) -> Iterator[tuple[int, Tell]]:
    """What is to be told of some cells of a column, with the position of each."""
    set_aside = {*found.wrong, *found.not_finite}
    for position in found.wrong:
        yield position, _of_wrong(column, lines[position], cells[position])
    for position in found.not_finite:
        yield position, _of_not_finite(column, lines[position], cells[position])
    known = column.all_categories
    if known is None and column.missing_allowed:
        return
    for position, value in enumerate(found.values):
        if value is None:
            if not column.missing_allowed and position not in set_aside:
                yield position, _of_missing(column, lines[position])
        elif known is not None and value not in known:
            yield position, _of_unknown(column, lines[position], value)


def add_wrong(problems: InputProblems, column: InputColumn, line: int, cell: str) -> None:
    """Note a cell that is not of the column's kind."""
    _add(problems, column, line, _why_wrong(column, cell.strip()))


def _of_wrong(column: InputColumn, line: int, cell: str) -> Tell:
    return lambda problems, _warnings: add_wrong(problems, column, line, cell)


def _of_not_finite(column: InputColumn, line: int, cell: str) -> Tell:
    if column.missing_allowed:
        return lambda _problems, warnings: warnings.add(WarningKind.NOT_FINITE, line, column.name)
    what = "not a number" if "nan" in cell.lower() else "infinite or too large"
    sentence = f"'{cell.strip()[:_SHOWN]}' is {what}; the model needs a number"
    return lambda problems, _warnings: _add(problems, column, line, sentence)


def _of_missing(column: InputColumn, line: int) -> Tell:
    sentence = f"line {line}: Column '{column.name}' is missing; the model needs a value."
    return lambda problems, _warnings: problems.add((line, column.name), sentence, missing=True)


def _of_unknown(column: InputColumn, line: int, value: object) -> Tell:
    return lambda _problems, warnings: warnings.add_unknown(line, column, value)


def _why_wrong(column: InputColumn, cell: str) -> str:
    if column.kind == "datetime":
        return not_a_moment(cell)
    if column.kind == "boolean":
        return f"'{cell[:_SHOWN]}' is neither true nor false"
    said = f"'{cell[:_SHOWN]}' is not a number"
    if column.cells is not None and _has_other_mark(cell, column.cells.decimal):
        return f"{said} with a decimal {'comma' if column.cells.decimal == ',' else 'point'}, as the table had it"
    return said


def _has_other_mark(cell: str, decimal: str) -> bool:
    digits = cell.lstrip("+-").replace(".", "").replace(",", "")
    return digits.isdecimal() and decimal not in cell and not cell.isdecimal()


def _add(problems: InputProblems, column: InputColumn, line: int, wrong: str) -> None:
    hint = " Leave the cell empty where the value is missing." if column.missing_allowed else ""
    problems.add((line, column.name), f"line {line}, column '{column.name}': {wrong}.{hint}")
