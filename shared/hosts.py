"""The names under which the platform answers, as the header Host gives them.

A page of the web can have its own name lead to 127.0.0.1 and then ask the platform as if it were the page's own server
(DNS rebinding). Nothing but the name in the request gives that away.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Addresses that mean "listen everywhere"; no client connects to them.
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - not bound to here

_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_HOST = re.compile(r"(\[[^\[\]]+\]|[^\[\]:]+)(?::[0-9]{0,5})?")


def known_names(*, host: str, allowed: Iterable[str]) -> frozenset[str]:
    """The names that are answered: those of this machine, the address that is listened on, and the `allowed` ones."""
    own = () if host in _EVERYWHERE else (host,)
    return frozenset(name for each in (*_LOOPBACK, *own, *allowed) if (name := plain_name(each)))


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches an address."""
    return plain_name(host) in _LOOPBACK


def plain_name(text: str) -> str | None:
    """A host name or an address in its one form, without brackets; None for anything else, such as one with a port."""
    text = text.lower()
    try:
        return str(IPv6Address(text[1:-1]) if text.startswith("[") else ip_address(text))
    except ValueError:
        return text if _NAME.fullmatch(text) else None


def address_alone(text: str) -> str:
    """An address in its one form, without brackets.

    Raises:
        ValueError: for a name, and for what has a port.
    """
    try:
        return str(ip_address(text[1:-1] if text.startswith("[") and text.endswith("]") else text))
    except ValueError:
        raise ValueError("It must be an address, such as 127.0.0.1 or 0.0.0.0") from None


def is_origin(text: str) -> bool:
    """Whether it is an origin as browsers write it: scheme, name and, unless it is the usual one, the port."""
    scheme, _, place = text.partition("://")
    usual = {"http": ":80", "https": ":443"}.get(scheme)
    return usual is not None and not place.endswith(usual) and place == place.lower() and name_of(place) is not None


def name_of(host: str) -> str | None:
    """The name in a header Host, without its port; None where the header has another form."""
    match = _HOST.fullmatch(host)
    return plain_name(match[1]) if match else None
