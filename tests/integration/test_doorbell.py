"""Telling workers of jobs while Redis is away."""

import json
import threading
from collections.abc import Iterable, Iterator
from uuid import UUID, uuid4

import pytest
from kombu.exceptions import KombuError
from pydantic import SecretStr

from shared.jobs.delivery import Delivery
from shared.jobs.rows import MIDDLE_PRIORITY
from shared.jobs.states import Kind
from shared.queue import JobQueue, message_lists
from shared.settings import Settings
from tests.support.jobs import ring
from tests.support.servers import Valkey
from tests.support.stack import NO_REDIS
from tests.support.waiting import eventually


def test_a_redis_that_is_away_holds_up_neither_the_next_message_nor_the_end(settings: Settings) -> None:
    queue = JobQueue(settings.model_copy(update={"redis_url": NO_REDIS}))
    with pytest.raises(KombuError):
        ring(queue, uuid4(), Kind.TRAIN)
    for _ in range(100):
        queue.wake(uuid4(), Kind.TRAIN)
    queue.close()
    # The thread of the messages is given two seconds to end, which a single retry would use up.
    assert not queue._publisher.is_alive()


@pytest.fixture
def queue(settings: Settings, own_valkey: Valkey) -> Iterator[JobQueue]:
    queue = JobQueue(settings.model_copy(update={"redis_url": SecretStr(own_valkey.url)}))
    yield queue
    queue.close()


def messages(queue: JobQueue) -> list[UUID]:
    """The jobs that workers are told of."""
    found = queue._redis.lrange(message_lists()[MIDDLE_PRIORITY], 0, -1)
    return [UUID(json.loads(message)["headers"]["id"]) for message in found]


def test_messages_that_wait_go_out_together_and_each_of_them_once(
    queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    publish_all = queue.publish_all

    def publish_slowly(deliveries: Iterable[Delivery]) -> None:
        sizes.append(len(found := list(deliveries)))
        assert all_wait.wait(10)
        publish_all(found)

    all_wait = threading.Event()
    monkeypatch.setattr(queue, "publish_all", publish_slowly)
    jobs = [uuid4() for _ in range(250)]
    queue.wake(jobs[0], Kind.TRAIN)
    eventually(lambda: sizes)
    for job_id in jobs[1:]:
        queue.wake(job_id, Kind.TRAIN)
    all_wait.set()
    eventually(lambda: len(messages(queue)) == len(jobs), what="every message is there")
    assert sizes == [1, 100, 100, 49]
    assert set(messages(queue)) == set(jobs)


def test_a_bunch_is_one_question_to_redis(queue: JobQueue) -> None:
    ring(queue, uuid4(), Kind.TRAIN)
    before = queue._redis.info("stats")["total_net_input_bytes"]
    reads = queue._redis.info("stats")["total_reads_processed"]
    queue.publish_all(Delivery(uuid4(), Kind.TRAIN, MIDDLE_PRIORITY) for _ in range(50))
    stats = queue._redis.info("stats")
    assert stats["total_net_input_bytes"] - before > 50 * 500, "all of them were sent"
    # One by one, the messages and their events are a hundred; a long bunch comes in several pieces.
    assert stats["total_reads_processed"] - reads < 50
    assert len(messages(queue)) == 51


def test_after_redis_has_come_back_messages_go_out_again(queue: JobQueue, own_valkey: Valkey) -> None:
    queue.wake(uuid4(), Kind.TRAIN)
    eventually(lambda: messages(queue))
    own_valkey.kill()
    lost = [uuid4() for _ in range(3)]
    with pytest.raises(KombuError):
        queue.publish_all(Delivery(job_id, Kind.TRAIN, MIDDLE_PRIORITY) for job_id in lost)
    queue.wake(lost[0], Kind.TRAIN)
    eventually(queue._waiting.empty)
    own_valkey.start()
    queue.wake(after := uuid4(), Kind.TRAIN)
    eventually(lambda: after in messages(queue), what="the message of afterwards is there")
