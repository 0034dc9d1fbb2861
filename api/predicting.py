"""Predictions for requests: each model has its share of the threads that predict, and a time limit."""

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from api.fair_threads import FairThreads, Full, Overdue, Stuck
from shared.errors import ModelBusy, ModelUnavailable, PredictionTooSlow
from shared.logging import get_logger
from shared.machine import this_machine
from shared.prediction.loaded import ServingPlace
from shared.prediction.predictor import Predictor

T = TypeVar("T")

log = get_logger(__name__)

# How many models are loaded at the same time.
_LOADS = 4
# How many models may be slow at the same time before others have to wait for them.
_SLOW_MODELS = 16
# The most requests for one model at a time. Each holds its rows in memory while it waits.
_CALLERS = 256
# How many targets a warning names.
_MOST_TARGETS = 10


class KnownModels(Protocol):
    """The models that a process serves, wherever they come from."""

    def find(self, place: ServingPlace, version: int | None) -> Predictor | None:
        """The predictor that serves a place, or that of a version, if it is in memory. Never waits."""

    def find_only(self, place: ServingPlace) -> Predictor | None:
        """The predictor that serves a place without a target, if it is in memory, and no other target has a model."""

    def get(
        self, dataset_name: str, environment: str, version: int | None = None, target: str | None = None
    ) -> Predictor:
        """What `find` returns, loaded if necessary; raises a PlatformError if there is no such model."""

    def targets(self, place: ServingPlace) -> tuple[str, ...]:
        """The targets of all versions that are active in a place. Never waits."""


class Predicting:
    """Finds predictors and runs predictions. Belongs to one event loop; finds models in memory without a thread."""

    def __init__(self, cache: KnownModels, *, seconds: float) -> None:
        # Half of the cores, so that no single model keeps all of them busy.
        share = max(2, this_machine().cores // 2)
        self._cache = cache
        self._loads = FairThreads("load", threads=_LOADS, share=1, callers=_CALLERS, seconds=seconds)
        self._predictions = FairThreads(
            "predict", threads=_SLOW_MODELS * share, share=share, callers=_CALLERS, seconds=seconds
        )

    @property
    def seconds(self) -> float:
        """How long one prediction may take."""
        return self._predictions.seconds

    def overdue(self) -> int:
        """How many predictions are still being computed although they were given up."""
        return self._predictions.overdue()

    async def find(self, place: ServingPlace, version: int | None) -> Predictor:
        """The predictor that serves a place, or the one of a version.

        Raises:
            ModelUnavailable: when it cannot be loaded, or not soon enough; then the load goes on.
            PlatformError: as `KnownModels.get`.
        """
        found = self._cache.find(place, version)
        if found is not None:
            return found
        try:
            load = partial(self._cache.get, place.dataset_name, place.environment, version, place.target)
            return await self._loads.run((place, version), load)
        except (Full, Overdue):
            raise ModelUnavailable(
                f"The model of '{place.dataset_name}' in '{place.environment}' is still being loaded. Send the request "
                "again in a moment."
            ) from None

    def several_targets(self, place: ServingPlace, version: int | None, predictor: Predictor) -> list[str]:
        """The warning for a request that names neither target nor version where several targets are predicted."""
        targets = self._cache.targets(place)
        if version is not None or place.target is not None or len(targets) < 2:
            return []
        shown = ", ".join(f"'{target}'" for target in targets[:_MOST_TARGETS])
        more = f" and {len(targets) - _MOST_TARGETS} more" if len(targets) > _MOST_TARGETS else ""
        warning = (
            f"Versions of several targets are active in '{place.environment}': {shown}{more}. The newest version, "
            f"{predictor.version}, answered, which predicts '{predictor.signature.target}'. Name the one that you mean "
            "as 'target'."
        )
        return [warning]

    async def run(self, place: ServingPlace, predictor: Predictor, act: Callable[[], T]) -> T:
        """What `act` returns, run in a thread of the model's share.

        Raises:
            ModelBusy: when the model has more to do than its share allows.
            PredictionTooSlow: when it takes longer than a prediction may.
        """
        model = f"Version {predictor.version} of '{place.dataset_name}'"
        seconds = f"{self._predictions.seconds:g} seconds"
        try:
            # A request that names the target asks the same model, and so has the same key.
            return await self._predictions.run((place.of_any_target, predictor.version), act)
        except Stuck:
            raise ModelBusy(
                f"{model} is still at predictions that took longer than {seconds}, and can begin no other. Send fewer "
                "rows at a time once it is done, or promote a model that predicts faster."
            ) from None
        except Full:
            raise ModelBusy(
                f"{model} has more requests at a time than it can answer. Try again later, with fewer requests and "
                "more rows in each."
            ) from None
        except Overdue:
            log.warning(
                "prediction_given_up",
                dataset_name=place.dataset_name,
                environment=place.environment,
                version=predictor.version,
            )
            raise PredictionTooSlow(
                f"{model} did not predict within {seconds}. Send fewer rows at a time, promote a model that predicts "
                "faster, or raise MLMINI_PREDICT_SECONDS.",
                limit=self._predictions.seconds,
                setting="MLMINI_PREDICT_SECONDS",
            ) from None
