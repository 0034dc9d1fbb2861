"""The connection of a computing process to the scheduler: opened here, and nowhere else."""

import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from shared.errors import DaskUnreachable
from shared.training.cluster.address import ClusterAddress

# Within this, a scheduler that is there answers.
ANSWER_SECONDS = 15.0


@contextmanager
def connected(address: ClusterAddress, *, seconds: float = ANSWER_SECONDS) -> Iterator[Any]:
    """A client of the cluster for the block.

    Raises:
        DaskUnreachable: when no scheduler answers there.
    """
    client = _opened(address, seconds)
    try:
        yield client
    finally:
        client.close(timeout=seconds)


def _opened(address: ClusterAddress, seconds: float) -> Any:
    # The extra may be missing, and to import it takes a second.
    import distributed

    # Its functions have no types.
    dask: Any = distributed
    files = {
        "tls_ca_file": str(address.ca_file),
        "tls_client_cert": str(address.cert_file),
        "tls_client_key": str(address.key_file),
    }
    encrypted = address.scheduler.startswith("tls://")
    security = dask.Security(require_encryption=encrypted, **(files if encrypted else {}))
    try:
        if not encrypted:
            _see_that_it_listens(address.scheduler)
        with warnings.catch_warnings():
            # Releases that differ are refused in words of ours.
            warnings.simplefilter("ignore")
            return dask.Client(address.scheduler, timeout=seconds, security=security, set_as_default=False)
    except (OSError, ValueError) as error:
        raise DaskUnreachable(
            f"The Dask scheduler at {address.scheduler} does not answer ({_reason(error)}). {DaskUnreachable.hint}"
        ) from error


def _see_that_it_listens(scheduler: str) -> None:
    """Fail at once where nobody listens on this machine: the client would try again and again."""
    place = urlsplit(scheduler)
    socket.create_connection((str(place.hostname), int(place.port or 0))).close()


def _reason(error: BaseException) -> str:
    """The innermost cause in one line: what is around it says only that it took too long."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
