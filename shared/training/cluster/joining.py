"""Which cluster computes for the training that this thread is at."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import joblib

from shared.estimators.catalogue import Estimator
from shared.training.cluster.address import ClusterAddress
from shared.training.cluster.backend import ClusterBackend
from shared.training.cluster.cluster import Cluster
from shared.training.cluster.connection import ANSWER_SECONDS, connected
from shared.training.cluster.task import Surroundings
from shared.training.narration import Say

_JOINED: ContextVar[Cluster | None] = ContextVar("joined_cluster", default=None)


@contextmanager
def joined(
    address: ClusterAddress | None,
    say: Say,
    *,
    own: Sequence[Estimator] = (),
    libraries: Sequence[str] = (),
    seconds: float = ANSWER_SECONDS,
) -> Iterator[None]:
    """Have the fits of the block computed on a cluster, if one is named.

    `own` are the estimators of own packages that its models are made of, `libraries` what else must be there.
    Scheduler and workers have to answer within so many seconds each.

    Raises:
        DaskUnreachable: when it does not answer, or has no workers.
        DaskWorkersDiffer: when it computes with other releases.
    """
    if address is None:
        yield
        return
    with connected(address, seconds=seconds) as client:
        cluster = Cluster(client, Surroundings.of_job(own, libraries), answer_seconds=seconds)
        before = _JOINED.set(cluster)
        try:
            say(f"Dask: {workers_joined()} with the same releases as here")
            yield
        finally:
            _JOINED.reset(before)
            cluster.leave()


def joined_cluster() -> Cluster | None:
    """The one that computes for this thread."""
    return _JOINED.get()


@contextmanager
def members_side_by_side() -> Iterator[None]:
    """Have joblib fit what is of many members on the cluster, where one has joined."""
    cluster = _JOINED.get()
    if cluster is None:
        yield
        return
    with joblib.parallel_config(backend=ClusterBackend(cluster), n_jobs=-1):
        yield


def tasks_done() -> int:
    """How many tasks the cluster has done for this job so far."""
    cluster = _JOINED.get()
    return 0 if cluster is None else cluster.done


def told_of_cluster(done_before: int) -> list[str]:
    """What the cluster did for a training that began when it had done so many tasks; nothing where none has joined."""
    cluster = _JOINED.get()
    if cluster is None:
        return []
    done = cluster.done - done_before
    if done == 0:
        return ["Dask: nothing of this training was computed on the cluster, so its own process did all."]
    return [f"Dask: {workers_joined()} computed {done:,} {'task' if done == 1 else 'tasks'} of this training."]


def workers_joined() -> str:
    """How many workers compute for this thread, in words."""
    cluster = _JOINED.get()
    count = 0 if cluster is None else cluster.workers
    return "1 worker" if count == 1 else f"{count:,} workers"
