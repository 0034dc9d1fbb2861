"""Models without a compiled form: each is loaded, and computes, in predicting processes of its own."""

import shutil
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from shared.errors import ModelTooLarge, PlatformError, PredictionTooSlow, PredictorEnded, error_of_code
from shared.estimators.signature import Signature
from shared.logging import get_logger
from shared.prediction.computing import Answers
from shared.prediction.messages import Message
from shared.prediction.places import Places
from shared.prediction.processes import PredictingProcess, PredictingProcesses, ProcessEnded
from shared.registry.sealing import Artifact
from shared.sandbox import Ending
from shared.scratch import scratch_errors
from shared.settings import Settings
from shared.training.frame import plain_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MODEL_FILE = "model.pkl"
# A pickle that is loaded for longer never ends.
_LOAD_SECONDS = 300.0
# With these errors estimators refuse values.
_REFUSALS = {error.__name__: error for error in (ValueError, FloatingPointError, OverflowError)}

log = get_logger(__name__)


class EstimatorFailed(Exception):
    """The estimator failed in a way that is not the client's fault; its message is the traceback."""


class Ready(NamedTuple):
    """What a process tells of the model that it has loaded."""

    name: str
    gives_probabilities: bool
    memory_bytes: int


@dataclass
class _Place:
    """Where one process of a model is, if it lives."""

    process: PredictingProcess | None = None


@dataclass(frozen=True)
class _Loading:
    """How a process comes to have a model; its checked file is kept, so that no store is asked when one has died."""

    processes: PredictingProcesses
    settings: Settings
    artifact: Artifact
    signature: Signature
    folder: Path

    def start(self) -> tuple[PredictingProcess, Ready]:
        """A process that has loaded the model.

        Raises:
            ArtifactCorrupt, ModelUnavailable, ModelTooLarge: when it cannot.
            ProcessStopping: when the API is being closed.
        """
        process = self.processes.start(self.folder)
        order = {
            "path": str(self.folder / _MODEL_FILE),
            "version": self.artifact.version,
            "sha256": self.artifact.seal.sha256,
            "environment": dict(self.artifact.environment),
            "signature": self.signature.model_dump(mode="json"),
        }
        try:
            said = process.ask(order, seconds=_LOAD_SECONDS).said
        except ProcessEnded as error:
            self.processes.raise_if_closing()
            raise self._not_loaded(error.ending) from None
        except TimeoutError:
            raise self._not_loaded(None) from None
        if "problem" in said:
            log.warning("model_not_loaded", version=self.artifact.version, said=process.last_words())
            raise error_of_code(said["problem"]["code"])(said["problem"]["detail"])
        log.info("predicting_process_started", version=self.artifact.version, pid=process.pid)
        return process, Ready(**said)

    def _not_loaded(self, ending: Ending | None) -> PlatformError:
        version, granted = self.artifact.version, self.settings.predictor_memory_mb
        if ending is not None and ending.out_of_memory:
            return ModelTooLarge(
                f"Model {version} is too large to be served: loading it takes more than the {granted:,} MiB of memory "
                "that a process which predicts may take. Train a smaller one, or have MLMINI_PREDICTOR_MEMORY_MB "
                "raised.",
                limit=granted,
                setting="MLMINI_PREDICTOR_MEMORY_MB",
            )
        reason = "was not done in time" if ending is None else f"ended its process ({ending})"
        return PredictorEnded(f"Loading model {version} {reason}. Try again; if that helps not, train it again.")


class SandboxedModel:
    """A fitted model in processes of its own, which hold no secret, are killed for being slow and may crash.

    A process that dies costs who asked it an error; the next request starts another one. When nobody holds this object
    any more, the processes end.
    """

    def __init__(self, loading: _Loading) -> None:
        self.signature = loading.signature
        self._loading = loading
        self._seconds = loading.settings.predict_seconds
        first, ready = loading.start()
        self.name, self.gives_probabilities = ready.name, ready.gives_probabilities
        places = [_Place(first), *(_Place() for _ in range(loading.settings.predictors - 1))]
        self.memory_bytes = ready.memory_bytes * len(places)
        # The others are started when they are needed.
        self._places = Places(places)
        weakref.finalize(self, _end_all, places, loading.folder)

    def compute(self, rows: Any, *, probabilities: bool) -> Answers:
        """The predictions for checked rows.

        Raises:
            ValueError, FloatingPointError, OverflowError: for values that the estimator does not take.
            PredictionTooSlow: when it takes longer than a prediction may; its process is killed.
            PredictorEnded: when its process died.
            ModelUnavailable, ModelTooLarge: when one had died before, and no other one can be started.
            EstimatorFailed: when the estimator fails otherwise.
        """
        said: dict[str, Any] = {"probabilities": probabilities}
        if isinstance(rows, dict) and not self.signature.numeric:
            said["columns"] = rows
            return self._asked(said, [], len(next(iter(rows.values()))), probabilities=probabilities)
        array = plain_array(rows, self.signature.inputs) if isinstance(rows, dict) else rows
        return self._asked(said, [array], len(array), probabilities=probabilities)

    def _asked(self, said: dict[str, Any], arrays: "list[NDArray[Any]]", rows: int, *, probabilities: bool) -> Answers:
        began = time.monotonic()
        try:
            with self._places.lent(seconds=self._seconds) as place:
                answer = self._asked_in(place, said, arrays, began)
        except TimeoutError:
            raise PredictionTooSlow(limit=self._seconds, setting="MLMINI_PREDICT_SECONDS") from None
        return _read(answer, rows, probabilities=probabilities)

    def _asked_in(self, place: _Place, said: dict[str, Any], arrays: "list[NDArray[Any]]", began: float) -> Message:
        process = self._process(place)
        try:
            return process.ask(said, arrays, seconds=max(self._seconds - (time.monotonic() - began), 0.001))
        except TimeoutError:
            log.warning("prediction_killed", version=self._version, pid=process.pid)
            place.process = None
            raise
        except ProcessEnded as error:
            place.process = None
            self._loading.processes.raise_if_closing()
            raise self._ended(error.ending) from None

    def _process(self, place: _Place) -> PredictingProcess:
        if place.process is not None and not place.process.waits():
            log.warning("predicting_process_died", version=self._version, pid=place.process.pid)
            place.process.end()
            place.process = None
        if place.process is None:
            place.process, _ = self._loading.start()
        return place.process

    @property
    def _version(self) -> int:
        return self._loading.artifact.version

    def _ended(self, ending: Ending) -> PredictorEnded:
        granted = self._loading.settings.predictor_memory_mb
        if ending.out_of_memory:
            return PredictorEnded(
                f"Version {self._version} needs more than the {granted:,} MiB of memory that predicting may take here. "
                "Send fewer rows at a time, or have MLMINI_PREDICTOR_MEMORY_MB raised.",
                limit=granted,
                setting="MLMINI_PREDICTOR_MEMORY_MB",
            )
        return PredictorEnded(
            f"The process that predicts for version {self._version} ended before it answered ({ending}). The next "
            "request starts another one: try again, with fewer rows if it happens again, or promote another model."
        )


def load_sandboxed(
    copy: Callable[[Path], None],
    settings: Settings,
    artifact: Artifact,
    *,
    signature: Signature,
    processes: PredictingProcesses,
) -> SandboxedModel:
    """Have a process load a model's file; nothing of it is run here. `copy` writes the checked file to a path.

    Raises:
        ArtifactCorrupt: when `copy` or the process finds that it is not the right file; nothing of it is run.
        ModelUnavailable: when it was fitted with another release of scikit-learn, or cannot be loaded here.
        ModelTooLarge: when that takes more memory than a process may have.
        PredictorEnded: when its process dies of it.
        StoreUnavailable: as `copy` does.
        ScratchFull, ScratchUnavailable: when the file cannot be written.
    """
    folder = processes.folder()
    try:
        with scratch_errors():
            copy(folder / _MODEL_FILE)
        return SandboxedModel(_Loading(processes, settings, artifact, signature, folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _end_all(places: list[_Place], folder: Path) -> None:
    for place in places:
        if place.process is not None:
            place.process.end()
    shutil.rmtree(folder, ignore_errors=True)


def _read(answer: Message, rows: int, *, probabilities: bool) -> Answers:
    said = answer.said
    if "why" in said:
        refused = _REFUSALS.get(said["refused"] or "")
        if refused is None:
            raise EstimatorFailed(said["traceback"])
        raise refused(said["why"])
    arrays = list(answer.arrays)
    predictions = arrays.pop(0) if said["labels"] is None else _labels(said["labels"])
    each = arrays.pop(0) if probabilities else None
    if len(predictions) != rows or (each is not None and len(each) != rows):
        raise EstimatorFailed(f"it answered {len(predictions)} predictions for {rows} rows")
    return Answers(predictions, each)


def _labels(values: list[Any]) -> "NDArray[np.object_]":
    labels = np.empty(len(values), dtype=object)
    labels[:] = values
    return labels
