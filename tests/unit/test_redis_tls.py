"""Redis over TLS: whoever connects looks at the certificate, Celery included."""

import ssl
from typing import Any

import pytest
from pydantic import SecretStr

from shared.queue import create_celery
from shared.redis_access import connect_redis, redis_url
from shared.settings import Settings


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ("rediss://:word@redis.example.org:6380/1", ssl.CERT_REQUIRED),
        ("rediss://:word@redis.example.org/0?ssl_ca_certs=/run/ca.pem", ssl.CERT_REQUIRED),
        ("rediss://:word@redis.example.org/0?ssl_cert_reqs=none", ssl.CERT_NONE),
    ],
)
def test_a_server_has_to_show_a_certificate_unless_the_url_says_that_it_has_not(given: str, needed: int) -> None:
    settings = Settings(redis_url=SecretStr(given))
    with create_celery(settings).connection() as broker:
        asked: Any = broker.ssl
    assert asked["ssl_cert_reqs"] == needed
    client = connect_redis(settings, seconds=1)
    connection: Any = client.connection_pool.make_connection()
    assert (connection.cert_reqs, connection.check_hostname) == (needed, needed == ssl.CERT_REQUIRED)
    client.close()


def test_a_url_without_tls_stays_as_it_is() -> None:
    assert redis_url(Settings(redis_url=SecretStr("redis://:word@host/0"))) == "redis://:word@host/0"
