"""From the JSON of a request to what a model takes, checked cell by cell against the signature.

Rows by position (`features`) and rows by name (`records`) become one form: lists of values in signature order.
"""

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from shared.errors import BodyTooLarge, InvalidInput, closest, meant
from shared.estimators.signature import Signature
from shared.prediction.cells import short, shown
from shared.prediction.input_warnings import InputWarnings, WarningKind
from shared.prediction.json_cells import NUMBERS, take_cells
from shared.prediction.problems import InputProblems, listed, named
from shared.tables.names import with_settled_names

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def take_input(
    signature: Signature, *, version: int, features: Any, records: Any, max_cells: int, warnings: InputWarnings
) -> Any:
    """Check one of the two forms (the other one is None) and give the rows of the model of `version`.

    They are an array with one column per used input, or the values of each used input by name, None where missing.
    What has to be done for that, and may not be what was meant, is noted in `warnings`.

    Raises:
        InvalidInput: for everything that is wrong, all at once.
        MissingNotAllowed: when values are missing that the model needs, and nothing else is wrong.
        BodyTooLarge: when there are more cells than one request may have.
    """
    if (features is None) == (records is None):
        raise _invalid((), "Give either 'features' (rows of values) or 'records' (objects by column name).")
    form = "features" if records is None else "records"
    rows = features if records is None else records
    if not isinstance(rows, list) or not rows:
        raise _invalid((form,), f"'{form}' must be a list of at least one row.")
    _check_size(signature, len(rows), max_cells)
    if form == "features":
        return _read_features(signature, rows, warnings, version=version)
    return _read_records(signature, rows, warnings, version=version)


def _read_features(signature: Signature, rows: list[Any], warnings: InputWarnings, *, version: int) -> Any:
    plain = _plain_numbers(signature, rows)
    if plain is not None:
        return plain
    problems = InputProblems()
    numbers = [index for index, row in enumerate(rows) if _has_shape(signature, index, row, problems, version=version)]
    rows = [list(rows[index]) for index in numbers]
    take_cells(signature, rows, "features", problems, warnings, numbers=numbers)
    problems.raise_if_any()
    return _by_name(signature, rows)


def _read_records(signature: Signature, records: list[Any], warnings: InputWarnings, *, version: int) -> Any:
    problems = InputProblems()
    names = [column.name for column in signature.inputs]
    known = frozenset(names)
    lacking = {column.name for column in signature.inputs if column.used}
    rows, numbers = [], []
    for index, sent in enumerate(records):
        if not isinstance(sent, dict):
            problems.add(("records", index), f"Row {index} must be an object, but is {_described(sent)}.")
            continue
        has_others = not known.issuperset(sent) and signature.rules > 1
        record = with_settled_names(sent, known | {signature.target}) if has_others else sent
        for name in record:
            if name == signature.target:
                warnings.add(WarningKind.TARGET_IGNORED, index, name)
            elif name not in known:
                left = [column for column in names if column not in record] if problems.suggests else []
                near = closest(name, left)
                sentence = partial(_unknown_column, named(version, signature), name, near, names)
                problems.add_unknown(("records", index, name), sentence, near=near, known=left or names)
        lacking.difference_update(record)
        rows.append([record.get(name) for name in names])
        numbers.append(index)
    if lacking:
        absent = listed([name for name in names if name in lacking])
        warnings.tell(f"The records lack {absent}: the values there are taken as missing.")
    take_cells(signature, rows, "records", problems, warnings, numbers=numbers)
    problems.raise_if_any()
    return _by_name(signature, rows)


def _plain_numbers(signature: Signature, rows: list[Any]) -> "NDArray[np.float64] | None":
    """The rows as an array if nothing is wrong with them; looking for what is wrong takes much longer."""
    width = len(signature.inputs)
    if (
        not signature.numeric
        or signature.gap_numbers
        or not all(type(row) is list and len(row) == width for row in rows)
    ):
        return None
    used = signature.used_positions
    if len(used) < width:
        # What stands in the other columns may be anything.
        rows = [[row[position] for position in used] for row in rows]
    if not NUMBERS.issuperset(map(type, chain.from_iterable(rows))):
        return None
    import numpy as np

    try:
        array = np.array(rows, dtype=np.float64)
    except OverflowError:
        return None
    return array if np.isfinite(array).all() else None


def _has_shape(signature: Signature, index: int, row: Any, problems: InputProblems, *, version: int) -> bool:
    """Whether a row has a value for each column; its cells can be looked at then."""
    if not isinstance(row, list):
        problems.add(
            ("features", index),
            f"Row {index} must be a list of values, but is {_described(row)}. One row is written [[...]].",
        )
    elif len(row) != len(signature.inputs):
        count = f"{len(row)} value{'' if len(row) == 1 else 's'}"
        problems.add(("features", index), lambda: f"Row {index} has {count}, but {_wanted(signature, version)}.")
    else:
        return True
    return False


def _wanted(signature: Signature, version: int) -> str:
    names = [column.name for column in signature.inputs]
    return f"the {named(version, signature)} takes {len(names)}: {listed(names)}"


def _by_name(signature: Signature, rows: list[list[Any]]) -> dict[str, list[Any]]:
    return {
        column.name: [row[position] for row in rows] for position, column in enumerate(signature.inputs) if column.used
    }


def _check_size(signature: Signature, rows: int, max_cells: int) -> None:
    cells = rows * len(signature.inputs)
    if cells > max_cells:
        raise BodyTooLarge(
            f"The input has {cells} cells ({rows} rows of {len(signature.inputs)}), one request may have {max_cells}. "
            "Send the rows in several requests.",
            limit=max_cells,
            setting="MLMINI_PREDICT_MAX_CELLS",
        )


def _unknown_column(model: str, name: str, near: str | None, names: list[str]) -> str:
    hint = meant(near) or f" It takes: {listed(names)}."
    return f"The {model} has no input column '{short(name)}'.{hint}"


def _described(value: Any) -> str:
    return "null" if value is None else shown(value)


def _invalid(place: tuple[str, ...], sentence: str) -> InvalidInput:
    return InvalidInput(sentence, errors=[{"loc": ["body", "input_data", *place], "msg": sentence}])
