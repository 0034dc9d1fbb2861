"""Passwords that everybody knows: those in docker-compose.yml, and those that servers and examples come with."""

from collections.abc import Iterator
from contextlib import suppress

import redis
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from shared.database_access import account_of
from shared.settings import Settings

# What docker-compose.yml and .env.example have for development.
DEVELOPMENT = "mlmini-development"
_KNOWN = {
    DEVELOPMENT,
    *("admin", "changeme", "default", "foobared", "guest", "minio123", "minioadmin", "mlmini", "password", "postgres"),
    *("redis", "root", "secret", "test"),
}

_OWNER = "DATABASE_OWNER_URL"
# A file in the home folder: it tells the API and the workers, which do not have the owner's password, that it is known.
_OWNER_IS_KNOWN = "database.owner-is-known"


def default_secrets(settings: Settings) -> list[str]:
    """The settings, without their prefix, whose password everybody knows, or is the name of its user.

    A process without the URL of the owner of the tables takes the note in the home folder instead.
    """
    found = [setting for setting, user, password in _passwords(settings) if is_known(password, user=user)]
    # Nothing starts with a home folder that cannot be read; the check of the folder reports that.
    with suppress(PermissionError):
        if settings.database_owner_url is None and (settings.home / _OWNER_IS_KNOWN).exists():
            found.insert(0, _OWNER)
    return found


def note_owner(settings: Settings) -> None:
    """Leave a note in the home folder if everybody knows the password of the owner of the tables."""
    note = settings.home / _OWNER_IS_KNOWN
    if settings.database_owner_url is not None and _OWNER in default_secrets(settings):
        note.touch(mode=0o600)
    else:
        note.unlink(missing_ok=True)


def is_known(password: str, *, user: str = "") -> bool:
    """Whether whoever tries a few usual passwords finds this one."""
    return password.lower() in _KNOWN | {user.lower()} - {""}


def _passwords(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Each setting that has a password, with its user and the password. A malformed URL is refused elsewhere."""
    for setting, secret in (("DATABASE_URL", settings.database_url), (_OWNER, settings.database_owner_url)):
        with suppress(ArgumentError):
            if secret is not None:
                yield setting, *account_of(make_url(secret.get_secret_value()))
    with suppress(ValueError):
        server = redis.Redis.from_url(settings.redis_url.get_secret_value()).get_connection_kwargs()
        yield "REDIS_URL", server.get("username") or "", server.get("password") or ""
    if settings.store == "s3" and settings.s3_access_key and settings.s3_secret_key:
        yield "S3_SECRET_KEY", settings.s3_access_key.get_secret_value(), settings.s3_secret_key.get_secret_value()
