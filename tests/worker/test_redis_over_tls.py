"""Jobs are told of by a Redis that speaks TLS, and its certificate is looked at."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from pydantic import SecretStr

from shared.jobs.states import State
from shared.redis_access import connect_redis, redis_problem
from shared.settings import Settings
from tests.support.certificates import Pair, made
from tests.support.servers import Valkey
from tests.support.site import Site
from tests.support.tls_front import TlsFront, tls_front
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.any_stack,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="nothing here makes certificates"),
]
FOREST = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 3}}


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return made(tmp_path, "redis")


@pytest.fixture
def front(own_valkey: Valkey, pair: Pair) -> Iterator[TlsFront]:
    with tls_front(own_valkey.port, pair) as front:
        yield front


def test_a_worker_hears_of_jobs_over_tls(installation: Site, front: TlsFront, pair: Pair) -> None:
    place = installation.settings.redis_url.get_secret_value().rpartition("/")[2]
    installation.start_worker(
        MLMINI_REDIS_URL=f"rediss://127.0.0.1:{front.port}/{place}?ssl_ca_certs={pair.certificate}"
    )
    eventually(lambda: front.heard, what="the worker connects by TLS")
    installation.until(installation.train([FOREST]), State.SUCCEEDED)


def test_a_certificate_of_nobody_is_refused_with_a_sentence(front: TlsFront) -> None:
    settings = Settings(redis_url=SecretStr(f"rediss://127.0.0.1:{front.port}/0"))
    client = connect_redis(settings, seconds=5)
    with pytest.raises(redis.ConnectionError) as refused:
        client.ping()
    client.close()
    assert front.heard == 0
    assert "does not trust the certificate" in redis_problem(refused.value)
    assert "ssl_ca_certs" in redis_problem(refused.value)
