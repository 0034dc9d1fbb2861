"""A loaded model with its signature: rows in, labels or numbers out."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from shared.errors import NoProbabilities
from shared.estimators.signature import Signature
from shared.logging import get_logger
from shared.object_store import ObjectStore
from shared.prediction.computing import Answers, Computes, ModelInForm
from shared.prediction.csv_reading import LearntReading
from shared.prediction.extras import Extras
from shared.prediction.incomputable import refuse_rows, refuse_values
from shared.prediction.input_warnings import InputWarnings
from shared.prediction.inputs import take_input
from shared.prediction.intervals import check_intervals, intervals_of
from shared.prediction.lookup import Served
from shared.prediction.processes import PredictingProcesses
from shared.prediction.sandboxed import load_sandboxed
from shared.registry.artifact import fetch
from shared.registry.forms import load_form
from shared.registry.sealing import ArtifactKey
from shared.settings import Settings

log = get_logger(__name__)


@dataclass(frozen=True)
class Prediction:
    """One prediction per row; for probabilities one list per row, in the order of `classes`.

    An interval is a list, too: of both ends around a number, or of the labels in the set. `warnings` says what was done
    to the input so that the model could take it.
    """

    predictions: list[Any]
    probabilities: list[list[float]] | None
    classes: list[Any] | None
    warnings: list[str]
    intervals: list[list[Any]] | None = None


@dataclass(frozen=True)
class Predictor:
    """A version that is ready to answer. Threads may share it."""

    version: int
    computes: Computes
    memory_bytes: int
    # How the table was read that it learnt from; CSV to predict for is read so, too, where that fits.
    learnt: LearntReading | None = None
    # Whether it answers by a compiled form; else the model may get one while it is served.
    in_form: bool = False
    # What others make of it, which is to leave the memory with it.
    kept: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def signature(self) -> Signature:
        """What it takes and gives."""
        return self.computes.signature

    def answer(
        self, *, features: Any, records: Any, probabilities: bool, max_cells: int, intervals: bool = False
    ) -> Prediction:
        """Check the input and predict.

        Raises:
            NoProbabilities, NoIntervals: when they are asked of a model that has none.
            InvalidInput, MissingNotAllowed, BodyTooLarge: when the input does not fit the signature, or the model
                cannot compute with its values.
        """
        wanted = Extras(probabilities, intervals)
        self.check_wanted(wanted)
        warnings = InputWarnings()
        rows = take_input(
            self.signature,
            version=self.version,
            features=features,
            records=records,
            max_cells=max_cells,
            warnings=warnings,
        )
        try:
            answers = self.computes.compute(rows, probabilities=wanted.takes_probabilities(self.signature))
        except (ValueError, FloatingPointError, OverflowError):
            # With these errors estimators refuse values. Any other error is not the client's fault.
            log.warning("prediction_refused", version=self.version, exc_info=True)
            refuse_values(self.signature, features=features, records=records)
        form = "features" if records is None else "records"
        return self._prediction(answers, wanted, form, warnings.sentences())

    def answer_columns(
        self, columns: dict[str, list[Any]], *, rows: int, probabilities: bool, intervals: bool = False
    ) -> Prediction:
        """Predict for the values of each used input, which were read and checked before; what is wanted was, too.

        Raises:
            InvalidInput: when the model cannot compute with them, placed as `features`.
        """
        wanted = Extras(probabilities, intervals)
        try:
            answers = self.computes.compute(columns, probabilities=wanted.takes_probabilities(self.signature))
        except (ValueError, FloatingPointError, OverflowError):
            log.warning("prediction_refused", version=self.version, exc_info=True)
            nothing = [None] * rows
            cells = [columns.get(column.name, nothing) for column in self.signature.inputs]
            refuse_values(self.signature, features=list(zip(*cells, strict=True)), records=None)
        return self._prediction(answers, wanted, "features", [])

    def _prediction(self, answers: Answers, wanted: Extras, form: str, warnings: list[str]) -> Prediction:
        return Prediction(
            predictions=_as_json(answers.predictions, form),
            probabilities=_as_json(answers.probabilities, form) if wanted.probabilities else None,
            classes=self.signature.classes if wanted.probabilities else None,
            warnings=warnings,
            intervals=self._intervals(answers, form) if wanted.intervals else None,
        )

    def _intervals(self, answers: Answers, form: str) -> list[list[Any]]:
        """The interval of each row.

        Raises:
            InvalidInput: when a number in it is not finite, naming the rows of the input.
        """
        found = intervals_of(self.signature, *answers)
        refuse_rows(form, found.not_finite, "an end of the interval")
        return found.values

    def check_wanted(self, wanted: Extras) -> None:
        """Make sure that the model gives what is wanted.

        Raises:
            NoProbabilities, NoIntervals: when it does not.
        """
        if wanted.probabilities:
            self.check_probabilities()
        if wanted.intervals:
            gives = self.computes.gives_probabilities
            check_intervals(self.signature, version=self.version, gives_probabilities=gives)

    def check_probabilities(self) -> None:
        """Make sure that the model gives probabilities.

        Raises:
            NoProbabilities: when it does not.
        """
        if self.computes.gives_probabilities:
            return
        labels_only = f"'{self.computes.name}' gives labels only"
        reason = "It predicts numbers" if self.signature.task == "regression" else labels_only
        sentence = f"Version {self.version} has no probabilities: {reason}. Leave 'probability' out of 'return'."
        raise NoProbabilities(sentence, errors=[{"loc": ["body", "return"], "msg": "has no probabilities"}])


def load_predictor(
    store: ObjectStore, settings: Settings, key: ArtifactKey, served: Served, processes: PredictingProcesses
) -> Predictor:
    """Make the model of an artifact ready to serve: here by its compiled form, or in a process of its own.

    Raises:
        ArtifactCorrupt, ModelUnavailable, StoreUnavailable, ScratchFull: as `load_sandboxed` and `load_form`.
    """
    signature = Signature.model_validate(served.signature)
    computes: Computes
    if served.form is None:
        copy = partial(fetch, store, settings, key, served.artifact)
        computes = load_sandboxed(copy, settings, served.artifact, signature=signature, processes=processes)
        memory_bytes = computes.memory_bytes
    else:
        compiled = load_form(store, settings, key, served.form)
        in_form = ModelInForm(compiled, signature, served.estimator.rpartition(".")[2])
        in_form.warm_up()
        computes, memory_bytes = in_form, compiled.memory_bytes
    return Predictor(
        version=served.artifact.version,
        computes=computes,
        memory_bytes=memory_bytes,
        learnt=served.learnt,
        in_form=served.form is not None,
    )


def _as_json(values: Any, form: str) -> list[Any]:
    """Numbers and labels as JSON values, one per row.

    Raises:
        InvalidInput: when a number is not finite, naming the rows of the input.
    """
    import numpy as np

    array = np.asarray(values)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        rows = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
        refuse_rows(form, rows.tolist())
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    found: list[Any] = array.tolist()
    return found
