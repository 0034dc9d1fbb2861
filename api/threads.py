"""Threads for work that cannot be stopped. They do not keep the process from ending.

Those of `concurrent.futures` and AnyIO would, and a prediction may compute for hours.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue


class DaemonThreads:
    """As many threads as there is work at one time. They are kept: starting one is slow, most of all for OpenMP."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._idle = threading.Semaphore(0)

    def start(self, work: Callable[[], None]) -> None:
        """Have `work` done in a thread, at once; it must not raise."""
        self._work.put(work)
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def _run(self) -> None:
        while True:
            self._work.get()()
            self._idle.release()
