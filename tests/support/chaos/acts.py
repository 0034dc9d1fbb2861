"""How each fault is done; what is returned takes it back. A fault that finds nobody to do it to is not done."""

import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random

import psutil
import redis
from sqlalchemy import select

from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State
from shared.queue import message_lists
from tests.support.chaos.cluster import Cluster
from tests.support.chaos.network import DATABASE, STORE
from tests.support.site import Worker

Undo = Callable[[], object]
# Headers of an answer of the S3 server that has a body.
_BODY = b"200 OK"


class NotDone(Exception):
    """There was nobody to do it to."""


def kill_worker(cluster: Cluster, rng: Random) -> None:
    """SIGKILL to a worker, and to it alone."""
    _one(cluster, rng).process.kill()


def kill_fork_server(cluster: Cluster, rng: Random) -> None:
    """SIGKILL to what computations of a worker come from."""
    _fork_server(_one(cluster, rng)).kill()


def kill_guard(cluster: Cluster, rng: Random) -> None:
    """SIGKILL to the process between a worker and its fork server."""
    guard = _fork_server(_one(cluster, rng)).parent()
    if guard is None:
        raise NotDone
    guard.kill()


def kill_computation(cluster: Cluster, rng: Random) -> None:
    """SIGKILL to a computation."""
    worker = _one(cluster, rng)
    with suppress(psutil.NoSuchProcess):
        if found := worker.computations:
            found[0].kill()
            return
    raise NotDone


def stop_worker(cluster: Cluster, rng: Random) -> None:
    """SIGSTOP to a worker and all that it started; the run continues them when the lease is over."""
    worker = _one(cluster, rng)
    try:
        family = worker.family()
    except psutil.NoSuchProcess:
        raise NotDone from None
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.suspend()


def kill_redis(cluster: Cluster, _rng: Random) -> Undo:
    """SIGKILL to Redis, which has nothing on disk."""
    cluster.site.valkey.kill()
    return partial(_start_redis, cluster)


def flush_redis(cluster: Cluster, _rng: Random) -> None:
    """Empty Redis."""
    with _redis(cluster) as client:
        client.flushall()


def stop_redis(cluster: Cluster, _rng: Random) -> Undo:
    """SIGSTOP to Redis: worse than one that is gone, because whoever asks waits."""
    if cluster.site.valkey.process is None:
        raise NotDone
    process = psutil.Process(cluster.site.valkey.pid)
    process.suspend()
    return lambda: _resume(process)


def double_messages(cluster: Cluster, _rng: Random) -> None:
    """Tell workers a second time of all that waits or runs."""
    with cluster.site.database.read() as session:
        query = select(JobRow.id, JobRow.kind, JobRow.priority).where(JobRow.status.in_([State.QUEUED, State.RUNNING]))
        found = session.execute(query.limit(50)).all()
    if not found:
        raise NotDone
    for job_id, kind, priority in found:
        cluster.site.queue.wake(job_id, Kind(kind), priority)


def drop_messages(cluster: Cluster, _rng: Random) -> None:
    """Take every third message away, of each priority that has any."""
    dropped = 0
    with _redis(cluster) as client:
        for name in message_lists():
            if waiting := client.llen(name):
                dropped += len(client.lpop(name, max(1, int(waiting) // 3)) or ())
    if not dropped:
        raise NotDone


def restart_postgres(cluster: Cluster, _rng: Random) -> Undo:
    """Cut all connections and stop the server."""
    cluster.backends.postgres.stop()
    return partial(_start_postgres, cluster)


def lock_database(cluster: Cluster, _rng: Random) -> Undo:
    """Hold the locks that writers need."""
    return cluster.lock_database().release


def take_store_away(cluster: Cluster, _rng: Random) -> Undo:
    """Let nobody reach the object store."""
    cluster.take_store_away()
    return cluster.bring_store_back


def truncate_body(cluster: Cluster, rng: Random) -> None:
    """Cut the next answer of the store somewhere."""
    cluster.proxies[STORE].cut_after = rng.randrange(20, 1500)
    cluster.proxies[STORE].cut_at = _BODY


def flip_byte(cluster: Cluster, _rng: Random) -> None:
    """Let the next answer of the store have another last byte."""
    cluster.proxies[STORE].flip_at = _BODY


def take_database_away(cluster: Cluster, _rng: Random) -> Undo:
    """Refuse connections to the database, and reset those that are there."""
    cluster.proxies[DATABASE].down()
    return cluster.proxies[DATABASE].up


def kill_api(cluster: Cluster, rng: Random) -> None:
    """SIGKILL to an API process."""
    _signal_api(cluster, rng, signal.SIGKILL)


def terminate_api(cluster: Cluster, rng: Random) -> None:
    """Ask an API process to stop."""
    _signal_api(cluster, rng, signal.SIGTERM)


def terminate_worker(cluster: Cluster, rng: Random) -> None:
    """Ask a worker to stop."""
    _one(cluster, rng).process.send_signal(signal.SIGTERM)


def _signal_api(cluster: Cluster, rng: Random, number: signal.Signals) -> None:
    alive = [api for api in cluster.apis if api.is_alive]
    if not alive:
        raise NotDone
    psutil.Process(rng.choice(alive).pid).send_signal(number)


def _one(cluster: Cluster, rng: Random) -> Worker:
    # One that is still starting has not met anything yet.
    ready = [worker for worker in cluster.workers if worker.is_ready]
    if not ready:
        raise NotDone
    return rng.choice(ready)


def _fork_server(worker: Worker) -> psutil.Process:
    try:
        return worker.fork_server
    except (psutil.NoSuchProcess, IndexError):
        # The worker is gone, or has lost its fork server and not started another one yet.
        raise NotDone from None


def _redis(cluster: Cluster) -> redis.Redis:
    if cluster.site.valkey.process is None or psutil.Process(cluster.site.valkey.pid).status() == psutil.STATUS_STOPPED:
        raise NotDone
    return redis.Redis(port=cluster.site.valkey.port, socket_timeout=5)


def _start_redis(cluster: Cluster) -> None:
    if cluster.site.valkey.process is None:
        cluster.site.valkey.start()


def _start_postgres(cluster: Cluster) -> None:
    if cluster.backends.postgres.process is None:
        cluster.backends.postgres.start()


def _resume(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.resume()
