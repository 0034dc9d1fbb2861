"""The models that this process serves: loaded once, kept in memory, replaced when the registry changes."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock

from sqlalchemy.orm import Session

from shared.database import Database
from shared.errors import PlatformError
from shared.logging import get_logger
from shared.object_store import ObjectStore
from shared.prediction.loaded import LoadedModels, ServingPlace
from shared.prediction.lookup import Served, find_served, preloadable
from shared.prediction.predictor import Predictor, load_predictor
from shared.prediction.processes import PredictingProcesses
from shared.prediction.refusals import Refusals, Wanted
from shared.prediction.watcher import Watcher
from shared.registry.artifact import corrupt_is_unavailable
from shared.registry.model_memory import check_model_memory, check_size
from shared.registry.sealing import Artifact, ArtifactKey
from shared.settings import Settings

# A longer load goes on in the background; requests are served with the old model meanwhile.
CATCH_UP_SECONDS = 10.0

log = get_logger(__name__)


class PredictorCache:
    """Ready predictors by dataset and environment. Once one is here, `get` touches memory only.

    A change of the registry, made by whatever process, is noticed within a second; the new predictor is loaded
    beside the old one, which answers meanwhile. While the database is away, what is here goes on serving.
    """

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        settings: Settings,
        key: ArtifactKey,
        *,
        formless: Callable[[Artifact], None] = lambda _artifact: None,
        caught_up: Callable[[int], None] = lambda _generation: None,
        beside: Callable[[Session], None] = lambda _session: None,
    ) -> None:
        """`formless` hears of each model that was loaded without a compiled form and may come to have one, `caught_up`
        of each generation of the registry once this process serves what it says. `beside` reads what else is to be
        known at each look at the registry.
        """
        self._formless = formless
        self._database = database
        self._store = store
        self._settings = settings
        self._key = key
        self._loaded = LoadedModels(settings.model_cache_mb * 2**20)
        self._loads = Loads()
        self._processes = PredictingProcesses(settings)
        self._weights: dict[tuple[int, bool], int] = {}
        self._refusals = Refusals()
        self._closed = False
        self._watcher = Watcher(
            database, self._loaded, self._refusals, replace=self._replace, caught_up=caught_up, beside=beside
        )

    def start(self) -> None:
        """Begin to watch for changes of the registry."""
        self._watcher.start()

    def close(self) -> None:
        """Stop watching, and end the processes that predict; what else is here stays as it is."""
        self._closed = True
        # First, so that a load under way ends, for which the watcher waits.
        self._processes.close()
        self._watcher.close()

    def catch_up(self) -> None:
        """Return when this process serves what the registry says, for a caller that knows of a change.

        A new version that cannot be loaded, or not soon, leaves the one before it in place unless that is retired.
        While the database is away nothing changes; the watching goes on.
        """
        try:
            self._watcher.catch_up(CATCH_UP_SECONDS)
        except PlatformError as error:
            log.warning("registry_not_reachable", code=error.code)

    @property
    def generation(self) -> int:
        """The number of the registry that this process has seen last; it rises with every change of what serves."""
        return self._watcher.generation

    def look_now(self) -> None:
        """Look for changes of the registry at once; nothing is waited for."""
        self._watcher.look_now()

    def find(self, place: ServingPlace, version: int | None) -> Predictor | None:
        """The predictor that serves a place, or the one of a version, if it is in memory; nothing is waited for."""
        return self._loaded.find(place, version)

    def find_only(self, place: ServingPlace) -> Predictor | None:
        """The predictor that serves a place without a target, if it is in memory and no other target has a model."""
        return self._loaded.find_only(place)

    def targets(self, place: ServingPlace) -> tuple[str, ...]:
        """The targets of the versions that are active where a predictor was found; nothing is waited for."""
        return self._loaded.targets(place)

    def get(
        self, dataset_name: str, environment: str, version: int | None = None, target: str | None = None
    ) -> Predictor:
        """The predictor that serves a dataset in an environment, or that of one version which is active there.

        With a target, only versions that predict it answer.

        Raises:
            UnknownDataset, UnknownStage, NoActiveModel, NotActive, TargetDiffers: when nothing answers to that.
            ModelUnavailable: when the registered model cannot be loaded.
            ModelTooLarge: when it takes more memory than all models may.
            DatabaseUnavailable, StoreUnavailable: when a model has to be loaded and one of the two does not answer.
        """
        place = ServingPlace(dataset_name, environment, target)
        found = self._loaded.find(place, version)
        if found is not None:
            return found
        refused = self._refusals.find((place, version))
        if refused is not None:
            raise refused
        return self._loads.once((place, version), lambda: self._load(place, version))

    def preload(self) -> None:
        """Load what serves now, as far as there is room, and most of all where it matters: the last stage first.

        A model that cannot be loaded is left out; whoever asks for it hears why.

        Raises:
            DatabaseUnavailable: when the registry cannot be read.
        """
        with self._database.read() as session:
            wanted = preloadable(session, self._settings.stages)
        for dataset_name, stage, version in wanted:
            if self._loaded.is_full or self._closed:
                return
            try:
                self.get(dataset_name, stage)
            except PlatformError as error:
                log.warning("model_not_preloaded", version=version, stage=stage, code=error.code)

    def _replace(self, place: ServingPlace) -> None:
        """Put what serves a place now into the place of what served there before."""
        self._fill(place, None)

    def _load(self, place: ServingPlace, version: int | None) -> Predictor:
        changes = self._refusals.changes
        try:
            # Another thread may have loaded it while this one waited for its turn.
            return self._loaded.find(place, version) or self._fill(place, version)
        except PlatformError as error:
            self._refusals.keep((place, version), error, changes=changes)
            raise

    def _fill(self, place: ServingPlace, version: int | None) -> Predictor:
        served = self._look_up(place, version)
        predictor = self._ready(place, served)
        serves = version is None
        while not self._loaded.put(
            place, predictor, serves=serves, generation=served.generation, targets=served.targets
        ):
            served = self._look_up(place, version)
            if not _is_of(predictor, served):
                predictor = self._ready(place, served)
        return predictor

    def _look_up(self, place: ServingPlace, version: int | None) -> Served:
        with self._database.read() as session:
            return find_served(session, **place._asdict(), version=version, stages=self._settings.stages)

    def _ready(self, place: ServingPlace, served: Served) -> Predictor:
        artifact = served.artifact
        found = self._loaded.find(place, artifact.version)
        if found is not None and _is_of(found, served):
            return found
        check_size(artifact.version, served.loaded.seal.size_bytes, self._settings)
        # Remembered, because to measure a model again would take its memory again.
        weight_of = (artifact.version, served.form is not None)
        check_model_memory(artifact.version, self._weights.get(weight_of, 0), self._settings)
        with corrupt_is_unavailable(served.loaded):
            predictor = load_predictor(self._store, self._settings, self._key, served, self._processes)
        self._weights[weight_of] = predictor.memory_bytes
        check_model_memory(artifact.version, predictor.memory_bytes, self._settings)
        log.info("model_loaded", version=artifact.version, artifact_path=served.loaded.artifact_path)
        if served.may_have_form:
            self._ask_for_form(artifact)
        return predictor

    def _ask_for_form(self, artifact: Artifact) -> None:
        try:
            self._formless(artifact)
        except PlatformError as error:
            # The model serves without it, and the next load asks again.
            log.warning("form_not_asked_for", version=artifact.version, code=error.code)


def _is_of(predictor: Predictor, served: Served) -> bool:
    """Whether a predictor answers for what the registry says: the version, and by its compiled form if it has one."""
    return predictor.version == served.artifact.version and predictor.in_form == (served.form is not None)


class Loads:
    """Loads under way: whoever wants what is being loaded waits for that load. A failure is not kept."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: dict[Wanted, Future[Predictor]] = {}

    def once(self, wanted: Wanted, load: Callable[[], Predictor]) -> Predictor:
        """Load, or wait for the thread that is loading; raises what `load` raises."""
        with self._lock:
            running = self._running.get(wanted)
            if running is None:
                mine = self._running[wanted] = Future()
        if running is not None:
            return running.result()
        try:
            mine.set_result(load())
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._running[wanted]
        return mine.result()
