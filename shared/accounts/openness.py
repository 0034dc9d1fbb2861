"""Where nobody has to be asked: on this machine, and where the settings say that it is meant."""

from shared.hosts import is_loopback
from shared.settings import Settings


def may_be_open(settings: Settings, host: str) -> bool:
    """Whether a server may listen on an address without asking anybody who they are.

    MLMINI_ALLOW_OPEN opens a network that keeps strangers out. It does not count where a container is published to
    others, nor where somebody has given the password of an admin and expects that people log in.
    """
    if settings.published_on is not None and not is_loopback(settings.published_on):
        return False
    return is_loopback(host) or (settings.allow_open and settings.admin_password_file is None)


def reached_at(settings: Settings) -> tuple[str, str]:
    """The address at which the API is reached, and the setting that says so: of a container, it is not its own one."""
    if settings.published_on is not None:
        return settings.published_on, "MLMINI_PUBLISHED_ON"
    return settings.host, "MLMINI_HOST"
