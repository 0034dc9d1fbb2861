"""Writes the answers of a compiled model as JSON; all that is the same in each is written once."""

import json
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.fast.body import MOST
from shared.prediction.computing import ModelInForm
from shared.prediction.loaded import ServingPlace
from shared.prediction.predictor import Predictor

# The largest finite number.
LARGEST = sys.float_info.max


class AnswerWriter:
    """Computes and writes the answers of one version to rows of numbers, for one place where it serves."""

    def __init__(self, place: ServingPlace, predictor: Predictor, computes: ModelInForm) -> None:
        head = {
            "dataset_name": place.dataset_name,
            "environment": place.environment,
            "version": predictor.version,
            "target": predictor.signature.target,
        }
        from shared.compiled.kernels.columns import are_within

        self._are_within = are_within
        self.width = len(predictor.signature.inputs)
        self.gives_probabilities = computes.gives_probabilities
        self.seconds = computes.seconds
        self._compiled = computes.compiled
        self._head = _written(head).removesuffix("}") + ',"predictions":['
        classes = predictor.signature.classes
        self._labels = None if classes is None else [_written(label) for label in classes]
        self._classes = f',"classes":{_written(classes)}}}'

    def answer(self, rows: NDArray[np.float64], *, probabilities: bool) -> bytes | None:
        """The answer to rows; None where a number of them is huge, one of it not finite, or the model refuses them."""
        if not self._are_within(rows, MOST):
            return None
        try:
            found = self._compiled.compute(rows, probabilities=probabilities)
        except ValueError:
            return None
        if self._labels is None:
            if not self._are_within(np.ascontiguousarray(found.predictions).reshape(1, -1), LARGEST):
                return None
            predicted = _written(found.predictions.tolist())[1:-1]
        else:
            labels = self._labels
            predicted = ",".join([labels[place] for place in found.predictions.tolist()])
        if found.probabilities is None:
            return f'{self._head}{predicted}],"warnings":[]}}'.encode()
        if not self._are_within(np.ascontiguousarray(found.probabilities), LARGEST):
            return None
        shares = _written(found.probabilities.tolist())
        return f'{self._head}{predicted}],"warnings":[],"probabilities":{shares}{self._classes}'.encode()


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
