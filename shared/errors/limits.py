"""Errors of whoever asks for more than their share."""

from shared.errors.tree import TooMany


class RateLimited(TooMany):
    """There were more requests within a minute than one user, or one address without a login, may send."""

    hint = "Wait as long as `retry_after` says and send it again. Whoever runs the platform may have the limit raised."


class QuotaReached(TooMany):
    """The user has as many open jobs, or as much stored, as one user may have."""

    hint = "`/me` tells what is used. Wait for jobs or cancel some; delete or erase what is stored and not needed."


class QueueFull(TooMany):
    """As many jobs wait already as may, those of all users together or those of one. Nothing was accepted."""

    hint = (
        "Wait as long as `retry_after` says and send it again, best with the same `Idempotency-Key`. Jobs that wait "
        "keep their places, and can be cancelled. Whoever runs the platform can start more workers or raise the limit."
    )
