"""How the command line reaches an API, and what it says when it does not."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from cli.client import requests as calls
from cli.client.address import find_address
from cli.client.connection import Client
from cli.client.errors import Unreachable, WrongUsage
from cli.client.failure import unreachable
from cli.client.probe import Reply, _context, ask
from cli.doctor.examination import CheckState
from cli.doctor.services import check_api
from tests.support.answering import answer, page, server

VERSION = answer(200, {"platform": "1.2.3"})
READY = answer(200, {"status": "ok", "dependencies": {}})
# A name that only a proxy can reach.
FAR = "http://ml.example"


def failure_at(url: str) -> str:
    with pytest.raises(Unreachable) as caught, Client(find_address(url)) as client:
        client.get(calls.version(read_seconds=3))
    return caught.value.sentence


def test_https_asked_of_a_server_of_http_is_told_with_the_right_url() -> None:
    with server(VERSION) as plain:
        said = failure_at(f"https://me:word@127.0.0.1:{plain.server_port}/api")
    assert f"The server at https://***@127.0.0.1:{plain.server_port}/api speaks http, not https." in said
    assert f"Use the URL http://***@127.0.0.1:{plain.server_port}/api." in said


@contextmanager
def resetting() -> Iterator[str]:
    """A server that ends each connection, as one of https does with a request in plain text; its URL."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def end_each() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                # An alert of TLS, which is not an answer of HTTP.
                connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")
                connection.close()

        threading.Thread(target=end_each, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def test_a_connection_that_breaks_lets_one_think_of_https(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cli.client.connection.MOST_ATTEMPTS", 1)
    with resetting() as url:
        said = failure_at(url)
    assert f"The connection to {url} broke" in said
    assert "If it speaks https, its URL begins with https://." in said


def test_a_certificate_that_is_not_trusted_is_told() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.reason, error.verify_message = "CERTIFICATE_VERIFY_FAILED", "self-signed certificate"
    said = unreachable(find_address("https://ml.example"), error).sentence
    assert "The certificate of https://ml.example is not trusted (self-signed certificate)." in said
    assert "SSL_CERT_FILE" in said


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "ftp://127.0.0.1:1"])
def test_a_proxy_that_cannot_be_used_is_wrong_usage(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(WrongUsage, match="ALL_PROXY"):
        Client(find_address(FAR))


def test_the_doctor_reaches_the_api_through_a_proxy_as_verbs_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(VERSION, READY) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        result = check_api(find_address(FAR))
    assert (result.state, result.found) == (CheckState.OK, f"{FAR}, release 1.2.3")


def test_the_doctor_sends_the_password_of_the_url_and_does_not_show_it() -> None:
    with server(VERSION, READY) as api:
        result = check_api(find_address(f"http://me:word@127.0.0.1:{api.server_port}"))
    assert (result.state, result.found) == (CheckState.OK, f"http://***@127.0.0.1:{api.server_port}, release 1.2.3")
    assert api.authorizations == ["Basic bWU6d29yZA=="] * 2


def test_the_doctor_tells_https_from_http_as_verbs_do() -> None:
    with server(VERSION) as plain:
        result = check_api(find_address(f"https://127.0.0.1:{plain.server_port}"))
    assert result.state is CheckState.BROKEN
    assert "speaks http, not https" in result.found
    assert f"Use the URL http://127.0.0.1:{plain.server_port}." in result.hint


@pytest.mark.parametrize("other", [page(200), page(503), answer(200, []), answer(404, {"platform": "1"})])
def test_the_doctor_takes_nothing_else_for_the_api(other: tuple[int, dict[str, str], bytes]) -> None:
    with server(other) as found:
        result = check_api(find_address(found.url))
    assert (result.state, result.found) == (CheckState.BROKEN, f"what answers at {found.url} is not the platform")


def test_a_probe_gives_up_where_nothing_speaks_http() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert ask(url, "/version") is None
    with resetting() as odd:
        assert ask(odd, "/version") is None


def test_a_probe_takes_what_is_not_an_object_for_an_empty_one() -> None:
    with server(page(200), answer(200, [1]), VERSION) as found:
        assert [ask(found.url, "/version") for _ in range(3)] == [
            Reply(200, {}),
            Reply(200, {}),
            Reply(200, {"platform": "1.2.3"}),
        ]


def test_a_probe_checks_certificates_but_on_this_machine() -> None:
    assert _context("ml.example.org").verify_mode is ssl.CERT_REQUIRED
    assert _context("ml.example.org").check_hostname
    assert _context("127.0.0.1").verify_mode is ssl.CERT_NONE
