"""The way to Redis: its URL read, and its errors put into sentences that quote no secret."""

import re
from urllib.parse import parse_qs, urlsplit

import redis

from shared.errors import WrongSettings
from shared.settings import Settings

_START = "Start Redis or Valkey there, or set the right one."

# Kinds of errors, what is in their text, and what they mean. The first match counts.
_FAULTS: list[tuple[type[redis.RedisError], str, str]] = [
    (
        redis.AuthenticationError,
        "",
        (
            "The Redis server refuses the password or the user of MLMINI_REDIS_URL, or wants one. The URL looks like "
            "redis://:password@host:6379/0."
        ),
    ),
    (
        redis.BusyLoadingError,
        "",
        "The Redis server of MLMINI_REDIS_URL is still loading its data. It answers when it is done.",
    ),
    (
        redis.ResponseError,
        "db index",
        "The Redis server has no database of the number at the end of MLMINI_REDIS_URL. Most have 0 to 15.",
    ),
    (
        redis.ConnectionError,
        "certificate",
        (
            "This machine does not trust the certificate that the Redis server of MLMINI_REDIS_URL shows. For an "
            "authority of your own, end the URL with ?ssl_ca_certs=/path/ca.pem; the host in it has to be the one of "
            "the certificate."
        ),
    ),
    (redis.ConnectionError, "refused", f"Nothing answers at the address of MLMINI_REDIS_URL. {_START}"),
    (
        redis.ConnectionError,
        "not known|name resolution|no address",
        "The host of MLMINI_REDIS_URL is not known here. Check its name.",
    ),
    (
        redis.TimeoutError,
        "",
        (
            "The server at the address of MLMINI_REDIS_URL gives no answer. Check that it is Redis or Valkey, that it "
            "runs, and whether it wants rediss:// instead of redis://, or the other way round."
        ),
    ),
    (redis.ConnectionError, "", f"No Redis server answers at the address of MLMINI_REDIS_URL. {_START}"),
]


def redis_url(settings: Settings) -> str:
    """The URL of the settings, which has the password; with TLS, the server has to prove who it is.

    Raises:
        WrongSettings: when it is not a URL of Redis.
    """
    url = settings.redis_url.get_secret_value()
    try:
        redis.Redis.from_url(url).close()
    except ValueError:
        # What the library says quotes the URL, and with it the password.
        raise WrongSettings(
            "MLMINI_REDIS_URL: this is not the URL of a Redis server. It looks like redis://:password@host:6379/0, "
            "with a password in which / is written as %2F."
        ) from None
    parts = urlsplit(url)
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in parse_qs(parts.query):
        # Celery takes any certificate unless the URL says otherwise.
        url += ("&" if parts.query else "?") + "ssl_cert_reqs=required"
    return url


def connect_redis(settings: Settings, *, seconds: float) -> redis.Redis:
    """A client of the server that the settings name. It is not contacted yet.

    Raises:
        WrongSettings: when MLMINI_REDIS_URL is not a URL of Redis.
    """
    return redis.Redis.from_url(
        redis_url(settings), socket_timeout=seconds, socket_connect_timeout=min(seconds, 2), decode_responses=True
    )


def is_redis_away(error: redis.RedisError) -> bool:
    """Whether the server does not answer and may do so later: one that refuses does answer."""
    away = isinstance(error, redis.ConnectionError | redis.TimeoutError)
    return away and not isinstance(error, redis.AuthenticationError)


def redis_problem(error: redis.RedisError) -> str:
    """What an error of the client means, and how to fix it."""
    for kind, words, sentence in _FAULTS:
        if isinstance(error, kind) and re.search(words, str(error), re.IGNORECASE):
            return sentence
    name = type(error).__name__
    return f"The server at the address of MLMINI_REDIS_URL answers with an error ({name}). Its log says why."
