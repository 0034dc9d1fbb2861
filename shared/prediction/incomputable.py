"""What to say when the cells of an input are right, but the model cannot compute with them."""

from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from shared.errors import InvalidInput
from shared.estimators.signature import InputColumn, Signature
from shared.prediction.cells import shown
from shared.prediction.problems import InputProblems

# Trees and forests compute in single precision (IEEE 754, binary32).
LARGEST_SINGLE = (2 - 2**-23) * 2.0**127


def refuse_values(signature: Signature, *, features: Any, records: Any) -> NoReturn:
    """Refuse an input that a model cannot take, naming the cells that are too large for single precision.

    Raises:
        InvalidInput: always.
    """
    problems = InputProblems()
    for place, row, column, value in _cells(signature, features, records):
        if column.used and type(value) in {int, float} and abs(value) > LARGEST_SINGLE:
            sentence = f"Column '{column.name}' ({column.kind}), row {row}: {shown(value)} is too large for this model"
            problems.add(place, f"{sentence}, which computes with numbers up to {LARGEST_SINGLE:.2g}.")
    problems.raise_if_any()
    raise InvalidInput(
        "The model cannot compute a prediction from these values. Give values such as those it was trained on.",
        errors=[{"loc": ["body", "input_data"], "msg": "the model refuses these values"}],
    )


def refuse_rows(form: str, rows: Iterable[int], what: str = "the prediction") -> None:
    """Refuse the rows of an input for which the model's result is infinite or not a number, if there are any.

    `what` it is of the result that is not finite.

    Raises:
        InvalidInput: naming each of the rows.
    """
    problems = InputProblems()
    for row in rows:
        problems.add(
            (form, row),
            f"Row {row}: {what} is not a finite number. Give values such as those the model was trained on.",
        )
    problems.raise_if_any()


def _cells(
    signature: Signature, features: Any, records: Any
) -> Iterator[tuple[tuple[str | int, ...], int, InputColumn, Any]]:
    """Each cell of an input that has been checked, with its place."""
    for row, cells in enumerate(features or []):
        for position, (column, value) in enumerate(zip(signature.inputs, cells, strict=True)):
            yield ("features", row, position), row, column, value
    for row, record in enumerate(records or []):
        for column in signature.inputs:
            yield ("records", row, column.name), row, column, record.get(column.name)
