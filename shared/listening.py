"""Sockets that listen, and why one cannot."""

import errno
import socket
import sys

# Connections that nobody has accepted yet.
QUEUE = 2048


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; whoever holds it has the port.

    Raises:
        OSError: when the port is taken, or the host is not an address of this machine.
    """
    listener = _bound(host, port)
    try:
        listener.listen(QUEUE)
    except OSError:
        listener.close()
        raise
    return listener


def listen_beside(listener: socket.socket) -> socket.socket:
    """Another socket at the address of one that listens already; the kernel deals new connections out to both.

    Elsewhere than on Linux, which does not deal them out, it is the same socket, and whoever is fastest has them.

    Raises:
        OSError: when that cannot be done.
    """
    if sys.platform != "linux":
        return listener.dup()
    # Not before: bound alone, the first one has shown that the port is free.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    other = socket.socket(listener.family, listener.type, listener.proto)
    try:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(listener.getsockname())
        other.listen(QUEUE)
    except OSError:
        other.close()
        raise
    return other


def reserve(host: str, port: int) -> socket.socket:
    """A socket that has the port and does not listen: others of this user may, if they say that they share it.

    Raises:
        OSError: when the port is taken, or the host is not an address of this machine.
    """
    holder = _bound(host, port)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return holder


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    holder = socket.socket(family, kind, protocol)
    try:
        # A port is free even when old connections of an earlier run are still closing.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(address)
    except OSError:
        holder.close()
        raise
    return holder


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
