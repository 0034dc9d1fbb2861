"""Passwords that everybody knows: those of docker-compose.yml, and those that servers and examples come with."""

from collections.abc import Iterator
from contextlib import suppress

import redis
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from shared.settings import Settings

# What docker-compose.yml and .env.example have for development.
DEVELOPMENT = "mlmini-development"
_KNOWN = {
    DEVELOPMENT,
    *("admin", "changeme", "default", "foobared", "guest", "minio123", "minioadmin", "mlmini", "password", "postgres"),
    *("redis", "root", "secret", "test"),
}


def default_secrets(settings: Settings) -> list[str]:
    """The settings, without their prefix, whose password is such a one, or the name of the user beside it."""
    return [setting for setting, user, password in _passwords(settings) if is_known(password, user=user)]


def is_known(password: str, *, user: str = "") -> bool:
    """Whether everybody who tries a few passwords has this one."""
    return password.lower() in _KNOWN | {user.lower()} - {""}


def _passwords(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """The settings with a password, the user beside it and the password. What is no URL is refused elsewhere."""
    with suppress(ArgumentError):
        url = make_url(settings.sqlalchemy_url)
        # What the database is given: the query of the URL counts, whatever is before it.
        given = {"user": url.username, "password": url.password} | url.query
        yield "DATABASE_URL", str(given["user"] or ""), str(given["password"] or "")
    with suppress(ValueError):
        server = redis.Redis.from_url(settings.redis_url.get_secret_value()).get_connection_kwargs()
        yield "REDIS_URL", server.get("username") or "", server.get("password") or ""
    if settings.store == "s3" and settings.s3_access_key and settings.s3_secret_key:
        yield "S3_SECRET_KEY", settings.s3_access_key.get_secret_value(), settings.s3_secret_key.get_secret_value()
