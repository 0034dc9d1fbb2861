"""The ids of requests, which are in answers, in the log and in errors."""

import re
from os import urandom

# The ids that clients may choose.
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def request_id_of(given: str | None) -> str:
    """The id that the client has sent, or a new one if it has sent none, or one that is unfit for a log."""
    return given if given is not None and REQUEST_ID.fullmatch(given) else new_request_id()


def new_request_id() -> str:
    """A random UUID of version 4 (RFC 9562, section 5.4). `uuid4` of Python takes as long as fifty trees."""
    digits = urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
