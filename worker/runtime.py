"""What every attempt of this worker process needs, opened once at its start."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from secrets import token_hex

from shared.database import Database
from shared.database_access import open_database
from shared.home import prepare_home
from shared.logging import get_logger
from shared.migration import check_schema
from shared.object_store import ObjectStore, open_store
from shared.queue import JobQueue
from shared.registry.sealing import ArtifactKey, load_artifact_key
from shared.sandbox import Sandbox
from shared.scratch import Scratch
from shared.settings import Settings

log = get_logger(__name__)

COMPUTATION = "worker.computation:main"
_DRAIN_SECONDS = 6


class Stopping(Exception):
    """This worker is asked to stop; its jobs go back to the queue."""


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
        self.stopping = threading.Event()
        self._slots = threading.Semaphore(settings.worker_slots)
        with ExitStack() as opened:
            self._open(opened)
            self._opened = opened.pop_all()

    def _open(self, opened: ExitStack) -> None:
        settings = self.settings
        prepare_home(settings.home)
        prepare_home(settings.scratch)
        self.database: Database = open_database(settings)
        opened.callback(self.database.close)
        check_schema(self.database)
        self.store: ObjectStore = open_store(settings)
        opened.callback(self.store.close)
        self.store.prepare()
        self.key: ArtifactKey = load_artifact_key(settings)
        self.queue = JobQueue(settings)
        opened.callback(self.queue.close)
        opened.callback(self.queue.leave, self.name)
        self.scratch = Scratch(settings.scratch)
        opened.callback(self.scratch.close)
        self.sandbox = Sandbox(COMPUTATION, scratch=self.scratch.folder)
        opened.callback(self.sandbox.close)

    @property
    def threads_per_job(self) -> int:
        """How many threads one computation may use, so that full slots do not use more than the cores."""
        return max(1, (os.cpu_count() or 1) // self.settings.worker_slots)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a free slot and hold it.

        Raises:
            Stopping: when the worker stops before one is free.
        """
        while not self._slots.acquire(timeout=0.2):
            self.raise_if_stopping()
        try:
            self.raise_if_stopping()
            yield
        finally:
            self._slots.release()

    def try_slot(self) -> bool:
        """Take a slot if one is free at this moment; give it back with `free_slot`."""
        return not self.stopping.is_set() and self._slots.acquire(blocking=False)

    def free_slot(self) -> None:
        """Give back a slot that `try_slot` took."""
        self._slots.release()

    def raise_if_stopping(self) -> None:
        """Raise Stopping once the worker is asked to stop."""
        if self.stopping.is_set():
            raise Stopping

    def drain(self) -> None:
        """Wait until no attempt holds a slot, so that every job is back in the queue."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        for _ in range(self.settings.worker_slots):
            if not self._slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
                log.warning("attempts_still_running")
                return

    def close(self) -> None:
        """Close everything, in the reverse order of opening."""
        self._opened.close()
