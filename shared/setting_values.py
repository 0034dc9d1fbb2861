"""What single settings may hold; what is said of others becomes the sentence that stops a start."""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from shared.hosts import is_loopback, is_origin, name_of, plain_name

_CLASS_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_SCHEDULER = re.compile(r"(?P<scheme>tcp|tls)://(?P<host>\[[^\[\]]+\]|[^\[\]:/@?#]+):(?P<port>[0-9]{1,5})")


def split(value: object) -> object:
    """The parts of a list as it is written in a variable."""
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def network(text: str) -> str:
    """An address or a network in its one form."""
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError("It must be addresses or networks, separated by commas, such as 10.0.0.0/8") from None


def class_path(text: str) -> str:
    """A class as `module:Class`."""
    if not _CLASS_PATH.fullmatch(text):
        raise ValueError("It must be classes, separated by commas, such as our_models.boosting:OurClassifier")
    return text


def safe_scheduler(text: str) -> str:
    """The address of a scheduler that strangers cannot reach: whoever does has its workers run what they like."""
    found = _SCHEDULER.fullmatch(text)
    if found is None or plain_name(found["host"]) is None or not 0 < int(found["port"]) < 2**16:
        raise ValueError("It must be tcp://127.0.0.1:PORT on this machine or tls://HOST:PORT, such as tls://dask:8786")
    if found["scheme"] == "tcp" and not is_loopback(found["host"]):
        raise ValueError(
            "Without TLS it may be on this machine only (tcp://127.0.0.1:PORT): whoever reaches a Dask scheduler runs "
            "code on its workers. Name one on another machine by tls://HOST:PORT"
        )
    return text


def dask_files_missing(values: Mapping[str, Any]) -> list[str]:
    """Of the files that prove to a Dask cluster who asks, those that TLS needs and that are not named."""
    needed = ("dask_ca_file", "dask_cert_file", "dask_key_file")
    encrypted = (values["dask_scheduler"] or "").startswith("tls://")
    return [name for name in needed if encrypted and values[name] is None]


def public_origin(text: str) -> str:
    """What browsers have before the path: secrets pass there, so it has https, unless it is of this machine."""
    if not (is_origin(text) and is_private(text)):
        raise ValueError(
            "It must be what stands before the path in a browser, such as https://ml.example.org; http is only for "
            "this machine, such as http://127.0.0.1:8000"
        )
    return text


def issuer(text: str) -> str:
    """The address of an identity provider, which is compared letter by letter and therefore not changed."""
    if not is_private(text) or "?" in text or "#" in text:
        raise ValueError(
            "It must be the issuer, as the provider writes it, such as https://login.example.org/realms/team; http is "
            "only for this machine"
        )
    return text


def is_private(address: str) -> bool:
    """Whether nobody on the way reads what is sent to an address: it has https, or leads to this machine."""
    try:
        parts = urlsplit(address)
        name = name_of(parts.netloc)
        # Reading the port is what finds a wrong one.
        known = name is not None and parts.port != 0
    except ValueError:
        return False
    plain = address.isascii() and address.isprintable() and not set(address) & set(' "\\<>@')
    return plain and known and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(name or "")))
