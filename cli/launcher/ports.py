"""Ports to listen on: the wanted one if it is free."""

import socket
from contextlib import closing

from cli.launcher.errors import StartFailed
from shared import listening

_ATTEMPTS = 100


def listen(host: str, wanted: int, *, variable: str | None) -> socket.socket:
    """A socket that listens on the wanted port, or else on one of the next.

    It is held from now on, so that no other process takes the port before the part listens.
    `variable` is the setting with which the user named the port. With it, no other port is tried.

    Raises:
        StartFailed: when none is free.
    """
    candidates = [wanted] if variable else range(wanted, min(wanted + _ATTEMPTS, 65536))
    for port in candidates:
        try:
            return listening.listen(host, port)
        except OSError as error:
            problem = listening.listen_problem(host, port, error)
            if listening.is_about_the_host(error):
                raise StartFailed(problem) from None
            reason = error.strerror
    if variable:
        raise StartFailed(f"{variable}: {problem} Set {variable} to a free port, or leave it unset to have one chosen.")
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
    with closing(listening.listen("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
