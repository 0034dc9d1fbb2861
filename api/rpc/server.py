"""The port of gRPC, in the event loop of the API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from fastapi import FastAPI

from api.http.request_limits import BodyLimit
from api.http.tls import tls_files
from api.rpc.calls import Calls
from api.rpc.gate import CallGate
from api.rpc.messages import SERVICE
from api.rpc.service import Service
from shared.errors import WrongSettings
from shared.listening import listen, listen_problem
from shared.logging import get_logger
from shared.settings import Settings

log = get_logger(__name__)

# Calls that are under way when the process is asked to stop get this long to end.
GRACE_SECONDS = 5
# Of one connection at one time.
_MOST_CALLS = 256
_IDENTITY_ONLY = 1


@asynccontextmanager
async def serving(app: FastAPI, settings: Settings, port: int) -> AsyncIterator[None]:
    """Answer calls at a port while the context lasts.

    Raises:
        WrongSettings: when nothing can listen there.
    """
    limit = BodyLimit(settings.json_max_bytes, "MLMINI_JSON_MAX_BYTES")
    parts = app.state.parts
    calls = Calls(
        CallGate(parts), app.state.metrics, app.state.access_lines, limit=limit, body_seconds=settings.body_seconds
    )
    handlers = {name: calls.handler(name, answer) for name, answer in Service(parts).calls().items()}
    server = grpc.aio.server(options=_options(settings), maximum_concurrent_rpcs=settings.process_connections)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        credentials = _credentials(settings)
        if credentials is None:
            server.add_insecure_port(f"{host}:{port}")
        else:
            server.add_secure_port(f"{host}:{port}", credentials)
    except RuntimeError:
        raise WrongSettings(f"MLMINI_GRPC_PORT: {_in_the_way(settings.host, port)}") from None
    await server.start()
    log.info("grpc_started", port=port)
    try:
        yield
    finally:
        await server.stop(GRACE_SECONDS)


def _credentials(settings: Settings) -> grpc.ServerCredentials | None:
    files = tls_files(settings)
    if files is None:
        return None
    certificate, key = (path.read_bytes() for path in files)
    return grpc.ssl_server_credentials([(key, certificate)])


def _options(settings: Settings) -> list[tuple[str, int]]:
    return [
        # Shared, a second platform could have the port, too, and some of the calls. Several processes of one share it,
        # which the process that they are forked from holds against others.
        ("grpc.so_reuseport", int(settings.api_workers > 1)),
        # What is above the limit, but below this, is refused in the words of the platform.
        ("grpc.max_receive_message_length", 2 * settings.json_max_bytes),
        # A message is as large as it arrives.
        ("grpc.compression_enabled_algorithms_bitset", _IDENTITY_ONLY),
        ("grpc.max_concurrent_streams", _MOST_CALLS),
        ("grpc.max_allowed_incoming_connections", settings.process_connections),
        ("grpc.server_handshake_timeout_ms", round(settings.header_seconds * 1000)),
        # Connections without a call would keep others out for ever; a client makes a new one by itself.
        ("grpc.max_connection_idle_ms", round(settings.header_seconds * 1000)),
        # A client that is gone without a word is noticed.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]


def _in_the_way(host: str, port: int) -> str:
    try:
        listen(host, port).close()
    except OSError as error:
        return f"{listen_problem(host, port, error)} Set it to a free port, or leave it out for no gRPC."
    return f"port {port} on {host} cannot be used. Set it to a free port, or leave it out for no gRPC."
