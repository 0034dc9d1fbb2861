"""A cluster that computes for one job: tasks go there and results come back, or an error that ends the waiting."""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any

from shared.errors import ComputationCrashed, DaskUnreachable, DaskWorkersDiffer, PlatformError
from shared.training.cluster.connection import ANSWER_SECONDS
from shared.training.cluster.task import Surroundings, differ_there, run_there

_LOOK_SECONDS = 2.0
# So long a scheduler may be too busy to answer, and a cluster without any worker: they are started again.
_BUSY_SECONDS = 30.0
_PATIENCE_SECONDS = 30.0
# To fetch a fitted member takes no longer.
_RESULT_SECONDS = 60.0
# What the client raises where it cannot reach the scheduler, or waited for it long enough.
_GONE = (OSError, CancelledError)


class Cluster:
    """Has functions called on the workers. Its scheduler is watched meanwhile."""

    def __init__(self, client: Any, surroundings: Surroundings, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        """`client` is connected; within `answer_seconds`, there is a worker.

        Raises:
            DaskUnreachable: when there is no worker.
            DaskWorkersDiffer: when a part of the cluster computes with something else, or has no platform.
        """
        self._client = client
        self._surroundings = surroundings
        self._answer_seconds = answer_seconds
        self._lock = threading.Lock()
        self._waiting: dict[Future[Any], Any] = {}
        self._lost = ""
        self._over = threading.Event()
        # How many tasks were computed there.
        self.done = 0
        self.workers: int = self._ask(self._counted)
        threading.Thread(target=self._watch, name="cluster", daemon=True).start()

    def leave(self) -> None:
        """Have nothing more computed for this job."""
        self._over.set()
        self.cancel(list(self._waiting))

    def place(self, thing: Any) -> Any:
        """Send a large thing to the workers, once; what comes back stands for it among what tasks are given."""
        return self._ask(lambda: self._client.scatter(thing, broadcast=True, hash=False, timeout=ANSWER_SECONDS))

    def submit(self, function: Callable[..., Any], *given: Any) -> Future[Any]:
        """Have a function called on some worker.

        What comes of it is its result, its error, DaskUnreachable when the cluster is lost, or ComputationCrashed when
        several workers have died of it.
        """
        promise: Future[Any] = Future()
        remote = self._ask(lambda: self._client.submit(run_there, self._surroundings, function, *given, pure=False))
        with self._lock:
            self._waiting[promise] = remote
        self._follow(promise, remote)
        if self._lost:
            self._end_waits()
        return promise

    def cancel(self, promises: Iterable[Future[Any]]) -> None:
        """Give up tasks. Those that no worker has begun are not computed."""
        with self._lock:
            remotes = [remote for each in promises if (remote := self._waiting.pop(each, None)) is not None]
        if remotes and not self._lost:
            with suppress(*_GONE):
                self._client.cancel(remotes, force=True)

    def _counted(self) -> int:
        """How many workers there are; all of them and the scheduler have what this process has."""
        client, here = self._client, self._surroundings
        client.wait_for_workers(1, timeout=self._answer_seconds)
        of_workers = client.run(differ_there, here)
        for part, found in [("scheduler", client.run_on_scheduler(differ_there, here)), *of_workers.items()]:
            if found:
                raise DaskWorkersDiffer(f"{_named(part)} of the Dask cluster has {found}. {DaskWorkersDiffer.hint}")
        return len(of_workers)

    def _ask(self, act: Callable[[], Any]) -> Any:
        """What the client does; that the cluster is lost, or is another one, is told as it is."""
        if self._lost:
            raise DaskUnreachable(self._lost)
        try:
            return act()
        except PlatformError:
            raise
        except Exception as error:
            raise _meant(error) from error

    def _follow(self, promise: Future[Any], remote: Any) -> None:
        remote.add_done_callback(lambda _remote: self._fulfil(promise, remote))

    def _fulfil(self, promise: Future[Any], remote: Any) -> None:
        result, error = None, None
        try:
            result = remote.result(timeout=_RESULT_SECONDS)
        except Exception as raised:  # noqa: BLE001 - whatever a function raises there is raised to whoever waits here
            error = raised
        if error is not None and remote.status == "pending" and promise in self._waiting:
            # The worker that had the result is gone: it is computed once more.
            self._follow(promise, remote)
            return
        if error is not None and remote.status != "error" and promise in self._waiting:
            # Such as a table that was placed there: it cannot be made again from what is left.
            self._lose("it has lost what it was computing")
        with self._lock:
            if self._waiting.pop(promise, None) is None:
                return
            self.done += 1
        if error is None:
            promise.set_result(result)
        else:
            promise.set_exception(_meant(error))

    def _watch(self) -> None:
        seen = time.monotonic()
        while not self._over.wait(_LOOK_SECONDS):
            try:
                found = self._client.sync(self._client.scheduler.identity, callback_timeout=_BUSY_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it is, nobody answers
                self._lose(f"its scheduler does not answer any more ({type(error).__name__})")
                return
            if found["workers"]:
                seen = time.monotonic()
            elif time.monotonic() - seen > _PATIENCE_SECONDS:
                self._lose(f"it has had no worker for {_PATIENCE_SECONDS:g} s")
                return

    def _lose(self, reason: str) -> None:
        self._lost = f"The Dask cluster was lost in the middle of the job: {reason}. {DaskUnreachable.hint}"
        self._end_waits()

    def _end_waits(self) -> None:
        """Nothing comes from there any more."""
        with self._lock:
            promises, self._waiting = list(self._waiting), {}
        for promise in promises:
            promise.set_exception(DaskUnreachable(self._lost))


def _meant(error: Exception) -> Exception:
    """What an error of the client says, in words of the platform; that of a function as it is."""
    words = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    if isinstance(error, PlatformError):
        return error
    if type(error).__name__ == "KilledWorker":
        return ComputationCrashed(
            "Several workers of the Dask cluster died of a fit, one after the other, most often for want of memory: "
            "give them more, or train on fewer rows or with a smaller model."
        )
    if "ModuleNotFoundError" in words or "Error during deserialization" in words:
        return DaskWorkersDiffer(
            f"The Dask cluster cannot load what it is to call ({words}): its scheduler or a worker does not have the "
            f"platform installed, or another release. {DaskWorkersDiffer.hint}"
        )
    if isinstance(error, _GONE):
        return DaskUnreachable(f"The Dask cluster does not answer ({words}). {DaskUnreachable.hint}")
    return error


def _named(part: str) -> str:
    return "The scheduler" if part == "scheduler" else f"The worker {part}"
