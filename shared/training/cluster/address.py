"""Where the Dask cluster is, and what proves to it who asks. Imports nothing of Dask."""

from importlib.util import find_spec
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from shared.errors import WrongSettings
from shared.home import reason
from shared.ownership import weakness
from shared.settings import PREFIX, Settings

HOW_TO_INSTALL = "`make dask` installs it on a machine, the build argument EXTRAS=dask in an image"


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


def _check_file(variable: str, path: Path, *, secret: bool) -> None:
    """Where a link leads counts: secrets of containers are links."""
    try:
        with path.open("rb"):
            found = weakness(path.resolve(), secret=secret)
    except OSError as error:
        raise WrongSettings(f"{variable}: the file cannot be read: {reason(error)}. Let this user read it.") from None
    if found is not None:
        raise WrongSettings(f"{variable}: {found}")
