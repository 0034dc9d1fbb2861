"""Sockets that listen, and why one cannot."""

import errno
import socket


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; whoever holds it has the port.

    Raises:
        OSError: when the port is taken, or the host is not an address of this machine.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # A port is free even when old connections of an earlier run are still closing.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def is_about_the_host(error: OSError) -> bool:
    """Whether the host is the problem, so that another port would fail as well."""
    return isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL


def listen_problem(host: str, port: int, error: OSError) -> str:
    """Why nothing can listen there."""
    if is_about_the_host(error):
        return (
            f"MLMINI_HOST: {host} is not an address of this machine ({error.strerror}). Set it to one that is, such as "
            "127.0.0.1."
        )
    return f"port {port} on {host} cannot be used: {error.strerror}."
