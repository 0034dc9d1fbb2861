"""Where the Dask cluster is, and what proves to it who asks. Imports nothing of Dask."""

import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from shared.errors import DaskUnreachable, WrongSettings
from shared.home import reason
from shared.ownership import weakness
from shared.settings import PREFIX, Settings

HOW_TO_INSTALL = "`make dask` installs it on a machine, the build argument EXTRAS=dask in an image"


_CONNECT_SECONDS = 2.0


class ClusterAddress(BaseModel):
    """The scheduler, and for `tls://` the files of the certificates."""

    model_config = ConfigDict(frozen=True)

    scheduler: str
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @classmethod
    def named_in(cls, settings: Settings) -> Self | None:
        """That of the settings; None where they name no cluster."""
        if settings.dask_scheduler is None:
            return None
        return cls(
            scheduler=settings.dask_scheduler,
            ca_file=settings.dask_ca_file,
            cert_file=settings.dask_cert_file,
            key_file=settings.dask_key_file,
        )

    @property
    def port(self) -> int:
        """The port of the scheduler."""
        return urlsplit(self.scheduler).port or 0

    @property
    def files(self) -> list[str]:
        """The files that are read for it, by their full names."""
        return [str(path.resolve()) for path in (self.ca_file, self.cert_file, self.key_file) if path is not None]

    def resolved(self) -> Self:
        """With the number of its host instead of a name: who joins it may ask nobody for that.

        Raises:
            DaskUnreachable: when nobody knows the name.
        """
        place = urlsplit(self.scheduler)
        try:
            found = socket.getaddrinfo(place.hostname, place.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise DaskUnreachable(
                f"The host of the Dask scheduler at {self.scheduler} is not known ({error}). {DaskUnreachable.hint}"
            ) from error
        # A host may have several, of which it listens at one only.
        hosts = [str(told[0]) for *_, told in found]
        host = next((each for each in hosts if _listens(each, place.port)), hosts[0])
        written = f"[{host}]" if ":" in host else host
        return self.model_copy(update={"scheduler": f"{place.scheme}://{written}:{place.port}"})


def check_cluster(settings: Settings) -> None:
    """See that this machine could reach the cluster of the settings, if there is one; nobody is asked.

    Raises:
        WrongSettings: when Dask is not installed, or a file of the certificates cannot be used.
    """
    if settings.dask_scheduler is None:
        return
    if find_spec("distributed") is None:
        raise WrongSettings(f"{PREFIX}DASK_SCHEDULER: Dask is not installed here. {HOW_TO_INSTALL}")
    files = {"ca": settings.dask_ca_file, "cert": settings.dask_cert_file, "key": settings.dask_key_file}
    for name, path in files.items():
        if path is not None:
            _check_file(f"{PREFIX}DASK_{name.upper()}_FILE", path, secret=name == "key")


def _listens(host: str, port: int | None) -> bool:
    try:
        socket.create_connection((host, port or 0), timeout=_CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _check_file(variable: str, path: Path, *, secret: bool) -> None:
    """Where a link leads counts: secrets of containers are links."""
    try:
        with path.open("rb"):
            found = weakness(path.resolve(), secret=secret)
    except OSError as error:
        raise WrongSettings(f"{variable}: the file cannot be read: {reason(error)}. Let this user read it.") from None
    if found is not None:
        raise WrongSettings(f"{variable}: {found}")
