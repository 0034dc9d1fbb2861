"""Passwords that everybody knows: those in docker-compose.yml, and those that servers and examples come with."""

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
    """The settings, without their prefix, whose password everybody knows, or is the name of its user."""
    return [setting for setting, user, password in _passwords(settings) if is_known(password, user=user)]


def is_known(password: str, *, user: str = "") -> bool:
    """Whether whoever tries a few usual passwords finds this one."""
    return password.lower() in _KNOWN | {user.lower()} - {""}


def _passwords(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Each setting that has a password, with its user and the password. A malformed URL is refused elsewhere."""
    with suppress(ArgumentError):
        url = make_url(settings.sqlalchemy_url)
        # The driver takes user and password from the query of the URL, if they are there, and ignores those before it.
        given = {"user": url.username, "password": url.password} | url.query
        yield "DATABASE_URL", str(given["user"] or ""), str(given["password"] or "")
    with suppress(ValueError):
        server = redis.Redis.from_url(settings.redis_url.get_secret_value()).get_connection_kwargs()
        yield "REDIS_URL", server.get("username") or "", server.get("password") or ""
    if settings.store == "s3" and settings.s3_access_key and settings.s3_secret_key:
        yield "S3_SECRET_KEY", settings.s3_access_key.get_secret_value(), settings.s3_secret_key.get_secret_value()
