"""The API process: `python -m api.server` serves the application at the address of the settings."""

import argparse
import gc
import logging
import os
import resource
import socket
import sys
from contextlib import suppress
from functools import partial
from importlib import import_module

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.http.connection import Connection
from api.http.connection_limits import ConnectionLimits
from api.http.tls import tls_context
from api.lifespan import COMPILED_MODELS
from api.live.under_way import tell_what_is_under_way
from api.process import prepare_process
from api.processes.board import Board, Seat
from api.processes.supervisor import Supervisor
from shared.errors import WrongSettings
from shared.home import PRIVATE
from shared.listening import is_about_the_host, listen, listen_problem, reserve
from shared.logging import configure_logging
from shared.settings import PREFIX, Settings, load_settings

# How long requests that are under way may go on when the process is asked to stop.
GRACE_SECONDS = 5

_BACKLOG = 128

# Browsers then use these names, and all below them, by https only, for a year.
_ONLY_TLS = [("strict-transport-security", "max-age=31536000; includeSubDomains")]


class HttpServer(uvicorn.Server):
    """uvicorn's server with limits for connections. When it stops, it first ends the waiting for jobs."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        """Make it ready to serve.

        Raises:
            WrongSettings: when the certificate of the settings cannot be used.
        """
        self._app = app
        tls = tls_context(settings)
        # Half of the descriptors; the other half is for files, databases and stores.
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
        limits = ConnectionLimits(
            header_seconds=settings.header_seconds,
            answer_seconds=settings.body_seconds,
            connections=min(settings.process_connections, most),
        )
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                http=partial(Connection, limits=limits),  # type: ignore[arg-type]  # it is called, as a class would be
                # The request for a websocket is answered as the plain request that it also is.
                ws="none",
                # At most so many connections are accepted at once, before their number is checked.
                backlog=_BACKLOG,
                log_config=None,
                access_log=False,
                server_header=False,
                # Anybody can claim another address; only these proxies are believed.
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=list(settings.trusted_proxies),
                timeout_graceful_shutdown=GRACE_SECONDS,
                ssl_context_factory=None if tls is None else lambda *_: tls,
                headers=_ONLY_TLS if tls is not None and settings.allowed_hosts else None,
            )
        )

    async def on_tick(self, counter: int) -> bool:
        """Once a second, end connections that are too slow, and tell other processes what is under way here."""
        if counter % 10 == 0:
            tell_what_is_under_way(self._app)
            for connection in list(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.check_patience()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        if hasattr(self._app.state, "parts"):
            self._app.state.parts.jobs_watch.close()
            self._app.state.parts.following.close()
        await super().shutdown(sockets)


def main() -> int:
    """Serve until told to stop; the exit code says whether the process could start."""
    prepare_process()
    os.umask(PRIVATE)
    arguments = argparse.ArgumentParser(description="Serve the API.")
    arguments.add_argument("--fd", type=int, help="the descriptor of a bound socket")
    descriptor: int | None = arguments.parse_args().fd
    try:
        settings = load_settings()
        # Checked before an address is taken. With several processes, each reads the files again.
        tls_context(settings)
    except WrongSettings as error:
        sys.exit(f"The API cannot start: {error}")
    try:
        listener = listen(settings.host, settings.port) if descriptor is None else socket.socket(fileno=descriptor)
    except OSError as error:
        sys.exit(f"The API cannot start: {_in_the_way(settings, error)}")
    configure_logging(settings.log_level)
    _raise_descriptor_limit()
    board = Board(settings.api_workers)
    if settings.api_workers == 1:
        return _serve(settings, board, 0, listener)
    try:
        # This process holds the port, so that no other platform gets it, while its own processes may listen there.
        _kept = None if settings.grpc_port is None else reserve(settings.host, settings.grpc_port)
    except OSError as error:
        sys.exit(f"The API cannot start: {_in_the_way(settings, error, 'grpc_port')}")
    # What is imported now is in memory that all processes share, because their garbage collection leaves it alone.
    import_module(COMPILED_MODELS)
    gc.collect()
    gc.freeze()
    return Supervisor(listener, board, serve=partial(_serve, settings, board)).run()


def _serve(settings: Settings, board: Board, number: int, listener: socket.socket) -> int:
    """Be the process with this number until told to stop; the only process is number 0."""
    app = create_app(settings, warm_up=True, seat=Seat(board, number))
    # A refused start has been logged with its reason; the server would add a traceback.
    logging.getLogger("uvicorn.error").addFilter(lambda _: not getattr(app.state, "refused", False))
    server = HttpServer(app, settings)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def _raise_descriptor_limit() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    # macOS refuses an infinite limit.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _in_the_way(settings: Settings, error: OSError, field: str = "port") -> str:
    problem = listen_problem(settings.host, getattr(settings, field), error)
    if is_about_the_host(error):
        return problem
    variable = f"{PREFIX}{field.upper()}"
    return f"{variable}: {problem} Stop what listens there, or set {variable} to a free port."


if __name__ == "__main__":
    sys.exit(main())
