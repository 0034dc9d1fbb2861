"""Reads rows from JSON for one model, if each cell is what the model takes as it is.

A row of any other kind is left to those who know what may be meant, and say what is wrong.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from api.fast.body import MOST
from shared.compiled.kernels.columns import are_within
from shared.compiled.model import CompiledModel
from shared.estimators.signature import InputColumn, Signature
from shared.prediction.moments import plain_moments
from shared.prediction.strings import reading_of_strings, taken_as_they_are
from shared.tables.columns import CellReading
from shared.training.frame import day

# To find the fields of a record with many in another order takes time with the square of their number.
MOST_COLUMNS = 512
# So many rows are read at one stroke; other threads run between two.
_STROKE = 256
_TYPES: dict[str, Any] = {"integer": float, "number": float, "boolean": bool}

# Makes numbers of the cells of one column; raises KeyError or ValueError for a cell that is not plain.
Take = Callable[[Sequence[Any]], Sequence[Any]]


class NotPlain(Exception):
    """The rows, or all rows of a model, need a closer look."""


class ReadRows(NamedTuple):
    """Rows of the used columns, and how many quotes there are in their JSON."""

    table: NDArray[np.float64]
    quotes: int


class RowReader:
    """Reads the rows of one compiled model."""

    def __init__(self, signature: Signature, compiled: CompiledModel) -> None:
        """Raises NotPlain for a model of which no row is plain."""
        inputs = signature.inputs
        if signature.gap_numbers or len(inputs) > MOST_COLUMNS:
            raise NotPlain
        fields = [(f"cell_{position}", _type_of(column)) for position, column in enumerate(inputs)]
        self._by_name = _decoder_by_name(fields, [column.name for column in inputs])
        by_place = msgspec.defstruct("ByPlace", fields, array_like=True, forbid_unknown_fields=True, gc=False)
        self._by_place = msgspec.json.Decoder(by_place)
        self._quotes_of_names = 2 * len(inputs)
        self._used = signature.used_positions
        self._aside = [position for position, column in enumerate(inputs) if not column.used]
        self._takes = [_take_of(column, compiled, place) for place, column in enumerate(signature.used_inputs)]
        self._texts = [place for place, position in enumerate(self._used) if inputs[position].kind not in _TYPES]

    def read(self, rows: Sequence[msgspec.Raw], *, by_name: bool) -> ReadRows | None:
        """The rows, NaN where a value is missing; None if one of them is not plain."""
        decoder = self._by_name if by_name else self._by_place
        if decoder is None:
            return None
        decode = decoder.decode
        table = np.empty((len(rows), len(self._used)))
        quotes = self._quotes_of_names * len(rows) if by_name else 0
        try:
            for start in range(0, len(rows), _STROKE):
                columns = list(
                    zip(*[msgspec.structs.astuple(decode(row)) for row in rows[start : start + _STROKE]], strict=True)
                )
                quotes += self._put(columns, table[start : start + _STROKE])
            _check(table)
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, ValueError, NotPlain):
            return None
        return ReadRows(table, quotes)

    def _put(self, columns: list[tuple[Any, ...]], table: NDArray[np.float64]) -> int:
        for place, (position, take) in enumerate(zip(self._used, self._takes, strict=True)):
            table[:, place] = take(columns[position])
        texts = 0
        for place in self._texts:
            cells = columns[self._used[place]]
            texts += len(cells) - cells.count(None)
        for position in self._aside:
            for cell in columns[position]:
                if isinstance(cell, str):
                    texts += 1
                elif isinstance(cell, float) and abs(cell) >= MOST:
                    raise NotPlain
        return 2 * texts


def _decoder_by_name(fields: list[tuple[str, Any]], names: list[str]) -> "msgspec.json.Decoder[Any] | None":
    """What reads objects by these names; None where one of them has to be written with an escape."""
    named = {field: name for (field, _), name in zip(fields, names, strict=True)}
    try:
        found = msgspec.defstruct("ByName", fields, rename=named, forbid_unknown_fields=True, gc=False)
    except ValueError:
        return None
    return msgspec.json.Decoder(found)


def _type_of(column: InputColumn) -> Any:
    if not column.used:
        return str | float | bool | None
    kind = _TYPES.get(column.kind, str)
    return kind | None if column.missing_allowed else kind


def _take_of(column: InputColumn, compiled: CompiledModel, place: int) -> Take:
    if column.kind in _TYPES:
        return _as_they_are
    if column.kind == "datetime":
        reading = reading_of_strings(column)
        if reading is None or reading.rules == 1:
            raise NotPlain
        return lambda texts: _days(texts, reading)
    codes = compiled.codes[place]
    if codes is None or not all(isinstance(word, str) for word in [*codes, *(column.categories or [])]):
        raise NotPlain
    # A word that training has not met has a number, too; it is told where the signature knows all of them.
    known = column.all_categories
    words = taken_as_they_are(column, codes) if known is None else known
    number_of: dict[str | None, float] = {word: codes.get(word, float(len(codes))) for word in words}
    number_of[None] = math.nan
    return lambda cells: [number_of[cell] for cell in cells]


def _as_they_are(cells: Sequence[Any]) -> Sequence[Any]:
    return cells


def _days(texts: Sequence[str | None], reading: CellReading) -> list[float]:
    moments = plain_moments([text for text in texts if text is not None], reading)
    if moments is None:
        raise NotPlain
    found = iter(moments)
    return [math.nan if text is None else day(next(found)) for text in texts]


def _check(table: NDArray[np.float64]) -> None:
    """See that no number is huge and no row without any value; both have something said about them."""
    if are_within(table, MOST):
        return
    gaps = np.isnan(table)
    if gaps.all(axis=1).any() or not are_within(np.where(gaps, 0.0, table), MOST):
        raise NotPlain
