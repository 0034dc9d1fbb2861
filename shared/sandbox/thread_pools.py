"""Thread pools that work in a computing process: those of Python use named semaphores, which are closed to it."""

import multiprocessing.pool
import threading
from collections.abc import Callable, Iterable
from multiprocessing.context import ForkContext
from typing import Any


class _OneProcess(ForkContext):
    """The source of locks for a pool whose workers are threads of one process."""

    # The stubs promise a lock that processes share; a pool of threads only acquires and releases it.
    def Lock(self) -> threading.Lock:  # type: ignore[override]  # noqa: N802 - the name is that of the context
        return threading.Lock()


def have_pools_of_threads() -> None:
    """Make each `multiprocessing.pool.ThreadPool` of this process work without named semaphores.

    Those are files in /dev/shm, which all processes of the machine share, so an isolated process may not open it. A
    pool of threads does not need them, but makes two all the same. joblib's threads are such a pool.
    """
    multiprocessing.pool.ThreadPool.__init__ = _begin  # type: ignore[assignment, method-assign]  # no other way in


def _begin(
    pool: multiprocessing.pool.ThreadPool,
    processes: int | None = None,
    initializer: Callable[..., object] | None = None,
    initargs: Iterable[Any] = (),
) -> None:
    multiprocessing.pool.Pool.__init__(pool, processes, initializer, initargs, context=_OneProcess())
