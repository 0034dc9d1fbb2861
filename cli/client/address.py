"""Where the API is."""

import os
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from cli.client.failures import WrongUsage
from cli.published import NAME, home_folder, published

VARIABLE = "MLMINI_URL"
_DEFAULT_PORT = "8000"


@dataclass(frozen=True)
class Address:
    """The API's URL, without a slash at its end, and what told it."""

    url: str
    source: str
    # Whether somebody named this very API, rather than whichever runs here.
    named: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it is this machine, so that no proxy can stand between."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")


def find_address(given: str | None) -> Address:
    """The address that was given, else that of the platform that runs on the home folder, else the default one.

    `given` is the option --url, or the variable that stands for it.

    Raises:
        WrongUsage: when it is no URL.
    """
    if given:
        return Address(_checked(given), f"The URL is that of --url or {VARIABLE}.", named=True)
    home = home_folder()
    if url := published(home).get("api"):
        return Address(url, f"The platform that was started last left this URL in {home / NAME}.")
    port = os.environ.get("MLMINI_PORT", _DEFAULT_PORT)
    return Address(f"http://127.0.0.1:{port}", f"This is the default, as no platform runs on {home}.")


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        right = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        right = False
    if not right or parts.query or parts.fragment:
        raise WrongUsage(f"'{url}' is not the URL of an API. It looks like http://127.0.0.1:8000.")
    return url.rstrip("/")
