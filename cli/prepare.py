"""What the other parts find done when they start: tables, buckets, the artifact key. A process of its own, so that
the launcher stays small and can end it at any moment.

The last line on standard error says what is wrong when it ends with one of the statuses below.
"""

import sys

import redis
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from cli.failures import UNAVAILABLE, WRONG_SETTINGS
from shared.database import Database
from shared.errors import PlatformError, WrongSettings
from shared.migration import upgrade
from shared.object_store import open_store
from shared.registry.sealing import load_artifact_key
from shared.settings import Settings, load_settings


def main() -> None:
    """Prepare everything; done again, it changes nothing."""
    try:
        prepare(load_settings())
    except WrongSettings as error:
        print(error.detail, file=sys.stderr)
        sys.exit(WRONG_SETTINGS)
    except PlatformError as error:
        print(error.detail, file=sys.stderr)
        sys.exit(UNAVAILABLE)


def prepare(settings: Settings) -> None:
    """Make tables, buckets and key; see that Redis answers.

    Raises:
        WrongSettings: when a setting leads nowhere.
        StoreUnavailable: when the object store does not answer.
    """
    _migrate(settings)
    store = open_store(settings)
    store.prepare()
    store.check()
    load_artifact_key(settings)
    _ping(settings)


def _migrate(settings: Settings) -> None:
    try:
        database = Database(settings.sqlalchemy_url)
    except (ArgumentError, NoSuchModuleError):
        raise WrongSettings(
            "MLMINI_DATABASE_URL: this is not the URL of a database. It looks like postgresql://user:password@host/name."
        ) from None
    try:
        upgrade(database)
    except SQLAlchemyError as error:
        url = database.engine.url.render_as_string(hide_password=True)
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        raise WrongSettings(f"MLMINI_DATABASE_URL: the database {url} cannot be used: {reason}") from None
    finally:
        database.close()


def _ping(settings: Settings) -> None:
    try:
        client = redis.Redis.from_url(settings.redis_url.get_secret_value(), socket_connect_timeout=3, socket_timeout=3)
    except ValueError:
        # What the library says quotes the URL, and with it the password.
        raise WrongSettings(
            "MLMINI_REDIS_URL: this is not the URL of a Redis server. It looks like redis://:password@host:6379/0, "
            "with a password in which / is written as %2F."
        ) from None
    try:
        client.ping()
        client.close()
    except redis.RedisError as error:
        raise WrongSettings(f"MLMINI_REDIS_URL: no Redis server can be used there: {error}") from None


if __name__ == "__main__":
    main()
