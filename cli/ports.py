"""Ports to listen on: the wanted one where it is free."""

import socket
from contextlib import closing

from cli.failures import StartFailed

_ATTEMPTS = 100


def listen(host: str, wanted: int, *, variable: str | None) -> socket.socket:
    """A socket that listens on the wanted port, or else on one of the next.

    Holding it from here on means that no other process can take the port before the part listens itself.
    `variable` is the setting with which the user named the port; then only that one will do.

    Raises:
        StartFailed: when none is free.
    """
    candidates = [wanted] if variable else range(wanted, min(wanted + _ATTEMPTS, 65536))
    for port in candidates:
        try:
            return _listen(host, port)
        except OSError as error:
            reason = error.strerror
    if variable:
        raise StartFailed(
            f"{variable}: port {wanted} on {host} cannot be used: {reason}. "
            f"Set {variable} to a free port, or leave it unset to have one chosen."
        )
    raise StartFailed(f"no port from {wanted} to {candidates[-1]} on {host} can be used: {reason}.")


def find_free(wanted: int, *, variable: str | None) -> int:
    """A port of 127.0.0.1 that is free at this moment, found like `listen` does.

    Raises:
        StartFailed: when none is free.
    """
    with closing(listen("127.0.0.1", wanted, variable=variable)) as listener:
        port: int = listener.getsockname()[1]
        return port


def any_free() -> int:
    """Some port of 127.0.0.1 that is free at this moment."""
    with closing(_listen("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # Connections of an earlier run that still linger do not make a port taken.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener
