"""The models in memory as those see them who ask: of another team's dataset there is none."""

from shared.errors import UnknownDataset
from shared.prediction.cache import PredictorCache
from shared.prediction.loaded import ServingPlace
from shared.prediction.lookup import find_served
from shared.prediction.predictor import Predictor
from shared.registry.teams import Walls
from shared.registry.visibility import SeenDatabase
from shared.settings import Settings


class SeenModels:
    """A cache behind the wall between teams. What memory answers costs one more look into a dictionary."""

    def __init__(self, cache: PredictorCache, database: SeenDatabase, walls: Walls, settings: Settings) -> None:
        self._cache = cache
        self._database = database
        self._walls = walls
        self._stages = settings.stages

    def find(self, place: ServingPlace, version: int | None) -> Predictor | None:
        """As the cache; None as well where nobody may see it for whom it is asked."""
        return None if self._walls.hides(place.dataset_name) else self._cache.find(place, version)

    def find_only(self, place: ServingPlace) -> Predictor | None:
        """As the cache; None as well where nobody may see it for whom it is asked."""
        return None if self._walls.hides(place.dataset_name) else self._cache.find_only(place)

    def targets(self, place: ServingPlace) -> tuple[str, ...]:
        """As the cache; none where it is hidden."""
        return () if self._walls.hides(place.dataset_name) else self._cache.targets(place)

    def get(
        self, dataset_name: str, environment: str, version: int | None = None, target: str | None = None
    ) -> Predictor:
        """As the cache; a dataset that is hidden is one that there is not.

        Raises:
            PlatformError: as `PredictorCache.get`.
        """
        place = ServingPlace(dataset_name, environment, target)
        if self._walls.hides(dataset_name):
            self._look_up(place, version)
        try:
            return self._cache.get(dataset_name, environment, version, target)
        except UnknownDataset:
            # What was found for everybody may suggest a name that is hidden.
            if self._walls.hidden():
                self._look_up(place, version)
            raise

    def _look_up(self, place: ServingPlace, version: int | None) -> None:
        """Say with the eyes of whoever asks that nothing answers; return where something does by now."""
        with self._database.read() as session:
            find_served(session, **place._asdict(), version=version, stages=self._stages)
