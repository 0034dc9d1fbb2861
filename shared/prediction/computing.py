"""What computes the predictions of a version: its compiled model, or the fitted model itself."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from shared.estimators.signature import InputColumn, Signature
from shared.training.frame import days, model_input, numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from shared.compiled.model import CompiledModel


# The kinds of columns that a model takes as numbers.
_AS_NUMBERS = frozenset({"integer", "number", "boolean", "datetime"})


class Answers(NamedTuple):
    """One label or number per row, and a row of probabilities each if they were asked for."""

    predictions: Any
    probabilities: Any


class Computes(Protocol):
    """Computes predictions; threads may share it."""

    @property
    def signature(self) -> Signature:
        """What it takes and gives."""

    @property
    def name(self) -> str:
        """The estimator's class."""

    @property
    def gives_probabilities(self) -> bool:
        """Whether it is a classifier that has them."""

    def compute(self, rows: Any, *, probabilities: bool) -> Answers:
        """The predictions for checked rows: an array with one column per used input, or the values of each by name.

        Raises:
            ValueError, FloatingPointError, OverflowError: for values that the estimator does not take.
        """


@dataclass(frozen=True)
class FittedModel:
    """A model of scikit-learn."""

    model: Any
    signature: Signature

    @property
    def name(self) -> str:
        """The estimator's class."""
        return type(self.model).__name__

    @property
    def gives_probabilities(self) -> bool:
        """Whether it is a classifier that has them."""
        return self.signature.task == "classification" and hasattr(self.model, "predict_proba")

    def compute(self, rows: Any, *, probabilities: bool) -> Answers:
        """The predictions for checked rows.

        Raises:
            ValueError, FloatingPointError, OverflowError: for values that the estimator does not take.
        """
        import numpy as np

        if isinstance(rows, dict):
            rows = model_input(rows, self.signature.used_inputs, numeric=self.signature.numeric)
        # Overflows show in the result, which is looked at; a warning in the log would help nobody.
        with np.errstate(all="ignore"):
            return Answers(self.model.predict(rows), self.model.predict_proba(rows) if probabilities else None)


@dataclass(frozen=True)
class ModelInForm:
    """A compiled model."""

    compiled: "CompiledModel"
    signature: Signature
    name: str

    @cached_property
    def _times(self) -> tuple[float, float]:
        """Seconds for one row and for a hundred, measured: the first call of each is not counted.

        The processor's time of this thread counts, which other programs do not lengthen: the measure holds for as long
        as the model is in memory.
        """
        import numpy as np

        generator = np.random.default_rng(0)
        times = []
        for rows in (1, 100):
            made = generator.normal(size=(rows, len(self.compiled.categories)))
            taken = []
            for _ in range(6):
                began = time.thread_time()
                # Rows that are made up may be such as the estimator refuses; that is no reason not to serve it.
                with suppress(ValueError):
                    self.compiled.compute(made, probabilities=self.gives_probabilities)
                taken.append(time.thread_time() - began)
            times.append(min(taken[1:]))
        return times[0], times[1]

    def seconds(self, rows: int) -> float:
        """How long it computes, with probabilities, for so many rows, as was measured with a few."""
        one, hundred = self._times
        return one + rows * max(hundred - one, 0.0) / 99

    def warm_up(self) -> None:
        """Measure now, so that no request waits for it."""
        self.seconds(1)

    def check_signature(self) -> None:
        """See that form and signature mean the same columns and labels.

        Raises:
            FormDamaged: saying what differs.
        """
        import numpy as np

        from shared.compiled.parts import FormDamaged

        used, classes = self.signature.used_inputs, self.signature.classes
        numbers = [column.kind in _AS_NUMBERS for column in used]
        if numbers != [words is None for words in self.compiled.categories]:
            raise FormDamaged("it takes other columns than the signature of the model says")
        if self._threshold != self.compiled.threshold:
            raise FormDamaged("it has another threshold than the signature of the model says")
        with suppress(ValueError):
            found = self.compiled.labels(np.zeros((1, len(used))))
            if found != (None if classes is None else len(classes)):
                raise FormDamaged("it has other labels than the signature of the model says")

    @property
    def gives_probabilities(self) -> bool:
        """Whether it is a classifier that has them."""
        return self.compiled.gives_probabilities

    def compute(self, rows: Any, *, probabilities: bool) -> Answers:
        """The predictions for checked rows.

        Raises:
            ValueError: for values that the estimator does not take.
        """
        if isinstance(rows, dict):
            rows = self._coded(rows)
        computed = self.compiled.compute(rows, probabilities=probabilities)
        if self.signature.classes is None:
            return Answers(computed.predictions, None)
        return Answers(self._labels[computed.predictions], computed.probabilities)

    @property
    def _threshold(self) -> tuple[float, int] | None:
        threshold, classes = self.signature.threshold, self.signature.classes
        return None if threshold is None or classes is None else (threshold.value, classes.index(threshold.positive))

    @cached_property
    def _labels(self) -> "NDArray[np.object_]":
        import numpy as np

        labels = np.empty(len(self.signature.classes or []), dtype=object)
        labels[:] = self.signature.classes
        return labels

    def _coded(self, columns: dict[str, list[Any]]) -> "NDArray[np.float64]":
        import numpy as np

        used = self.signature.used_inputs
        return np.column_stack([self._column(place, column, columns[column.name]) for place, column in enumerate(used)])

    def _column(self, place: int, column: InputColumn, values: Sequence[Any]) -> "NDArray[np.float64]":
        if self.compiled.categories[place] is not None:
            return self.compiled.coded(place, values)
        return days(values) if column.kind == "datetime" else numbers(values)
