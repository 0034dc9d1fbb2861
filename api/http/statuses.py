"""The HTTP status of each error of the platform; only this module knows them."""

from api.http.errors import (
    ForeignOrigin,
    HeadersTooLarge,
    MalformedRequest,
    MethodNotAllowed,
    MissingPageToken,
    RangeNotSatisfiable,
    RequestTimeout,
    UnknownHost,
    UnsupportedTransferEncoding,
)
from shared.errors import (
    Conflict,
    DatasetCorrupt,
    Gone,
    Invalid,
    LoginRefused,
    LoginTooOld,
    NotAllowed,
    NotAuthenticated,
    PasswordLoginOff,
    PlatformError,
    TooLarge,
    TooMany,
    Unavailable,
    Unknown,
    WrongMediaType,
)

# An error has the status of its nearest ancestor in this table.
STATUSES: dict[type[PlatformError], int] = {
    MalformedRequest: 400,
    ForeignOrigin: 403,
    NotAuthenticated: 401,
    NotAllowed: 403,
    LoginTooOld: 403,
    MissingPageToken: 403,
    PasswordLoginOff: 403,
    LoginRefused: 403,
    MethodNotAllowed: 405,
    RequestTimeout: 408,
    Gone: 410,
    RangeNotSatisfiable: 416,
    UnknownHost: 421,
    TooMany: 429,
    HeadersTooLarge: 431,
    UnsupportedTransferEncoding: 501,
    Invalid: 422,
    Unknown: 404,
    Conflict: 409,
    TooLarge: 413,
    WrongMediaType: 415,
    Unavailable: 503,
    DatasetCorrupt: 503,
    PlatformError: 500,
}

TITLES = {
    400: "The message cannot be read",
    401: "No valid API key or token came with the request",
    403: "Not allowed for this sender",
    404: "The request names something that does not exist",
    409: "Not possible in the present state",
    410: "It was removed for good",
    413: "Over a limit",
    415: "A content type that is not accepted here",
    416: "None of the bytes that Range asks for are there",
    422: "Something in the request is wrong",
    429: "A limit of requests, logins, jobs or storage is used up",
    503: "A part that the platform needs does not answer; try again later",
}


def status_of(error: type[PlatformError]) -> int:
    """The HTTP status of an error class."""
    return next(STATUSES[ancestor] for ancestor in error.__mro__ if ancestor in STATUSES)
