"""Telling workers of jobs while Redis is away."""

from uuid import uuid4

import pytest
from kombu.exceptions import OperationalError

from shared.jobs.states import Kind
from shared.queue import JobQueue
from shared.settings import Settings
from tests.support.stack import NO_REDIS


def test_a_redis_that_is_away_holds_up_neither_the_next_message_nor_the_end(settings: Settings) -> None:
    queue = JobQueue(settings.model_copy(update={"redis_url": NO_REDIS}))
    with pytest.raises(OperationalError):
        queue.publish(uuid4(), Kind.TRAIN)
    for _ in range(100):
        queue.wake(uuid4(), Kind.TRAIN)
    queue.close()
    # The thread of the messages is given two seconds to end, which a single retry would use up.
    assert not queue._publisher.is_alive()
