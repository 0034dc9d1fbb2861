"""Whose address stands in the log, and who is believed about it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog
from structlog.testing import LogCapture

from shared.settings import Settings
from tests.support.api_server import serving
from tests.support.raw_http import exchange

pytestmark = pytest.mark.any_stack


@contextmanager
def logged(settings: Settings, *, everywhere: bool = False) -> Iterator[tuple[str, list[str]]]:
    """A server, and the addresses of its clients in the log."""
    capture = LogCapture()
    before = structlog.get_config()["processors"]
    clients: list[str] = []
    structlog.configure(processors=[capture])
    try:
        with serving(settings, everywhere=everywhere) as (url, _):
            yield url, clients
    finally:
        structlog.configure(processors=before)
        clients += [entry["client"] for entry in capture.entries if entry["event"] == "request"]


CLAIMED = "GET /errors HTTP/1.1", "Host: localhost", "X-Forwarded-For: 203.0.113.9"


@pytest.mark.asvs("4.1.3", "15.3.4")
def test_a_claim_of_anybody_is_passed_over(api_settings: Settings) -> None:
    with logged(api_settings) as (url, clients):
        exchange(url, *CLAIMED)
    assert clients == ["127.0.0.1"]


@pytest.mark.asvs("4.1.3", "15.3.4")
@pytest.mark.parametrize(
    "everywhere",
    [False, pytest.param(True, marks=pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6"))],
)
def test_a_trusted_proxy_is_believed(api_settings: Settings, everywhere: bool) -> None:
    own = {"trusted_proxies": ("127.0.0.0/8",)}
    with logged(api_settings.model_copy(update=own), everywhere=everywhere) as (url, clients):
        exchange(url, *CLAIMED)
        # What a client says before the proxy adds what it sees is not believed.
        exchange(url, *CLAIMED[:2], "X-Forwarded-For: 198.51.100.1, 203.0.113.9")
        exchange(url, *CLAIMED[:2])
    assert clients == ["203.0.113.9", "203.0.113.9", "127.0.0.1"]


@pytest.mark.asvs("4.1.3")
def test_a_proxy_elsewhere_is_not(api_settings: Settings) -> None:
    with logged(api_settings.model_copy(update={"trusted_proxies": ("10.0.0.0/8",)})) as (url, clients):
        exchange(url, *CLAIMED)
    assert clients == ["127.0.0.1"]
