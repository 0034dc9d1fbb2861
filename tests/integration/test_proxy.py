"""The proxy of the tests does to a connection what it says."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.support.proxy import RESET, Proxy, proxy_to
from tests.support.waiting import eventually


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy before a server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=echo, args=(listener,), daemon=True).start()
        with proxy_to(listener.getsockname()[1]) as made:
            yield made
        listener.shutdown(socket.SHUT_RDWR)


def echo(listener: socket.socket) -> None:
    """Serve one connection after the other, each in a thread, until the listener is shut down."""

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while data := connection.recv(1000):
                connection.sendall(data)

    with suppress(OSError):
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def connected(proxy: Proxy) -> socket.socket:
    """A connection through the proxy on which a byte went there and back."""
    with ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", proxy.port), timeout=5))
        connection.sendall(b"?")
        assert connection.recv(1) == b"?"
        stack.pop_all()
    return connection


def waits(connection: socket.socket) -> bool:
    """Whether nothing arrives: no byte and no end."""
    connection.settimeout(0.2)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(5)
    return False


def test_a_black_hole_gives_back_what_it_swallowed(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        proxy.black_hole = True
        connection.sendall(b"late")
        assert waits(connection)
        proxy.heal()
        assert connection.recv(4) == b"late"


def test_what_a_silent_proxy_swallowed_is_lost(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        proxy.silent = True
        connection.sendall(b"lost")
        assert waits(connection)
        proxy.heal()
        connection.sendall(b"kept")
        assert connection.recv(4) == b"kept"


def test_a_reset_is_an_error_for_who_is_connected_and_none_for_the_next(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    connected(proxy).close()


def test_nobody_gets_through_while_it_is_down(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        proxy.down()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    with pytest.raises(ConnectionResetError):
        connected(proxy)
    proxy.up()
    connected(proxy).close()


def test_half_open_connections_stay_so_and_new_ones_work(proxy: Proxy) -> None:
    with connected(proxy) as stranded:
        proxy.strand()
        connected(proxy).close()
        stranded.sendall(b"?")
        assert waits(stranded)
        proxy.heal()
        assert waits(stranded), "nothing brings them back"


def test_pieces_are_cut_small_and_slow(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        proxy.slice_bytes, proxy.delay_seconds = 10, 0.01
        connection.sendall(b"x" * 30)
        pieces = [connection.recv(1000)]
        while sum(map(len, pieces)) < 30:
            pieces.append(connection.recv(1000))
        assert len(pieces) > 1


def test_an_answer_is_cut_and_another_one_has_a_wrong_byte_once_each(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        proxy.flip_at = b"flip"
        connection.sendall(b"flip me")
        assert connection.recv(100) == b"flip md"
        connection.sendall(b"flip me")
        assert connection.recv(100) == b"flip me"
        proxy.cut_at, proxy.cut_after = b"cut", 2
        connection.sendall(b"cut me")
        assert connection.recv(100) == b"cu"
        assert connection.recv(100) == b""
    assert (proxy.flips, proxy.cuts) == (1, 1)


def test_requests_of_http_are_answered_in_the_servers_stead(proxy: Proxy) -> None:
    with connected(proxy) as connection:
        proxy.failing = 1.0
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 503 ")
    assert eventually(lambda: proxy.errors) == 1


def test_the_server_sees_the_end_of_a_client_that_resets_its_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, proxy_to(listener.getsockname()[1]) as proxy:
        client = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
        listener.settimeout(5)
        server, _ = listener.accept()
        with server:
            server.settimeout(5)
            client.sendall(b"?")
            assert server.recv(1) == b"?"
            # As the system does for a process that is killed.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
            assert server.recv(1) == b""
