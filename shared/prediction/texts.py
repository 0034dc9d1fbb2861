"""The texts of one column of an input as its values: read as the cells of the table were in training."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from shared.estimators.signature import InputColumn
from shared.prediction.moments import plain_moments
from shared.tables.cells import read_cells, without_gaps
from shared.tables.columns import CellReading, ColumnKind
from shared.tables.values import STRINGS, without_blanks

# Of so few, Arrow's steps take longer than to read each by itself.
_FEW = 64
_NUMBERS = frozenset({ColumnKind.INTEGER, ColumnKind.NUMBER})


class Texts(NamedTuple):
    """Values, None where a text is missing, wrong or not finite; and where the wrong ones and the others are.

    In training, a number that is not finite counts as missing.
    """

    values: list[Any]
    wrong: list[int]
    not_finite: list[int]


def reading_of(column: InputColumn, *, comma_parts: bool) -> CellReading:
    """How cells of CSV are read for a column; `comma_parts` says that a comma parts them from each other.

    In CSV all cells are text, whatever the table was that a model learnt from.
    """
    kind = ColumnKind(column.kind)
    kind = ColumnKind.NUMBER if kind in _NUMBERS else kind
    if column.cells is None:
        return CellReading(rules=1, kind=kind, decimal="." if comma_parts else ",")
    return column.cells.model_copy(update={"kind": kind, "typed": column.cells.typed and kind in STRINGS})


def read_texts(texts: Sequence[str], reading: CellReading) -> Texts:
    """The values of some texts."""
    moments = plain_moments(texts, reading) if len(texts) <= _FEW else None
    if moments is not None:
        return Texts(moments, [], [])
    cells = pa.array(texts, pa.string())
    found = read_cells(cells, reading)
    values = found.values.to_pylist()
    wrong = [] if found.wrong is None else pc.indices_nonzero(found.wrong).to_pylist()
    if reading.kind is ColumnKind.DATETIME:
        wrong = _other_moments(texts, values, wrong)
    return Texts(values, wrong, _not_finite(cells, found.values, set(wrong), reading))


def present(cells: pa.Array, reading: CellReading) -> pa.Array:
    """The cells with null for those that stand for a missing value."""
    return without_gaps(cells, reading) if reading.rules > 1 else without_blanks(cells)


def _other_moments(texts: Sequence[str], values: list[Any], wrong: list[int]) -> list[int]:
    """Fill in the moments in forms of ISO 8601 that tables do not have, such as 2026-W05-6; what is left is wrong."""
    left = []
    for position in wrong:
        try:
            values[position] = datetime.fromisoformat(texts[position].strip())
        except ValueError:
            left.append(position)
    return left


def _not_finite(cells: pa.Array, values: pa.Array, wrong: set[int], reading: CellReading) -> list[int]:
    if reading.kind is not ColumnKind.NUMBER or values.null_count == len(wrong):
        return []
    without_value = pc.and_(pc.is_null(values), pc.is_valid(present(cells, reading)))
    return [position for position in pc.indices_nonzero(without_value).to_pylist() if position not in wrong]
