"""Bodies that may be forms, as clients of OAuth 2 send them, or JSON."""

import json
from urllib.parse import parse_qsl

from fastapi import Request

from api.http.json_body import StrictRoute
from api.http.media_types import media_type
from shared.errors import InvalidRequest

FORM = "application/x-www-form-urlencoded"

_MOST_FIELDS = 20


class FormOrJsonRoute(StrictRoute):
    """A route whose body is JSON, or a form with the same fields."""

    def check_media_type(self, request: Request) -> None:
        """Refuse what is neither.

        Raises:
            UnsupportedMediaType: when it is said to be something else, or nothing.
        """
        if not _is_form(request):
            super().check_media_type(request)

    def json_of(self, request: Request, body: bytes) -> bytes:
        """The body as JSON.

        Raises:
            InvalidRequest: when it is a form that cannot be read in one way only.
        """
        return json.dumps(_fields(body)).encode() if _is_form(request) else body


def _is_form(request: Request) -> bool:
    return media_type(request.headers) == FORM


def _fields(body: bytes) -> dict[str, str]:
    """The fields of a form; what is empty was left out (RFC 6749, section 3.2)."""
    try:
        pairs = parse_qsl(body.decode("ascii"), strict_parsing=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise InvalidRequest(f"The body is not a form in UTF-8 of at most {_MOST_FIELDS} fields.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidRequest("A field of the form comes twice. Send each once.")
    return fields
