"""Whether there is gRPC: it is where MLMINI_GRPC_PORT is set."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from shared.errors import WrongSettings
from shared.settings import Settings


@asynccontextmanager
async def grpc_serving(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    """Serve gRPC while the context lasts, if the settings say so.

    Raises:
        WrongSettings: when what serves it is not installed, or nothing can listen at the port.
    """
    if settings.grpc_port is None:
        yield
        return
    # Read when the library is loaded: what is worth a line in the log is told by the platform, and children of the
    # process are programs of their own.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    try:
        from api.rpc.server import serving
    except ModuleNotFoundError as error:
        raise WrongSettings(
            f"MLMINI_GRPC_PORT: what serves gRPC is not installed here ({error.name}). Have the extra 'grpc' "
            "installed: pip install 'ml-mini-platform[grpc]'. Or leave the setting out."
        ) from None
    async with serving(app, settings, settings.grpc_port):
        yield
