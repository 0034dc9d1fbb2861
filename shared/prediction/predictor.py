"""A loaded model with its signature: rows in, labels or numbers out."""

from dataclasses import dataclass
from typing import Any

from shared.errors import NoProbabilities
from shared.estimators.signature import Signature
from shared.logging import get_logger
from shared.object_store import ObjectStore
from shared.prediction.computing import Computes, FittedModel, ModelInForm
from shared.prediction.csv_reading import LearntReading
from shared.prediction.incomputable import refuse_rows, refuse_values
from shared.prediction.input_warnings import InputWarnings
from shared.prediction.inputs import take_input
from shared.prediction.lookup import Served
from shared.registry.artifact import load_model
from shared.registry.forms import load_form
from shared.registry.sealing import ArtifactKey
from shared.settings import Settings
from shared.training.frame import forget_names
from shared.training.parts import parts_of

log = get_logger(__name__)


@dataclass(frozen=True)
class Prediction:
    """One prediction per row; for probabilities one list per row, in the order of `classes`.

    `warnings` says what was done to the input so that the model could take it.
    """

    predictions: list[Any]
    probabilities: list[list[float]] | None
    classes: list[Any] | None
    warnings: list[str]


@dataclass(frozen=True)
class Predictor:
    """A version that is ready to answer. Threads may share it."""

    version: int
    computes: Computes
    memory_bytes: int
    # How the table was read that it learnt from; CSV to predict for is read so, too, where that fits.
    learnt: LearntReading | None = None

    @property
    def signature(self) -> Signature:
        """What it takes and gives."""
        return self.computes.signature

    def answer(self, *, features: Any, records: Any, probabilities: bool, max_cells: int) -> Prediction:
        """Check the input and predict.

        Raises:
            NoProbabilities: when they are asked of a model that has none.
            InvalidInput, MissingNotAllowed, BodyTooLarge: when the input does not fit the signature, or the model
                cannot compute with its values.
        """
        if probabilities:
            self.check_probabilities()
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
            predictions, each = self.computes.compute(rows, probabilities=probabilities)
        except (ValueError, FloatingPointError, OverflowError):
            # With these errors estimators refuse values. Any other error is not the client's fault.
            log.warning("prediction_refused", version=self.version, exc_info=True)
            refuse_values(self.signature, features=features, records=records)
        form = "features" if records is None else "records"
        return self._prediction(predictions, each, form, warnings.sentences())

    def answer_columns(self, columns: dict[str, list[Any]], *, rows: int, probabilities: bool) -> Prediction:
        """Predict for the values of each used input, which were read and checked before.

        Raises:
            InvalidInput: when the model cannot compute with them, placed as `features`.
        """
        try:
            predictions, each = self.computes.compute(columns, probabilities=probabilities)
        except (ValueError, FloatingPointError, OverflowError):
            log.warning("prediction_refused", version=self.version, exc_info=True)
            nothing = [None] * rows
            cells = [columns.get(column.name, nothing) for column in self.signature.inputs]
            refuse_values(self.signature, features=list(zip(*cells, strict=True)), records=None)
        return self._prediction(predictions, each, "features", [])

    def _prediction(self, predictions: Any, each: Any, form: str, warnings: list[str]) -> Prediction:
        return Prediction(
            predictions=_as_json(predictions, form),
            probabilities=None if each is None else _as_json(each, form),
            classes=None if each is None else self.signature.classes,
            warnings=warnings,
        )

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


def load_predictor(store: ObjectStore, settings: Settings, key: ArtifactKey, served: Served) -> Predictor:
    """Load the model of an artifact and make it ready to serve.

    Raises:
        ArtifactCorrupt, ModelUnavailable, StoreUnavailable, ScratchFull: as `load_model` and `load_form`.
    """
    loading = _fitted if served.form is None else _compiled
    computes, memory_bytes = loading(store, settings, key, served)
    return Predictor(
        version=served.artifact.version,
        computes=computes,
        memory_bytes=memory_bytes,
        learnt=served.learnt,
    )


def _compiled(store: ObjectStore, settings: Settings, key: ArtifactKey, served: Served) -> tuple[Computes, int]:
    compiled = load_form(store, settings, key, served.loaded)
    computes = ModelInForm(compiled, Signature.model_validate(served.signature), served.estimator.rpartition(".")[2])
    computes.warm_up()
    return computes, compiled.memory_bytes


def _fitted(store: ObjectStore, settings: Settings, key: ArtifactKey, served: Served) -> tuple[Computes, int]:
    signature = Signature.model_validate(served.signature)
    model, memory_bytes = load_model(store, settings, key, served.artifact)
    _compute_in_one_thread(model)
    # A plain array has no column names; a model that kept them would warn at each prediction.
    return FittedModel(forget_names(model) if signature.numeric else model, signature), memory_bytes


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


def _compute_in_one_thread(model: Any) -> None:
    """Set `n_jobs` to 1 in all fitted parts: handing single rows to threads takes longer than predicting them."""
    for part in parts_of(model):
        if "n_jobs" in vars(part):
            part.n_jobs = 1
