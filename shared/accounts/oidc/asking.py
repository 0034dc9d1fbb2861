"""Requests to the identity provider: to no other address, within seconds, and with answers of a limited size."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx2

from shared.errors import IdentityProviderUnavailable
from shared.setting_values import is_private

# For one request, from the first byte to the last.
ANSWER_SECONDS = 5.0
MOST_BYTES = 256 * 2**10


class ProviderAnswer(NamedTuple):
    """What the provider has answered; `document` is an object of JSON."""

    status: int
    document: dict[str, Any]


async def asked(
    address: str,
    *,
    form: Mapping[str, str] | None = None,
    login: tuple[str, str] | None = None,
    token: str | None = None,
) -> ProviderAnswer:
    """The answer to a GET, or to a POST of a `form`. Redirects are not followed, and no proxy is used.

    Raises:
        IdentityProviderUnavailable: saying what is wrong with the answer, or with the way to it.
    """
    host = urlsplit(address).netloc
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            status, body = await _exchange(address, form, login, token)
    except (TimeoutError, httpx2.TimeoutException):
        raise unavailable(f"The identity provider at {host} does not answer within {ANSWER_SECONDS:g} s.") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError):
        raise unavailable(f"The identity provider at {host} cannot be reached.") from None
    if body is None:
        raise unavailable(f"The identity provider at {host} answers with more than {MOST_BYTES:,} bytes.")
    if status >= 500 or 300 <= status < 400:
        raise unavailable(f"The identity provider at {host} answers with status {status}.")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise unavailable(f"The identity provider at {host} answers with status {status} and not with JSON.")
    return ProviderAnswer(status, document)


def unavailable(reason: str) -> IdentityProviderUnavailable:
    """The error with a reason."""
    return IdentityProviderUnavailable(f"{reason} {IdentityProviderUnavailable.hint}")


async def _exchange(
    address: str, form: Mapping[str, str] | None, login: tuple[str, str] | None, token: str | None
) -> tuple[int, bytes | None]:
    # What is packed would be as large as it likes once it is unpacked.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "mlmini"}
    headers |= {} if token is None else {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(verify=_trusted(address.startswith("https:")), trust_env=False) as client,
        client.stream(
            "GET" if form is None else "POST",
            address,
            data=None if form is None else dict(form),
            auth=login,
            headers=headers,
            follow_redirects=False,
            timeout=None,
        ) as answer,
    ):
        body = b""
        async for piece in answer.aiter_raw(2**14):
            body += piece
            if len(body) > MOST_BYTES:
                return answer.status_code, None
        return answer.status_code, body


@cache
def _trusted(encrypted: bool) -> ssl.SSLContext:
    # The authorities of the system, so that those of a company are among them. To read them takes a while.
    return ssl.create_default_context() if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def expect_private(address: object, *, called: str, issuer: str) -> str:
    """An address that the provider of this issuer names. One that is elsewhere leads nobody to this machine.

    Raises:
        IdentityProviderUnavailable: when others could read what is sent there.
    """
    is_right = isinstance(address, str) and is_private(address) and address.startswith(issuer.partition(":")[0] + ":")
    if not isinstance(address, str) or not is_right:
        raise unavailable(f"The identity provider names no {called} with the scheme that its issuer has.")
    return address
