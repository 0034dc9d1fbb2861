"""What to say when the API does not answer, or something else does."""

import re
import ssl
from urllib.parse import urlsplit

import httpx2

from cli.client.address import Address
from cli.client.errors import Unreachable

CONNECT_SECONDS = 5

_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
# How a handshake fails when the other side does not speak TLS.
_NOT_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"}
_START = "Start the platform with `make run` or `mlmini up`, or name another one with --url or MLMINI_URL."


def unreachable(address: Address, error: Exception) -> Unreachable:
    """What to say when a connection breaks or cannot be made."""
    reason, hint = _reason_and_hint(address.shown, error)
    return Unreachable(f"{reason}\n  {address.source}\n  {hint}")


def something_else(address: Address, response: httpx2.Response) -> Unreachable:
    """What to say when the answer is not from the platform."""
    kind = response.headers.get("content-type", "").partition(";")[0]
    where = response.headers.get("location")
    more = f", and points to {where}" if where else ""
    return Unreachable(
        f"What answers at {address.shown} is not the API of the platform: "
        f"it says {response.status_code} with {kind or 'no content'}{more}. Is the URL right?"
    )


def _reason_and_hint(url: str, error: Exception) -> tuple[str, str]:
    tls = _tls_failure(error)
    if tls is not None and tls.reason in _NOT_TLS:
        plain = urlsplit(url)._replace(scheme="http").geturl()
        return f"The server at {url} speaks http, not https.", f"Use the URL {plain}."
    if isinstance(tls, ssl.SSLCertVerificationError):
        return (
            f"The certificate of {url} is not trusted ({tls.verify_message}).",
            "Name a file with the certificate of its issuer in SSL_CERT_FILE.",
        )
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return f"Nothing answers at {url} ({_words(error)}).", _START
    if isinstance(error, httpx2.TimeoutException):
        return f"The API at {url} does not answer in time.", _START
    hint = f"{_START} If it speaks https, its URL begins with https://." if url.startswith("http://") else _START
    return f"The connection to {url} broke ({_words(error)}).", hint


def _tls_failure(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _words(error: Exception) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return f"no connection within {CONNECT_SECONDS} s"
    return _ERRNO.sub("", str(error)) or type(error).__name__
