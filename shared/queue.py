"""Tells workers of due jobs: Celery over Redis. It carries job ids, and may lose or repeat them; SQL has the jobs."""

import contextlib
import queue
import socket
import threading
from collections.abc import Iterable
from uuid import UUID

import redis
from celery import Celery
from kombu.transport.redis import Channel

from shared.jobs.delivery import Delivery
from shared.jobs.rows import MIDDLE_PRIORITY, PRIORITIES
from shared.jobs.states import Kind
from shared.logging import get_logger
from shared.redis_access import connect_redis, redis_url
from shared.settings import DEFAULT_POOL, Settings

log = get_logger(__name__)

QUEUE_NAME = "mlmini"
_WORKER_PREFIX = "mlmini-worker:"
_WORKER_SECONDS = 15
_BACKLOG = 10_000
_MOST_AT_ONCE = 100
_SOCKET_SECONDS = 5

# When a broker disappears, give up after about 20 seconds, not after TCP's default of hours. Not every system has all
# of these options.
_KEEPALIVE = {
    getattr(socket, name): value
    for name, value in {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 3}.items()
    if hasattr(socket, name)
}


def create_celery(settings: Settings) -> Celery:
    """The Celery application that both edges speak through: early ack, JSON, no results, no retries of its own.

    Raises:
        WrongSettings: when MLMINI_REDIS_URL is not a URL of Redis.
    """
    app = Celery("mlmini", broker=redis_url(settings), set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE_NAME,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=False,
        task_ignore_result=True,
        task_publish_retry=False,
        task_send_sent_event=True,
        task_track_started=True,
        worker_send_task_events=True,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_timeout": _SOCKET_SECONDS,
            "socket_connect_timeout": _SOCKET_SECONDS,
            "socket_keepalive": True,
            "socket_keepalive_options": _KEEPALIVE,
            "retry_on_timeout": False,
            # Do not wait for a Redis that is away: the relay sends what it missed when it is back.
            "max_retries": 0,
            # Without these, four lists hold all ten priorities.
            "priority_steps": list(PRIORITIES),
        },
    )
    return app


def queue_name(pool: str) -> str:
    """The queue of a pool. That of the default one has the name that it had before there were others."""
    return QUEUE_NAME if pool == DEFAULT_POOL else f"{QUEUE_NAME}.{pool}"


def message_lists(pool: str = DEFAULT_POOL) -> list[str]:
    """Redis's lists of messages of a pool, one for each priority, as kombu names them.

    That of priority 0 bears the name of the queue. Workers ask for all of them at once, and Redis gives from the first
    that has a message.
    """
    name = queue_name(pool)
    return [name if priority == 0 else f"{name}{Channel.sep}{priority}" for priority in PRIORITIES]


class JobQueue:
    """Tells workers of due jobs, without ever making a caller wait for Redis."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is sent yet. Raises WrongSettings for a URL that is not of a Redis server."""
        self._redis = connect_redis(settings, seconds=_SOCKET_SECONDS)
        self._celery = create_celery(settings)
        self._waiting: queue.Queue[Delivery | None] = queue.Queue(maxsize=_BACKLOG)
        self._publisher = threading.Thread(target=self._publish_all, name="publisher", daemon=True)
        self._publisher.start()

    def wake(self, job_id: UUID, kind: Kind, priority: int = MIDDLE_PRIORITY, pool: str = DEFAULT_POOL) -> None:
        """Have workers told of a job, best effort, in the background. What gets lost, the relay sends again."""
        try:
            self._waiting.put_nowait(Delivery(job_id, kind, priority, pool))
        except queue.Full:
            log.warning("doorbell_backlog_full", job_id=str(job_id))

    def publish_all(self, deliveries: Iterable[Delivery]) -> None:
        """Tell workers of jobs now, in one round trip to Redis.

        Raises:
            Exception: whatever the broker's client raises when Redis does not answer; some may have been told then.
        """
        with self._celery.producer_pool.acquire(block=True) as producer, producer.batch():  # type: ignore[attr-defined]  # newer than the stubs
            for job in deliveries:
                name = str(job.job_id)
                self._celery.send_task(
                    job.kind,
                    args=[name],
                    task_id=name,
                    queue=queue_name(job.pool),
                    priority=job.priority,
                    producer=producer,
                )

    def ping(self) -> None:
        """Ask Redis for an answer.

        Raises:
            redis.RedisError: when it gives none.
        """
        self._redis.ping()

    def depth(self, pools: Iterable[str] = (DEFAULT_POOL,)) -> int:
        """How many messages wait for a worker of these pools, of all priorities.

        Raises:
            redis.RedisError: when Redis does not answer.
        """
        with self._redis.pipeline(transaction=False) as pipeline:
            for name in (name for pool in pools for name in message_lists(pool)):
                pipeline.llen(name)
            lengths: list[int] = pipeline.execute()
        return sum(lengths)

    def announce(self, worker: str, *, pools: Iterable[str] = (DEFAULT_POOL,)) -> None:
        """Say that a worker is alive and takes jobs of these pools; it is forgotten after a while.

        Raises:
            redis.RedisError: when Redis does not answer.
        """
        self._redis.set(_WORKER_PREFIX + worker, ",".join(pools), ex=_WORKER_SECONDS)

    def leave(self, worker: str) -> None:
        """Take a worker off the list, best effort."""
        with contextlib.suppress(redis.RedisError):
            self._redis.delete(_WORKER_PREFIX + worker)

    def workers(self) -> list[str]:
        """The workers that announced themselves lately.

        Raises:
            redis.RedisError: when Redis does not answer.
        """
        return sorted(key.removeprefix(_WORKER_PREFIX) for key in self._announced())

    def pools(self) -> set[str]:
        """The pools whose jobs these workers take.

        Raises:
            redis.RedisError: when Redis does not answer.
        """
        keys = self._announced()
        said: list[str | None] = self._redis.mget(keys) if keys else []  # type: ignore[assignment]  # it decodes
        # A worker of a release before pools says 1.
        return {DEFAULT_POOL if pool == "1" else pool for each in said if each for pool in each.split(",")}

    def _announced(self) -> list[str]:
        return list(self._redis.scan_iter(match=_WORKER_PREFIX + "*", count=1000))

    def close(self) -> None:
        """Stop publishing; what is not yet published is left to the relay."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._publisher.join(timeout=2)
        self._celery.close()
        self._redis.close()

    def _publish_all(self) -> None:
        goes_on = True
        while goes_on:
            # Send together what came while the last ones were sent.
            found = [self._waiting.get()]
            with contextlib.suppress(queue.Empty):
                while len(found) < _MOST_AT_ONCE:
                    found.append(self._waiting.get_nowait())
            deliveries = [delivery for delivery in found if delivery is not None]
            goes_on = len(deliveries) == len(found)
            try:
                self.publish_all(deliveries)
            except Exception as error:  # noqa: BLE001 - broker clients raise many kinds, and none may end this thread
                log.warning("doorbell_failed", jobs=len(deliveries), error=type(error).__name__)
