"""Columns that a message names, found among those of a model."""

from collections.abc import Sequence
from functools import partial

from shared.errors import BodyTooLarge, closest, meant
from shared.estimators.signature import Signature
from shared.prediction.cells import short
from shared.prediction.problems import InputProblems, listed, named
from shared.tables.names import with_settled_names


def found_columns(
    signature: Signature,
    names: Sequence[str],
    *,
    version: int,
    word: str,
    problems: InputProblems,
    warnings: list[str],
) -> dict[str, int]:
    """Where each of the names stands, by the name that the model has for it; none of them is given twice.

    Names that the model does not know are noted in `problems`, what is missing or is not for it in `warnings`; `word`
    is what the message calls a column.
    """
    inputs = [column.name for column in signature.inputs]
    known = frozenset({*inputs, signature.target})
    found = {name: index for index, name in enumerate(names)}
    if signature.rules > 1:
        found = with_settled_names(found, known)
    for name, index in found.items():
        if name not in known:
            left = [column for column in inputs if column not in found] if problems.suggests else []
            near = closest(name, left)
            sentence = partial(_unknown, f"{named(version, signature)} has no {word}", name, near, inputs)
            problems.add_unknown((index, "name"), sentence, near=near, known=left or inputs)
    if signature.target in found:
        warnings.append(f"The {word} '{short(signature.target)}' is what the model predicts: it was ignored.")
    lacking = [column.name for column in signature.inputs if column.used and column.name not in found]
    if lacking:
        warnings.append(f"The {word}s lack {listed(lacking)}: the values there are taken as missing.")
    return found


def _unknown(beginning: str, name: str, near: str | None, inputs: list[str]) -> str:
    return f"The {beginning} '{short(name)}'.{meant(near) or f' It takes: {listed(inputs)}.'}"


def check_cells(rows: int, width: int, max_cells: int) -> None:
    """Look at the size before there is a list for each row, for a column that is left out takes no bytes.

    Raises:
        BodyTooLarge: when there are more cells than one request may have.
    """
    if rows * width > max_cells:
        raise BodyTooLarge(
            f"The input has {rows * width} cells ({rows} rows of {width}), one request may have {max_cells}. "
            "Send the rows in several requests.",
            limit=max_cells,
            setting="MLMINI_PREDICT_MAX_CELLS",
        )
