"""Where a server may listen without asking who comes: on this machine, and where the settings allow it."""

from shared.hosts import is_loopback
from shared.settings import Settings


def may_be_open(settings: Settings, host: str) -> bool:
    """Whether a server may listen on an address without asking anybody who they are.

    MLMINI_ALLOW_OPEN is for networks that keep strangers out themselves. It does not count where a container is
    published to others, nor where a password for the admin says that people are expected to log in.
    """
    if settings.published_on is not None and not is_loopback(settings.published_on):
        return False
    return is_loopback(host) or (settings.allow_open and settings.admin_password_file is None)


def reached_at(settings: Settings) -> tuple[str, str]:
    """The address at which others reach the API, and the setting that names it; for a container not its own address."""
    if settings.published_on is not None:
        return settings.published_on, "MLMINI_PUBLISHED_ON"
    return settings.host, "MLMINI_HOST"
