"""The thread that notices changes of the registry and has the changed predictors replaced."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from shared.database import Database
from shared.errors import PlatformError
from shared.logging import get_logger
from shared.prediction.shelf import Place, Shelf
from shared.registry import deployments

POLL_SECONDS = 0.25
# A replacement that could not be loaded is tried again after this time.
RETRY_SECONDS = 5.0
_LOADERS = 2

log = get_logger(__name__)


class Watcher:
    """Reads one number from the database, four times a second; only when it has risen anything else is asked."""

    def __init__(self, database: Database, shelf: Shelf, *, replace: Callable[[Place], None]) -> None:
        self._database = database
        self._shelf = shelf
        self._replace = replace
        self._seen: int | None = None
        self._look_again_at = float("inf")
        self._replacing: set[Place] = set()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._reachable = True
        self._thread = threading.Thread(target=self._run, name="registry-watcher", daemon=True)
        # Their own threads: a large model that loads must not keep a change of another one from being noticed.
        self._loaders = ThreadPoolExecutor(_LOADERS, thread_name_prefix="predictor-loader")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once."""
        self._wake.set()

    def close(self) -> None:
        """Stop the thread and wait for loads under way."""
        self._closed.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self._loaders.shutdown(cancel_futures=True)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._look()
                self._reachable = True
            except PlatformError:
                if self._reachable:
                    log.warning("registry_not_reachable")
                self._reachable = False
            except Exception:
                # Whatever it was: without this thread the process would serve retired models for ever.
                log.exception("registry_not_read")
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()

    def _look(self) -> None:
        with self._database.read() as session:
            generation = deployments.generation(session)
        if generation != self._seen or time.monotonic() >= self._look_again_at:
            self._refresh(generation)

    def _refresh(self, generation: int) -> None:
        contents = self._shelf.begin_refresh(generation)
        with self._database.read() as session:
            serving = deployments.serving_versions(session)
            active = deployments.still_active(session, contents.versions)
        self._seen = generation
        self._look_again_at = float("inf")
        self._shelf.keep_active(active)
        for place, version in contents.serving.items():
            if place not in serving:
                self._shelf.drop(place, version)
            elif serving[place] != version:
                self._begin_replacing(place, version, retired=(place[1], version) not in active)

    def _begin_replacing(self, place: Place, version: int, *, retired: bool) -> None:
        if place in self._replacing:
            # What is being loaded may be the right one, or already too old.
            self._look_again_at = 0
            return
        self._replacing.add(place)
        self._loaders.submit(self._replace_one, place, version, retired)

    def _replace_one(self, place: Place, version: int, retired: bool) -> None:
        try:
            self._replace(place)
        except Exception as error:
            log.warning(
                "predictor_not_replaced",
                dataset_name=place[0],
                environment=place[1],
                exc_info=not isinstance(error, PlatformError),
            )
            # The old version goes on serving, unless it must not: then requests get this very error.
            if retired:
                self._shelf.drop(place, version)
            self._look_again_at = min(self._look_again_at, time.monotonic() + RETRY_SECONDS)
        finally:
            self._replacing.discard(place)
