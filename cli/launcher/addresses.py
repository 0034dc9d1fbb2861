"""Where the platform of this start listens."""

import socket
from dataclasses import dataclass
from typing import Self

from cli.launcher import ports
from shared.settings import PREFIX, Settings

LOOPBACK = "127.0.0.1"

# Addresses that mean every interface, and the address at which such a listener is reached.
_EVERYWHERE = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 - not bound to here


@dataclass(frozen=True)
class Addresses:
    """The API's address, with its socket, and Flower's; the notes say where they are not the wanted ones."""

    listener: socket.socket
    host: str
    port: int
    note: str
    flower_port: int
    flower_note: str
    scheme: str = "http"

    @classmethod
    def find(cls, settings: Settings) -> Self:
        """Hold a port for the API and find one for Flower.

        Raises:
            StartFailed: when a port that the user named is taken.
        """
        listener = ports.listen(settings.host, settings.port, variable=_variable(settings, "port"))
        port: int = listener.getsockname()[1]
        named = _variable(settings, "flower_port")
        # Moved as far as the API's, which is held: platforms that start together do not find the same one.
        wanted = settings.flower_port if named else settings.flower_port + port - settings.port
        flower_port = ports.find_free(wanted, variable=named)
        return cls(
            listener=listener,
            host=_EVERYWHERE.get(settings.host, settings.host),
            port=port,
            note=_note(settings.port, port, "port"),
            flower_port=flower_port,
            flower_note=_note(settings.flower_port, flower_port, "flower_port"),
            scheme=scheme_of(settings),
        )

    @property
    def url(self) -> str:
        """The API's URL."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def flower_url(self) -> str:
        """Flower's URL."""
        return f"http://{LOOPBACK}:{self.flower_port}"


def scheme_of(settings: Settings) -> str:
    """How the API is spoken to."""
    return "http" if settings.tls_cert_file is None else "https"


def _variable(settings: Settings, field: str) -> str | None:
    return PREFIX + field.upper() if field in settings.model_fields_set else None


def _note(wanted: int, port: int, field: str) -> str:
    return "" if port == wanted else f"on {port}, as {wanted} is taken; {PREFIX}{field.upper()} names another"
