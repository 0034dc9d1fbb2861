"""Where the API is."""

import os
import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx2

from cli.client.errors import WrongUsage
from cli.launcher.published import NAME, home_folder, published

VARIABLE = "MLMINI_URL"
_DEFAULT_PORT = "8000"

_CREDENTIALS = re.compile(r"(?<=//)[^/?#]*@")
# A text that is not a URL may lack the slashes before a password, which may hold any character.
_CREDENTIALS_IN_TEXT = re.compile(r"^([a-z]+://)?.*@", re.DOTALL)


@dataclass(frozen=True)
class Address:
    """The API's URL, without a slash at its end, and where it was found."""

    url: str
    source: str
    # Whether the user named this API. If not, it is the one that runs here.
    named: bool = False

    @property
    def shown(self) -> str:
        """The URL for people, without user and password."""
        return _masked(self.url)

    @property
    def has_user(self) -> bool:
        """Whether the URL has a user and a password, which are sent to whatever stands before the platform."""
        return "@" in urlsplit(self.url).netloc

    @property
    def is_local(self) -> bool:
        """Whether it is this machine, so that no proxy is needed."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    @property
    def needs_authorities(self) -> bool:
        """Whether a server, or a proxy on the way to it, may have to prove who it is."""
        return not self.is_local or urlsplit(self.url).scheme != "http"


def find_address(given: str | None) -> Address:
    """The address that was given, else that of the platform that runs on the home folder, else the default one.

    `given` is the option --url, or the variable that stands for it.

    Raises:
        WrongUsage: when it is not a URL.
    """
    if given:
        wrong = f"'{_masked(given)}' is not the URL of an API. It looks like http://127.0.0.1:8000."
        return Address(_checked(given, wrong), f"The URL is that of --url or {VARIABLE}.", named=True)
    home = home_folder()
    if url := published(home).get("api"):
        wrong = f"{home / NAME} does not hold the URL of an API. Start the platform again with `mlmini up`."
        return Address(_checked(url, wrong), f"The platform that was started last left this URL in {home / NAME}.")
    # An empty variable counts as unset, as it does for the settings.
    port = os.environ.get("MLMINI_PORT") or _DEFAULT_PORT
    wrong = f"MLMINI_PORT is '{port}', which is not a port. A port is a number from 1 to 65535."
    scheme = "https" if os.environ.get("MLMINI_TLS_CERT_FILE") else "http"
    url = _checked(f"{scheme}://127.0.0.1:{port}", wrong)
    return Address(url, f"This is the default, as no platform runs on {home}.")


def _checked(url: str, wrong: str) -> str:
    try:
        httpx2.URL(url)
        parts = urlsplit(url)
        right = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except (ValueError, httpx2.InvalidURL):
        right = False
    if not right or parts.query or parts.fragment:
        raise WrongUsage(wrong)
    return url.rstrip("/")


def _masked(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_url = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_url = False
    return _CREDENTIALS.sub("***@", url, count=1) if is_url else _CREDENTIALS_IN_TEXT.sub(r"\1***@", url)
