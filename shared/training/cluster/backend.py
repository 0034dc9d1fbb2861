"""What joblib fits through where a cluster has joined: each batch of its calls is one task.

joblib has such a backend of its own. A batch whose worker has died is never over there, and its tasks start more tasks
on the cluster, so that sums would be added up in another order than on one core.
"""

import warnings
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np
import pandas as pd
from joblib.parallel import AutoBatchingMixin, ParallelBackendBase
from scipy import sparse

from shared.training.cluster.cluster import Cluster
from shared.training.cluster.task import Called, call_all

# Smaller arguments are sent along with each task.
_LARGE_BYTES = 100_000


class ClusterBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc]  # joblib ships no types
    """The methods are those that joblib asks for."""

    supports_retrieve_callback = True
    default_n_jobs = -1

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self._cluster = cluster
        self._promises: list[Future[Called]] = []
        # By their ids, which nothing else can have while the things are kept.
        self._placed: dict[int, tuple[Any, Any]] = {}

    def effective_n_jobs(self, n_jobs: int | None) -> int:  # noqa: ARG002 - joblib passes it by name
        """A job for each worker, whatever was asked for."""
        return self._cluster.workers

    def submit(self, func: Any, callback: Callable[[Future[Called]], None] | None = None) -> Future[Called]:
        """Send a batch of calls, and large arguments the first time that they are met."""
        calls = [
            (function, [self._sent(each) for each in given], {name: self._sent(each) for name, each in named.items()})
            for function, given, named in func.items
        ]
        promise: Future[Called] = self._cluster.submit(call_all, calls)
        self._promises.append(promise)
        if callback is not None:
            promise.add_done_callback(callback)
        return promise

    def retrieve_result_callback(self, out: Future[Called]) -> list[Any]:
        """The results of a batch; what it warned of is warned of here."""
        called = out.result()
        for category, message in called.warned:
            warnings.warn(message, category, stacklevel=2)
        return called.results

    def abort_everything(self, ensure_ready: bool = True) -> None:  # noqa: ARG002 - joblib passes it by name
        """Give up what was sent: another part of the fit has failed."""
        self._cluster.cancel(self._promises)

    def stop_call(self) -> None:
        """Forget what was placed: its memory is given back there."""
        self._promises.clear()
        self._placed.clear()

    def _sent(self, thing: Any) -> Any:
        if _bytes_of(thing) < _LARGE_BYTES:
            return thing
        if id(thing) not in self._placed:
            self._placed[id(thing)] = (thing, self._cluster.place(thing))
        return self._placed[id(thing)][1]


def _bytes_of(thing: Any) -> int:
    """What a table or an array takes; 0 for all else."""
    if isinstance(thing, np.ndarray):
        return int(thing.nbytes)
    if isinstance(thing, pd.DataFrame):
        return int(thing.memory_usage(deep=True).sum())
    return int(thing.data.nbytes) if sparse.issparse(thing) and hasattr(thing, "data") else 0
