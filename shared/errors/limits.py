"""Errors of whoever asks for more than their share."""

from shared.errors.tree import PlatformError


class RateLimited(PlatformError):
    """There were more requests within a minute than one user, or one address without a login, may send."""

    hint = "Wait as long as `retry_after` says and send it again. Whoever runs the platform may have the limit raised."


class QuotaReached(PlatformError):
    """The user has as many open jobs, or as much stored, as one user may have."""

    hint = "`/me` tells what is used. Wait for jobs or cancel some; delete or erase what is stored and not needed."
