"""What every attempt of this worker process needs, opened once at its start."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from secrets import token_hex

from shared.accounts.exposure import check_secrets
from shared.database import Database
from shared.logging import get_logger
from shared.object_store import ObjectStore
from shared.platform import Platform
from shared.queue import JobQueue
from shared.registry.sealing import ArtifactKey
from shared.sandbox import Sandbox
from shared.sandbox.isolation import NOTHING_MORE, Reach
from shared.scratch import Scratch
from shared.settings import Settings
from shared.training.cluster.address import ClusterAddress

log = get_logger(__name__)

COMPUTATION = "worker.computation:main"
_CLOSE_SECONDS = 6
# How often a waiting thread looks whether it has to stop.
_LOOK_SECONDS = 0.2


class Stopping(Exception):
    """This worker takes no job any more; one that it has goes back to the queue."""


class Runtime:
    """Database, store, fork server and the slots that tasks and the poller share."""

    def __init__(self, settings: Settings) -> None:
        """Open everything, or nothing.

        Raises:
            Unavailable: when the database or the object store is away and may come back.
            WrongSettings: when waiting does not help.
        """
        self.settings = settings
        self.name = f"{socket.gethostname()}-{os.getpid()}-{token_hex(3)}"
        # `draining`: no new attempt begins. `stopping`: running attempts stop, too. See `drain`.
        self.draining = threading.Event()
        self.stopping = threading.Event()
        self._slots = Slots(settings.worker_slots)
        with ExitStack() as opened:
            self._open(opened)
            self._opened = opened.pop_all()

    def _open(self, opened: ExitStack) -> None:
        settings = self.settings
        platform = Platform.open(settings, opened)
        check_secrets(platform.database, settings)
        self.database: Database = platform.database
        self.store: ObjectStore = platform.store
        self.key: ArtifactKey = platform.key
        self.queue: JobQueue = platform.queue
        opened.callback(self.queue.leave, self.name)
        self.scratch = Scratch(settings.scratch)
        opened.callback(self.scratch.close)
        self.sandbox = Sandbox(COMPUTATION, scratch=self.scratch.folder, reach=_reach_of(self.settings))
        opened.callback(self.sandbox.close)

    def cluster(self) -> ClusterAddress | None:
        """Where computations find the Dask cluster; None where there is none.

        Raises:
            DaskUnreachable: when its host is not known.
        """
        named = ClusterAddress.named_in(self.settings)
        return None if named is None else named.resolved()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a free slot and hold it.

        Raises:
            Stopping: when the worker drains before one is free.
        """
        while not self.try_slot(seconds=_LOOK_SECONDS):
            if self.draining.is_set():
                raise Stopping
        try:
            yield
        finally:
            self.free_slot()

    def try_slot(self, *, seconds: float = 0.0) -> bool:
        """Take a slot if one is free within the time, unless the worker drains; give it back with `free_slot`."""
        if self.draining.is_set() or not self._slots.take(seconds=seconds):
            return False
        if self.draining.is_set():
            self.free_slot()
            return False
        return True

    def free_slot(self) -> None:
        """Give back a slot that `try_slot` took."""
        self._slots.free()

    def raise_if_stopping(self) -> None:
        """Raise Stopping once attempts have to end, whether they are done or not."""
        if self.stopping.is_set():
            raise Stopping

    def drain(self) -> None:
        """Wait until this worker is asked to stop, let its attempts end for the grace time, then stop those left."""
        self.draining.wait()
        deadline = time.monotonic() + self.settings.drain_seconds
        log.info("drain_began", seconds=self.settings.drain_seconds)
        while not self.stopping.is_set() and time.monotonic() < deadline:
            if self._slots.wait_until_all_free(seconds=_LOOK_SECONDS):
                break
        self.stopping.set()

    def close(self) -> None:
        """Wait until every job is done or back in the queue, then close everything in the reverse order of opening.

        An attempt may be in a request to the store, whose end it waits for. What it works with stays open that long,
        and its lease is renewed: a job that lost its folder or its store under way would end as failed.
        """
        while not self._slots.wait_until_all_free(seconds=_CLOSE_SECONDS):
            log.warning("attempts_still_running")
        self._opened.close()


class Slots:
    """A fixed number of places for attempts."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken = 0
        self._changed = threading.Condition()

    def take(self, *, seconds: float = 0.0) -> bool:
        """Take a place, if one is free within the time; give it back with `free`."""
        with self._changed:
            free = self._changed.wait_for(lambda: self._taken < self._count, timeout=seconds)
            self._taken += free
            return free

    def free(self) -> None:
        """Give back a place."""
        with self._changed:
            self._taken -= 1
            self._changed.notify_all()

    def wait_until_all_free(self, *, seconds: float) -> bool:
        """Whether nobody has a place, at the latest after the time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._taken == 0, timeout=seconds)


def _reach_of(settings: Settings) -> Reach:
    """What computations reach beside their folders: the Dask cluster, where there is one."""
    cluster = ClusterAddress.named_in(settings)
    return NOTHING_MORE if cluster is None else Reach(reads=cluster.files, ports=[cluster.port])
