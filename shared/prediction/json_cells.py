"""The cells of rows in JSON, or of rows that were read from a table, against the columns of a model."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from shared.estimators.signature import InputColumn, Signature
from shared.prediction.cells import Check, Spelling, check_of, text_of_number
from shared.prediction.input_warnings import InputWarnings, WarningKind
from shared.prediction.problems import InputProblems
from shared.prediction.strings import take_strings
from shared.tables.missing import is_missing

NUMBERS = frozenset({int, float})


class _Input(NamedTuple):
    """What is needed again and again to look at the cells of one column."""

    position: int
    key: str | int
    column: InputColumn
    may_be_missing: bool
    check: Check
    spell: Spelling | None
    known: frozenset[Any] | None


def take_cells(
    signature: Signature,
    rows: list[list[Any]],
    form: str,
    problems: InputProblems,
    warnings: InputWarnings,
    *,
    numbers: Sequence[int],
) -> None:
    """Look at each cell of rows that have the right shape, and put in these rows what the model gets for it.

    Strings become the values that they spell. Numbers in columns of texts become texts. `numbers` are what
    problems and warnings call the rows.
    """
    take_strings(signature, rows, warnings, numbers=numbers)
    for position, gaps in signature.gap_numbers.items():
        for row in rows:
            if type(row[position]) in NUMBERS and row[position] in gaps:
                row[position] = None
    inputs = [
        _Input(
            position,
            column.name if form == "records" else position,
            column,
            may_be_missing=column.missing_allowed or not column.used,
            check=check_of(column),
            spell=text_of_number(column),
            known=column.all_categories,
        )
        for position, column in enumerate(signature.inputs)
    ]
    for index, row in zip(numbers, rows, strict=True):
        for each in inputs:
            _take_cell(each, row, (form, index, each.key), problems, warnings)
        if all(row[each.position] is None for each in inputs if each.column.used):
            warnings.add(WarningKind.NOTHING_GIVEN, index)


def _take_cell(
    given: _Input, row: list[Any], place: tuple[str, int, str | int], problems: InputProblems, warnings: InputWarnings
) -> None:
    column, index, value = given.column, place[1], row[given.position]
    wrong = None if value is None else given.check(value)
    if wrong is not None:
        hint = " Send null where a value is missing." if given.may_be_missing and _stands_for_missing(value) else ""
        problems.add(place, f"Column '{column.name}' ({column.kind}), row {index}: {wrong}.{hint}")
        return
    if given.spell is not None and type(value) in NUMBERS:
        value, seen = given.spell(value)
        if column.cells is not None and value in (column.cells.gap_words or ()):
            value = None
        else:
            kind = WarningKind.NUMBER_AS_TEXT if seen else WarningKind.NUMBER_AS_UNKNOWN_TEXT
            warnings.add(kind, index, column.name)
        row[given.position] = value
    elif given.known is not None and value is not None and value not in given.known:
        warnings.add_unknown(index, column, value)
    if value is None and not given.may_be_missing:
        sentence = f"Column '{column.name}' is missing in row {index}; the model needs a value."
        problems.add(place, sentence, missing=True)


def _stands_for_missing(value: Any) -> bool:
    return isinstance(value, str) and is_missing(value)
