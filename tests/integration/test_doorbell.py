"""Telling workers of jobs while Redis is away."""

import json
from uuid import UUID, uuid4

import pytest
from kombu.exceptions import OperationalError
from pydantic import SecretStr

from shared.jobs.rows import MIDDLE_PRIORITY
from shared.jobs.states import Kind
from shared.queue import MESSAGE_LISTS, JobQueue
from shared.settings import Settings
from tests.support.servers import Valkey
from tests.support.stack import NO_REDIS
from tests.support.waiting import eventually


def test_a_redis_that_is_away_holds_up_neither_the_next_message_nor_the_end(settings: Settings) -> None:
    queue = JobQueue(settings.model_copy(update={"redis_url": NO_REDIS}))
    with pytest.raises(OperationalError):
        queue.publish(uuid4(), Kind.TRAIN)
    for _ in range(100):
        queue.wake(uuid4(), Kind.TRAIN)
    queue.close()
    # The thread of the messages is given two seconds to end, which a single retry would use up.
    assert not queue._publisher.is_alive()


def test_messages_that_wait_go_out_together_and_each_of_them_once(settings: Settings, valkey: Valkey) -> None:
    queue = JobQueue(settings.model_copy(update={"redis_url": SecretStr(valkey.fresh_database())}))
    jobs = [uuid4() for _ in range(250)]
    for job_id in jobs:
        queue.wake(job_id, Kind.TRAIN)
    eventually(lambda: queue.depth() == len(jobs), what="every message is there")
    messages = [json.loads(each) for each in queue._redis.lrange(MESSAGE_LISTS[MIDDLE_PRIORITY], 0, -1)]
    assert {UUID(message["headers"]["id"]) for message in messages} == set(jobs)
    queue.close()
