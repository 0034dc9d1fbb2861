"""Predictions of requests: each model has its share of the threads that predict, and its time."""

from collections.abc import Callable
from typing import TypeVar

from api.shares import Full, Overdue, Shares, Stuck
from shared.errors import ModelBusy, ModelUnavailable, PredictionTooSlow
from shared.logging import get_logger
from shared.machine import this_machine
from shared.prediction.cache import PredictorCache
from shared.prediction.loaded import Place
from shared.prediction.predictor import Predictor

T = TypeVar("T")

log = get_logger(__name__)

# Loads of different models at one time.
_LOADS = 4
# So many models may be slow at one moment before any other waits for them.
_SLOW_MODELS = 16
# Requests for one model at a time. Each holds its rows in memory while it waits.
_CALLERS = 256


class Predicting:
    """Finds predictors and lets them predict. Belongs to one event loop; finds what is in memory without a thread."""

    def __init__(self, cache: PredictorCache, *, seconds: float) -> None:
        # Half of the cores: no model alone can keep all of them busy.
        share = max(2, this_machine().cores // 2)
        self._cache = cache
        self._loads = Shares("load", threads=_LOADS, share=1, callers=_CALLERS, seconds=seconds)
        self._predictions = Shares(
            "predict", threads=_SLOW_MODELS * share, share=share, callers=_CALLERS, seconds=seconds
        )

    def overdue(self) -> int:
        """How many predictions are still being computed for which nobody waits any more."""
        return self._predictions.overdue()

    async def find(self, place: Place, version: int | None) -> Predictor:
        """The predictor that serves a place, or the one of a version.

        Raises:
            ModelUnavailable: when it cannot be loaded, or not soon; the load goes on then.
            PlatformError: as `PredictorCache.get`.
        """
        found = self._cache.find(place, version)
        if found is not None:
            return found
        try:
            return await self._loads.run((place, version), lambda: self._cache.get(*place, version))
        except (Full, Overdue):
            raise ModelUnavailable(
                f"The model of '{place[0]}' in '{place[1]}' is still being loaded. Send the request again in a moment."
            ) from None

    async def run(self, place: Place, predictor: Predictor, act: Callable[[], T]) -> T:
        """What `act` makes of a predictor.

        Raises:
            ModelBusy: when the model has more to do than its share allows.
            PredictionTooSlow: when it takes longer than a prediction may.
        """
        model = f"Version {predictor.version} of '{place[0]}'"
        seconds = f"{self._predictions.seconds:g} seconds"
        try:
            return await self._predictions.run((place, predictor.version), act)
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
            log.warning("prediction_given_up", dataset_name=place[0], environment=place[1], version=predictor.version)
            raise PredictionTooSlow(
                f"{model} did not predict within {seconds}. Send fewer rows at a time, promote a model that predicts "
                "faster, or raise MLMINI_PREDICT_SECONDS."
            ) from None
