"""Media types: what a body is, which a client takes, and which it would rather have (RFC 9110, section 12.5.1)."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import Request

JSON, CSV = "application/json", "text/csv"


def media_type(headers: Headers) -> str:
    """What the body is, in lower case and without the parameters of the type; empty where the headers do not say."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def accept_of(request: Request) -> str:
    """The header Accept; several lines of it are one list."""
    return ", ".join(request.headers.getlist("accept"))


def prefers(request: Request, wanted: str) -> bool:
    """Whether the client would rather have this media type than JSON."""
    accept = accept_of(request)
    return quality(accept, wanted) > quality(accept, JSON)


def quality(accept: str, wanted: str) -> float:
    """How much a media type is wanted, from 0 to 1; the most specific range that covers it decides."""
    kind = wanted.partition("/")[0]
    return _weight_of(accept, {"*/*": 0, f"{kind}/*": 1, wanted: 2})


def named_quality(accept: str, wanted: str) -> float:
    """How much a media type is wanted that the client names itself; 0 where only a range such as `*/*` covers it."""
    return _weight_of(accept, {wanted: 0})


def _weight_of(accept: str, ranks: Mapping[str, int]) -> float:
    """The weight of the range with the highest rank; 0 where none of them is in the header."""
    found = (-1, 0.0)
    for each in accept.split(","):
        media_range, *parameters = (part.strip().lower() for part in each.split(";"))
        if media_range in ranks:
            found = max(found, (ranks[media_range], _weight(parameters)))
    return found[1]


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
