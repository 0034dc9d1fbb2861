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
from importlib.abc import MetaPathFinder

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.http.connection import Connection
from api.http.connection_limits import ConnectionLimits
from api.http.tls import tls_context
from api.lifespan import COMPILED_MODELS
from api.live.under_way import tell_what_is_under_way
from api.processes.board import Board, Seat
from api.processes.supervisor import Supervisor
from shared.errors import WrongSettings
from shared.home import PRIVATE
from shared.listening import is_about_the_host, listen, listen_problem, reserve
from shared.logging import configure_logging
from shared.settings import PREFIX, Settings, load_settings

# Requests that are under way when the process is asked to stop get this long to end.
GRACE_SECONDS = 5

_BACKLOG = 128

# What trainings and predicting processes need.
_NOT_HERE = {"pandas", "sklearn"}


# Browsers take these names, and those below them, by https only, for a year.
_ONLY_TLS = [("strict-transport-security", "max-age=31536000; includeSubDomains")]


class NotHere(MetaPathFinder):
    """Has the libraries of trainings not found: no model is unpickled here, and tables are read elsewhere.

    Arrow would import pandas by itself, to see whether what it is given is of pandas. Told that there is none, it takes
    that for what it is.
    """

    def find_spec(self, name: str, _path: object, _target: object = None, /) -> None:
        """Refuse to look for them, and leave all others to those who find them.

        Raises:
            ModuleNotFoundError: for them.
        """
        if name in _NOT_HERE:
            raise ModuleNotFoundError(f"The API does without {name}", name=name)


# Requests pass between the event loop and threads. By Python's default, a thread that has work to do keeps the others
# waiting for up to 5 ms each time, which is longer than a request needs.
_SWITCH_SECONDS = 0.0005


class HttpServer(uvicorn.Server):
    """Lets requests that wait for a job, or follow one, go before it waits for requests to end."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        """Make it ready to serve.

        Raises:
            WrongSettings: when the certificate of the settings cannot be used.
        """
        self._app = app
        tls = tls_context(settings)
        # The other half is for files, databases and stores.
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
                # A request for one is answered as the plain request that it is, too.
                ws="none",
                # So many are accepted at one stroke, before there is a look at how many there are.
                backlog=_BACKLOG,
                log_config=None,
                access_log=False,
                server_header=False,
                # Anybody can claim another address; only of these it is believed.
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=list(settings.trusted_proxies),
                timeout_graceful_shutdown=GRACE_SECONDS,
                ssl_context_factory=None if tls is None else lambda *_: tls,
                headers=_ONLY_TLS if tls is not None and settings.allowed_hosts else None,
            )
        )

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections, and tell other processes what is under way, once in a second."""
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
        # Before it takes an address: with several processes, each reads the files again.
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
        # Held by this process, so that no other platform has it while all of its own may listen there.
        _kept = None if settings.grpc_port is None else reserve(settings.host, settings.grpc_port)
    except OSError as error:
        sys.exit(f"The API cannot start: {_in_the_way(settings, error, 'grpc_port')}")
    # What is imported now is in the memory of all processes, whose collections of garbage leave it alone.
    import_module(COMPILED_MODELS)
    gc.collect()
    gc.freeze()
    return Supervisor(listener, board, serve=partial(_serve, settings, board)).run()


def prepare_process() -> None:
    """Set what holds for the whole process; call it first."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Read by OpenMP and BLAS when they are loaded, which is later. Each prediction has one thread, of which there are
    # enough; more for each of them would take the cores from the predictions of other models.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.meta_path.insert(0, NotHere())


def _serve(settings: Settings, board: Board, number: int, listener: socket.socket) -> int:
    """Be the process of that number, or the only one, until told to stop."""
    app = create_app(settings, warm_up=True, seat=Seat(board, number))
    # A start that is refused has told why in a sentence; the server would add where in the code that was.
    logging.getLogger("uvicorn.error").addFilter(lambda _: not getattr(app.state, "refused", False))
    server = HttpServer(app, settings)
    server.run(sockets=[listener])
    return 0 if server.started else 1


def _raise_descriptor_limit() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    # macOS does not take a limit without end.
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
