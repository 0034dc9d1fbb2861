"""Errors of requests as such and of the parts that the platform needs."""

from shared.errors.tree import Invalid, TooLarge, Unavailable, WrongMediaType


class InvalidRequest(Invalid):
    """The request does not have the form that this call takes; `errors` names each place."""

    hint = "Correct those places; /docs shows the form, with examples."


class InvalidJson(Invalid):
    """The body is not JSON as RFC 8259 has it: without NaN and Infinity, repeated names and extreme nesting."""

    hint = "Correct the place that the detail names, and write null where a value is missing."


class InvalidCursor(Invalid):
    """The cursor was not given out by this list, or by other filters of it."""

    hint = "Leave it out to start from the first page."


class BodyTooLarge(TooLarge):
    """The body of the request is larger than this call takes."""

    hint = "Send less at a time, or have the setting raised that `setting` names."


class UnsupportedMediaType(WrongMediaType):
    """The body has a content type that this call does not take."""

    hint = "Send JSON as `application/json`, and a file as a part of `multipart/form-data`."


class IdempotencyKeyReused(Invalid):
    """The Idempotency-Key was used before with another body."""

    hint = "Use a new key for a new request, and the same one only to repeat the same."


class DatabaseFailure(Unavailable):
    """The SQL database does not do what it is asked for."""


class DatabaseDamaged(DatabaseFailure):
    """The SQL database is damaged."""

    hint = "Stop the platform, run `mlmini fsck`, and bring the database back from a backup."


class DatabaseUnavailable(DatabaseFailure):
    """The SQL database does not answer or stays locked; nothing was accepted."""

    hint = "Try again later; `GET /readyz` says how it is."


class StoreUnavailable(Unavailable):
    """The object store does not answer."""

    hint = "Try again later; `GET /readyz` says how it is."


class ProcessStopping(Unavailable):
    """The process that had the request is asked to stop."""

    hint = "Send the request again, to it or to another one."
