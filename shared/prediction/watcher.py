"""The thread that notices changes of the registry and has the changed predictors replaced."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from sqlalchemy.orm import Session

from shared.database import Database
from shared.errors import PlatformError
from shared.logging import get_logger
from shared.prediction.loaded import LoadedModels, ServingPlace
from shared.prediction.refusals import Refusals
from shared.registry import deployments
from shared.registry.forms import formed
from shared.registry.targets import active_targets_everywhere

POLL_SECONDS = 0.25
# A replacement that could not be loaded is tried again after this time.
RETRY_SECONDS = 5.0
_LOADERS = 2

log = get_logger(__name__)


@dataclass
class Replacement:
    """A serving predictor for which another one is being loaded; a retired one must not answer for long."""

    version: int
    retired: bool
    done: Future[None]


class Watcher:
    """Reads one number from the database four times a second, and asks for more only when it has changed."""

    def __init__(
        self,
        database: Database,
        loaded: LoadedModels,
        refusals: Refusals,
        *,
        replace: Callable[[ServingPlace], None],
        caught_up: Callable[[int], None],
        beside: Callable[[Session], None],
    ) -> None:
        """`caught_up` hears of each generation once nothing has to be replaced for it any more; `beside` reads what
        else is to be known at each look.
        """
        self._caught_up = caught_up
        self._beside = beside
        self._database = database
        self._loaded = loaded
        self._refusals = refusals
        self._replace = replace
        self._seen: int | None = None
        self._look_again_at = float("inf")
        self._replacing: dict[ServingPlace, Replacement] = {}
        # One thread looks at a time, so that generations come in order. It is not held while a model is loaded.
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._woken = threading.Event()
        self._reachable = True
        self._thread = threading.Thread(target=self._run, name="registry-watcher", daemon=True)
        # Their own threads: a large model that loads must not keep a change of another one from being noticed.
        self._loaders = ThreadPoolExecutor(_LOADERS, thread_name_prefix="predictor-loader")

    @property
    def generation(self) -> int:
        """That of the registry at the last look; 0 before the first one."""
        return self._seen or 0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def catch_up(self, seconds: float) -> None:
        """Look now, and return when everything that has to be replaced is replaced, or has failed to be.

        After `seconds`, retired versions that still wait for their replacement are dropped: requests wait for it then.

        Raises:
            DatabaseUnavailable: when the registry cannot be read.
        """
        deadline = time.monotonic() + seconds
        while (pending := self._look_and_list()) and not self._closed.is_set():
            left = max(deadline - time.monotonic(), 0)
            if wait([replacement.done for replacement in pending.values()], timeout=left).not_done:
                self._drop_retired(pending)
                return

    def look_now(self) -> None:
        """Have the thread look at once."""
        self._woken.set()

    def close(self) -> None:
        """Stop the thread and wait for loads under way."""
        self._closed.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()
        self._loaders.shutdown(cancel_futures=True)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._look_and_list()
                self._reachable = True
            except PlatformError:
                if self._reachable:
                    log.warning("registry_not_reachable")
                self._reachable = False
            except Exception:
                # Catch everything: without this thread the process would serve retired models forever.
                log.exception("registry_not_read")
            self._woken.wait(POLL_SECONDS)
            self._woken.clear()

    def _look_and_list(self) -> dict[ServingPlace, Replacement]:
        """Look for changes, begin to replace what they concern, and return what is being replaced."""
        with self._lock:
            with self._database.read() as session:
                generation = deployments.generation(session)
                self._beside(session)
            if generation != self._seen or time.monotonic() >= self._look_again_at:
                self._refresh(generation)
            self._tell()
            return dict(self._replacing)

    def _refresh(self, generation: int) -> None:
        self._refusals.forget()
        contents = self._loaded.begin_refresh(generation)
        with self._database.read() as session:
            everywhere = active_targets_everywhere(session)
            active = deployments.still_active(session, contents.versions)
            got_form = contents.without_form & formed(session, {version for _, version in contents.without_form})
        self._seen = generation
        self._look_again_at = float("inf")
        targets = {ServingPlace(*where): newest for where, newest in everywhere.items()}
        # What serves goes on until its compiled form is loaded; the others are loaded anew when they are asked for.
        self._loaded.keep_active(active - got_form, {place: tuple(sorted(newest)) for place, newest in targets.items()})
        for place, version in contents.serving.items():
            serving = _serving(place, targets.get(place.of_any_target, {}))
            if serving is None:
                self._loaded.drop(place, version)
            elif serving != version or (place.environment, version) in got_form:
                self._begin_replacing(place, version, retired=(place.environment, version) not in active)

    def _begin_replacing(self, place: ServingPlace, version: int, *, retired: bool) -> None:
        if place in self._replacing:
            # What is being loaded may be the right one, or already too old.
            self._look_again_at = 0
            self._replacing[place].retired |= retired
            return
        # The loader needs this lock for its last step, so it cannot finish before this is written down.
        self._replacing[place] = Replacement(version, retired, self._loaders.submit(self._replace_one, place))

    def _replace_one(self, place: ServingPlace) -> None:
        replaced = False
        try:
            self._replace(place)
            replaced = True
        except Exception as error:
            log.warning(
                "predictor_not_replaced",
                dataset_name=place.dataset_name,
                environment=place.environment,
                exc_info=not isinstance(error, PlatformError),
            )
        with self._lock:
            replacement = self._replacing.pop(place)
            if not replaced:
                self._look_again_at = min(self._look_again_at, time.monotonic() + RETRY_SECONDS)
            self._tell()
        if replaced:
            return
        # The old version goes on serving, unless it must not: then requests get this very error.
        if replacement.retired:
            self._loaded.drop(place, replacement.version)

    def _tell(self) -> None:
        # At 0, what was loaded may be too old already.
        if self._seen is not None and not self._replacing and self._look_again_at:
            self._caught_up(self._seen)

    def _drop_retired(self, pending: dict[ServingPlace, Replacement]) -> None:
        for place, replacement in pending.items():
            if replacement.retired:
                self._loaded.drop(place, replacement.version)


def _serving(place: ServingPlace, newest: Mapping[str, int]) -> int | None:
    """The version that serves a place, by the newest active version of each target there."""
    return max(newest.values(), default=None) if place.target is None else newest.get(place.target)
