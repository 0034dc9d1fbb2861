"""From the tensors of a request to rows in the order of a model's signature."""

from collections.abc import Sequence
from typing import Any

from api.protocols.columns import check_cells, found_columns
from api.protocols.v2.tensors import Tensor
from shared.errors import InvalidInput
from shared.estimators.signature import Signature
from shared.prediction.cells import short
from shared.prediction.problems import InputProblems, listed, named


def rows_of(
    signature: Signature, tensors: Sequence[Tensor], *, version: int, max_cells: int, warnings: list[str]
) -> list[list[Any]]:
    """The rows of the tensors; columns that are not among them are missing, which is noted in `warnings`.

    Raises:
        InvalidInput: when names and shapes are not those of the model, all at once.
        BodyTooLarge: when there are more cells than one request may have.
    """
    width = len(signature.inputs)
    whole = _whole_table(signature, tensors)
    count = tensors[0].shape[0]
    if whole is None:
        columns = _columns(signature, tensors, version=version, warnings=warnings)
    elif whole.shape[1] != width:
        raise _refused(
            f"The input '{whole.name}' has the shape {list(whole.shape)}, but the {_wanted(signature, version)} Send "
            f"[rows, {width}]."
        )
    if count == 0:
        raise _refused("The inputs have no rows. Send at least one.")
    check_cells(count, width, max_cells)
    if whole is not None:
        return [whole.values[start : start + width] for start in range(0, count * width, width)]
    nothing = [None] * count
    cells = [columns.get(column.name, nothing) for column in signature.inputs]
    return [list(row) for row in zip(*cells, strict=True)]


def _whole_table(signature: Signature, tensors: Sequence[Tensor]) -> Tensor | None:
    """The one tensor that has all columns, whatever its name."""
    if len(tensors) > 1 or len(tensors[0].shape) == 1:
        return None
    tensor = tensors[0]
    is_column = tensor.shape[1] == 1 and any(column.name == tensor.name for column in signature.inputs)
    return None if is_column else tensor


def _columns(
    signature: Signature, tensors: Sequence[Tensor], *, version: int, warnings: list[str]
) -> dict[str, list[Any]]:
    rows = tensors[0].shape[0]
    problems = InputProblems("body", "inputs")
    names = [tensor.name for tensor in tensors]
    found = found_columns(signature, names, version=version, word="input", problems=problems, warnings=warnings)
    for index, tensor in enumerate(tensors):
        if tensor.shape not in {(rows,), (rows, 1)}:
            sentence = (
                f"The input '{short(tensor.name)}' has the shape {list(tensor.shape)}. Send [{rows}] or [{rows}, 1]: a "
                "column with one value for each row, as many as the first input has."
            )
            problems.add((index, "shape"), sentence)
    problems.raise_if_any()
    return {name: tensors[index].values for name, index in found.items()}


def _wanted(signature: Signature, version: int) -> str:
    names = [column.name for column in signature.inputs]
    return f"{named(version, signature)} takes {len(names)} columns: {listed(names)}."


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, errors=[{"loc": ["body", "inputs", 0, "shape"], "msg": sentence}])
