"""`python -m api.standalone [FOLDER]` serves an exported model until it is told to stop."""

import argparse
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import uvicorn

from api.process import prepare_process
from api.server import HttpServer
from api.standalone.app import create_standalone_app
from api.standalone.keys import ServeKeys
from shared.accounts.openness import may_be_open
from shared.errors import PlatformError, WrongSettings
from shared.exported.folder import ExportedFolder, open_folder
from shared.exported.key import read_export_key
from shared.exported.manifest import FolderRefused
from shared.exported.serving import load_exported
from shared.hosts import is_loopback
from shared.listening import is_about_the_host, listen
from shared.logging import configure_logging, get_logger
from shared.prediction.processes import PredictingProcesses
from shared.settings import load_settings

# Where SageMaker puts a model, and the variable by which it asks for another port.
_FOLDER = "/opt/ml/model"
_PORT_VARIABLE = "SAGEMAKER_BIND_TO_PORT"
_PORT = 8080
_WRONG = 2

log = get_logger("api.standalone")


class StartRefused(Exception):
    """The server cannot start; the sentence says why, and what to do."""


class StandaloneServer(HttpServer):
    """A server without jobs, so that it has no waiting to end when it stops."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving."""
        await uvicorn.Server.shutdown(self, sockets)


def main(words: Sequence[str] | None = None) -> int:
    """Serve; the exit code is 0 after a stop, 1 when the start failed, 2 when a setting is wrong."""
    prepare_process()
    given = _arguments(words)
    try:
        # Until the server handles signals itself, SIGTERM also ends the process in order.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with ExitStack() as stack:
            return _serve(given, stack)
    except (WrongSettings, StartRefused) as error:
        return _complain(str(error), _WRONG)
    except (FolderRefused, PlatformError) as error:
        return _complain(f"'{given.folder}' is not served. {error}", 1)
    except KeyboardInterrupt:
        return 0


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m api.standalone", description="Serve an exported model.")
    parser.add_argument("folder", nargs="?", default=_FOLDER, help=f"what was exported; {_FOLDER} by default")
    parser.add_argument("--host", help="the address to listen on; MLMINI_HOST, or 127.0.0.1, by default")
    parser.add_argument("--port", help=f"the port; {_PORT_VARIABLE}, or {_PORT}, by default")
    return parser.parse_args(words)


def _serve(given: argparse.Namespace, stack: ExitStack) -> int:
    settings = load_settings()
    key = read_export_key(settings)
    host, port = given.host or settings.host, _port(given.port)
    keys = ServeKeys.of_settings(settings)
    if not keys.are_asked_for and not may_be_open(settings, host):
        raise StartRefused(
            f"On {host}, whoever reaches this machine could ask, and nobody is asked for a key. Let "
            "MLMINI_SERVE_KEYS_FILE name a file with keys, a line each, or listen on 127.0.0.1. "
            "Set MLMINI_ALLOW_OPEN=1 if that is meant."
        )
    configure_logging(settings.log_level)
    with _listener(host, port) as listener:
        folder = open_folder(Path(given.folder), key)
        scratch = _scratch(stack)
        settings = settings.model_copy(update={"host": host, "port": port, "home": scratch, "serve_keys": None})
        processes = PredictingProcesses(settings)
        stack.callback(processes.close)
        model = load_exported(folder, settings, processes)
        _tell(folder, host=host, port=port, asks_for_keys=keys.are_asked_for)
        app = create_standalone_app(model, settings, keys=keys, of_any_name=not is_loopback(host))
        server = StandaloneServer(app, settings)
        server.run(sockets=[listener])
    return 0 if server.started else 1


def _scratch(stack: ExitStack) -> Path:
    """A temporary folder in place of a home, for what requests need for a while."""
    try:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlmini-serve-")))
        (home / "scratch").mkdir(mode=0o700)
    except OSError as error:
        raise StartRefused(
            f"There is no folder for temporary files: {error.strerror}. Set TMPDIR to one that can be written; a "
            "container whose root cannot be written needs `--tmpfs /tmp`."
        ) from None
    return home


def _tell(folder: ExportedFolder, *, host: str, port: int, asks_for_keys: bool) -> None:
    manifest = folder.manifest
    log.info(
        "model_served",
        host=host,
        port=port,
        asks_for_keys=asks_for_keys,
        dataset_name=manifest.dataset_name,
        stage=manifest.stage,
        version=manifest.version,
        target=manifest.signature.target,
        compiled=not manifest.file.runs_code,
        seal_checked=folder.sealed,
    )


def _listener(host: str, port: int) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        if is_about_the_host(error):
            raise StartRefused(f"{host} is not an address of this machine ({error.strerror}). Name one.") from None
        raise StartRefused(
            f"Port {port} on {host} cannot be used: {error.strerror}. Name another with --port."
        ) from None


def _port(given: str | None) -> int:
    name, text = ("--port", given) if given is not None else (_PORT_VARIABLE, os.environ.get(_PORT_VARIABLE) or _PORT)
    if not str(text).isdecimal() or not 1 <= int(text) <= 65535:
        raise StartRefused(f"{name} must be a port from 1 to 65535, not '{text}'.")
    return int(text)


def _complain(sentence: str, status: int) -> int:
    sys.stderr.write(f"mlmini: {sentence}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
