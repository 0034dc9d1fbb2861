"""Errors of requests as such and of the parts that the platform needs."""

from shared.errors.tree import Invalid, TooLarge, Unavailable, WrongMediaType


class InvalidRequest(Invalid):
    """The request does not have the form that this call takes; `errors` names each place."""


class InvalidJson(Invalid):
    """The body is not JSON as RFC 8259 has it: no NaN or Infinity, no repeated names, no extreme nesting."""


class InvalidCursor(Invalid):
    """The cursor was not given out by this list; leave it out to start from the first page."""


class BodyTooLarge(TooLarge):
    """The body of the request is larger than this call takes."""


class UnsupportedMediaType(WrongMediaType):
    """The body has a content type that this call does not take."""


class IdempotencyKeyReused(Invalid):
    """The Idempotency-Key was used before with another body; use a new key for a new request."""


class DatabaseFailure(Unavailable):
    """The SQL database does not do what it is asked for."""


class DatabaseDamaged(DatabaseFailure):
    """The SQL database is damaged: stop the platform, run `mlmini fsck`, and bring the database back from a backup."""


class DatabaseUnavailable(DatabaseFailure):
    """The SQL database does not answer or stays locked; nothing was accepted, try again later."""


class StoreUnavailable(Unavailable):
    """The object store does not answer; try again later."""


class ProcessStopping(Unavailable):
    """The process that had the request is asked to stop; send the request again, to it or to another one."""
