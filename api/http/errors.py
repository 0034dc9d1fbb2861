"""The errors of HTTP itself, beside those of the platform."""

from shared.errors import Invalid, TooLarge, Unavailable, Unknown


class NotFound(Unknown):
    """There is nothing at this address."""

    hint = "Look at /docs, which lists all addresses."


class MethodNotAllowed(Invalid):
    """The address does not take this method."""

    hint = "Use one of those that the header Allow lists."


class UnknownHost(Invalid):
    """The request is for a name that this server does not answer to."""

    hint = "Ask for 127.0.0.1 or localhost, or add the name to MLMINI_ALLOWED_HOSTS."


class ForeignOrigin(Invalid):
    """A web page that was not loaded from this server asked it to change something.

    A page can have your browser send that without your knowledge, so it is refused; nothing was changed.
    """

    hint = "Use the pages of this server, or a program. If you trust the page, name its origin in MLMINI_CORS_ORIGINS."


class MissingPageToken(Invalid):
    """A browser sent the request with the cookie of a login, and without the token that pages of this server add."""

    hint = "Send the cookie `mlmini_token` as the header `X-Page-Token`, too, or use an API key or a bearer token."


class MalformedRequest(Invalid):
    """What came is not a request of HTTP/1.1 with a target that can be asked for; the connection is ended."""

    hint = "Let a client library write the request, and check that it speaks http, not https or HTTP/2, to this port."


class RequestTimeout(Invalid):
    """The request did not arrive to its end in time."""

    hint = "Look at the connection and send it again, all of it at once."


class HeadersTooLarge(TooLarge):
    """The request has more than 200 headers, or they and its address are longer than 65,536 bytes together."""

    hint = "Send fewer or shorter ones; cookies of other programs of this host may be among them."


class UnsupportedTransferEncoding(Invalid):
    """The body is sent in a Transfer-Encoding other than `chunked`."""

    hint = "Send it as it is, with a Content-Length."


class TooManyConnections(Unavailable):
    """The server has as many connections as it takes, all of them at work."""

    hint = "Try again later and use connections again, or have MLMINI_MAX_CONNECTIONS raised."


class RangeNotSatisfiable(Invalid):
    """The header Range asks for bytes that the file does not have."""

    hint = "Ask for bytes before the size that Content-Range gives, or leave the header out."


class NotReady(Unavailable):
    """A part that the platform needs is down."""

    hint = "`dependencies` says which, and what to do about it."
