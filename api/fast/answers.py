"""Writes the answers of a compiled model as JSON; all that is the same in each is written once."""

import json
import sys
from functools import cached_property
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from api.fast.body import MOST, TableBody
from shared.estimators.intervals import bounds, sets
from shared.prediction.computing import ModelInForm
from shared.prediction.extras import Extras
from shared.prediction.loaded import ServingPlace
from shared.prediction.predictor import Predictor

if TYPE_CHECKING:
    from api.fast.rows import RowReader
    from shared.compiled.model import Computed

# The largest finite number.
LARGEST = sys.float_info.max
# So many rows are written at one stroke; other threads run between two.
_STROKE = 1024


class AnswerWriter:
    """Computes and writes the answers of one version, for one place where it serves."""

    def __init__(self, place: ServingPlace, predictor: Predictor, computes: ModelInForm) -> None:
        head = {
            "dataset_name": place.dataset_name,
            "environment": place.environment,
            "version": predictor.version,
            "target": predictor.signature.target,
        }
        from shared.compiled.kernels.columns import are_within

        self._are_within = are_within
        self._signature = predictor.signature
        self.takes_plain_numbers = predictor.signature.takes_plain_numbers
        self.width = len(predictor.signature.inputs)
        self._gives_probabilities = computes.gives_probabilities
        self.seconds = computes.seconds
        self._compiled = computes.compiled
        self._head = _written(head).removesuffix("}") + ',"predictions":['
        classes = predictor.signature.classes
        self._labels = None if classes is None else [_written(label) for label in classes]
        self._classes = f',"classes":{_written(classes)}'

    @cached_property
    def _reader(self) -> "RowReader | None":
        """What reads rows of all kinds of columns; None where each needs a closer look."""
        from api.fast.rows import NotPlain, RowReader

        try:
            return RowReader(self._signature, self._compiled)
        except NotPlain:
            return None

    def gives(self, extras: Extras) -> bool:
        """Whether the model has what is asked for."""
        if extras.takes_probabilities(self._signature) and not self._gives_probabilities:
            return False
        return self._signature.uncertainty is not None or not extras.intervals

    def answer_to(self, body: TableBody, quotes: int) -> bytes | None:
        """The answer to a body with so many quotes; None where something in it is not plain."""
        found = None if self._reader is None else self._reader.read(body.rows, by_name=body.by_name)
        if found is None or body.quotes + found.quotes != quotes:
            return None
        return self._answer(found.table, body.extras)

    def answer(self, rows: NDArray[np.float64], extras: Extras) -> bytes | None:
        """The answer to rows of numbers; None where one of them is huge, or the model refuses them."""
        return self._answer(rows, extras) if self._are_within(rows, MOST) else None

    def _answer(self, rows: NDArray[np.float64], extras: Extras) -> bytes | None:
        try:
            found = self._compiled.compute(rows, probabilities=extras.takes_probabilities(self._signature))
        except ValueError:
            return None
        if self._labels is None:
            if not self._are_within(np.ascontiguousarray(found.predictions).reshape(1, -1), LARGEST):
                return None
            predicted = _listed(found.predictions)
        else:
            labels = self._labels
            predicted = ",".join([labels[place] for place in found.predictions.tolist()])
        shares, intervals = "", ""
        if found.probabilities is not None:
            if not self._are_within(np.ascontiguousarray(found.probabilities), LARGEST):
                return None
            if extras.probabilities:
                shares = f',"probabilities":[{_listed(found.probabilities)}]{self._classes}'
        if extras.intervals:
            intervals = self._intervals(found)
        return f'{self._head}{predicted}],"warnings":[]{shares}{intervals}}}'.encode()

    def _intervals(self, found: "Computed") -> str:
        """The intervals with their name.

        Raises:
            ValueError: when an end of one is not finite.
        """
        promise = self._signature.uncertainty
        assert promise is not None, "whoever asks for intervals has looked"  # noqa: S101 - an invariant
        if self._labels is None or found.probabilities is None:
            return f',"intervals":[{_listed(bounds(found.predictions, promise.margin))}]'
        labels, chosen = self._labels, sets(found.probabilities, promise.margin)
        each = [",".join(compress(labels, row)) for row in chosen.tolist()]
        return f',"intervals":[[{"],[".join(each)}]]'


def _listed(values: NDArray[Any]) -> str:
    """Finite numbers, or lists of them, as they stand in a list."""
    parts = (values[start : start + _STROKE] for start in range(0, len(values), _STROKE))
    return ",".join([_written(part.tolist())[1:-1] for part in parts])


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
