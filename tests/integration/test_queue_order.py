"""The order of the queue: in the database, which decides, and among the messages, which only hurry it on."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from kombu.transport.redis import Channel
from pydantic import SecretStr
from sqlalchemy import update

from shared.clock import Now
from shared.database import Database
from shared.jobs.delivery import count_due, due, take_unpublished
from shared.jobs.places import places_in_queue
from shared.jobs.rows import PRIORITIES, JobRow
from shared.jobs.states import Kind
from shared.queue import QUEUE_NAME, JobQueue, create_celery
from shared.settings import Settings
from tests.support.jobs import add_job, claim_job, ring
from tests.support.servers import Valkey

# Priority and for how many seconds it has been due, in the order in which they are to go.
ORDER = [(0, 1), (4, 300), (4, 200), (5, 999), (9, 1)]


@pytest.fixture
def ordered(database: Database) -> list[UUID]:
    """Due jobs in their order, accepted in another one."""
    jobs = {}
    for priority, seconds in reversed(ORDER):
        job_id = jobs[priority, seconds] = add_job(database, priority=priority)
        with database.write() as session:
            session.execute(update(JobRow).where(JobRow.id == job_id).values(run_at=Now(-seconds)))
    return [jobs[each] for each in ORDER]


def test_the_poller_gets_due_jobs_by_priority_and_then_by_age(database: Database, ordered: list[UUID]) -> None:
    with database.read() as session:
        assert [job.job_id for job in due(session, limit=9)] == ordered
        assert [job.job_id for job in due(session, limit=2)] == ordered[:2]


def test_a_job_of_a_kind_that_is_not_known_here_keeps_no_other_from_being_found(
    database: Database, ordered: list[UUID]
) -> None:
    with database.write() as session:
        session.execute(update(JobRow).where(JobRow.id == ordered[0]).values(kind="of_tomorrow"))
    with database.read() as session:
        assert [job.job_id for job in due(session, limit=9)] == ordered[1:]
        assert count_due(session) == len(ordered) - 1
    with database.write() as session:
        assert [job.job_id for job in take_unpublished(session, limit=9, quiet_seconds=60)] == ordered[1:]


def test_the_relay_tells_of_jobs_in_the_same_order(database: Database, ordered: list[UUID]) -> None:
    with database.write() as session:
        told = [take_unpublished(session, limit=2, quiet_seconds=60) for _ in range(3)]
    assert [job.job_id for jobs in told for job in jobs] == ordered
    assert [job.priority for jobs in told for job in jobs] == [priority for priority, _ in ORDER]


def test_every_place_in_the_queue_has_one_job(database: Database, ordered: list[UUID]) -> None:
    running = claim_job(database, add_job(database)).job_id
    with database.write() as session:
        # Jobs of one moment have places of their own, too.
        session.execute(update(JobRow).values(run_at=Now(-5)))
        moment = session.get_one(JobRow, ordered[0]).run_at
        session.execute(update(JobRow).values(run_at=moment, priority=5))
    with database.read() as session:
        places = places_in_queue(session, [*ordered, running, uuid4()])
        first = due(session, limit=9)
    assert sorted(place.position or 0 for place in places.values()) == [1, 2, 3, 4, 5]
    assert [places[job.job_id].position for job in first] == [1, 2, 3, 4, 5]
    assert {place.running for place in places.values()} == {1}


@pytest.fixture
def redis_url(valkey: Valkey) -> str:
    """A Redis without messages."""
    return valkey.fresh_database()


@pytest.fixture
def queue(settings: Settings, redis_url: str) -> Iterator[JobQueue]:
    """A queue of its own."""
    queue = JobQueue(settings.model_copy(update={"redis_url": SecretStr(redis_url)}))
    yield queue
    queue.close()


def consume(url: str, count: int) -> list[str]:
    """The first argument of so many messages, as a worker gets them."""
    settings = Settings(redis_url=SecretStr(url))
    got: list[str] = []

    def take(body: Any, message: Any) -> None:
        got.append(body[0][0])
        message.ack()

    app = create_celery(settings)
    with app.connection_for_read() as connection:
        taker = app.amqp.TaskConsumer(connection.default_channel, callbacks=[take])
        with taker:
            taker.qos(prefetch_count=1)
            while len(got) < count:
                connection.drain_events(timeout=5)
    app.close()
    return got


def test_messages_come_by_priority_and_are_counted_whatever_it_is(queue: JobQueue, redis_url: str) -> None:
    jobs = {priority: uuid4() for priority in PRIORITIES}
    for priority in [5, 0, 9, 3, 4, 8, 1, 2, 7, 6]:
        ring(queue, jobs[priority], Kind.TRAIN, priority)
    assert queue.depth() == len(PRIORITIES)
    assert consume(redis_url, len(PRIORITIES)) == [str(jobs[priority]) for priority in PRIORITIES]
    assert queue.depth() == 0


def test_messages_of_a_release_without_priorities_are_counted_and_come_first(queue: JobQueue, redis_url: str) -> None:
    ring(queue, uuid4(), Kind.TRAIN)
    # That release had one list, and 0 for every message in it.
    ring(queue, before := uuid4(), Kind.TRAIN, 0)
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        assert client.llen(QUEUE_NAME) == 1
        assert client.llen(f"{QUEUE_NAME}{Channel.sep}5") == 1
    assert queue.depth() == 2
    assert consume(redis_url, 1) == [str(before)]
