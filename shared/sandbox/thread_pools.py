"""Pools of threads that a computing process can have: Python's own take semaphores that other processes could share."""

import multiprocessing.pool
import threading
from collections.abc import Callable, Iterable
from multiprocessing.context import ForkContext
from typing import Any


class _OneProcess(ForkContext):
    """What a pool takes its locks from whose workers are threads of one process."""

    # The stubs have what processes share, of which a pool of threads uses nothing but the beginning and the end.
    def Lock(self) -> threading.Lock:  # type: ignore[override]  # noqa: N802 - the name is that of the context
        return threading.Lock()


def have_pools_of_threads() -> None:
    """Have each `multiprocessing.pool.ThreadPool` of this process do without named semaphores.

    Those are files in /dev/shm, which all processes of the machine have together, so that an isolated one is kept from
    it. Threads need none, but the pool makes two to hear of the end of its workers. joblib's threads are such a pool.
    """
    multiprocessing.pool.ThreadPool.__init__ = _begin  # type: ignore[assignment, method-assign]  # no other way in


def _begin(
    pool: multiprocessing.pool.ThreadPool,
    processes: int | None = None,
    initializer: Callable[..., object] | None = None,
    initargs: Iterable[Any] = (),
) -> None:
    multiprocessing.pool.Pool.__init__(pool, processes, initializer, initargs, context=_OneProcess())
