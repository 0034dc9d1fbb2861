"""Prepares what the other parts need: tables and who may change them, buckets, the artifact key, seals of this release.
It is a process of its own, so that the launcher stays small and can end it at any moment.

The last line on standard error says what is wrong when it ends with one of the statuses below.
"""

import argparse
import os
import sys
import time
from contextlib import ExitStack, closing

import redis
from sqlalchemy import select

from cli.launcher.errors import UNAVAILABLE, WRONG_SETTINGS
from cli.launcher.parts_account import as_owner, let_parts_in, of_owner, open_for_tables
from cli.render.screen import complain
from shared.accounts.default_secrets import note_owner
from shared.accounts.exposure import check_exposure, check_secrets
from shared.accounts.first_admin import first_admin_from_file
from shared.accounts.passwords import Passwords
from shared.database import Database
from shared.database_access import check_writes, explained, place_of
from shared.database_file import protect_database
from shared.datasets.rows import DatasetVersionRow, VersionState
from shared.errors import DatabaseFailure, PlatformError, Unavailable, WrongSettings
from shared.home import PRIVATE, prepare_home
from shared.migration import upgrade
from shared.object_store import ObjectStore, open_store
from shared.platform import Platform
from shared.redis_access import connect_redis, is_redis_away, redis_problem
from shared.registry.seal_renewal import Renewal
from shared.settings import Settings, load_settings

_REDIS_SECONDS = 3


def main() -> None:
    """Prepare everything. A second time changes nothing."""
    arguments = argparse.ArgumentParser(description="Make tables, buckets and the key of artifacts.")
    arguments.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="for parts that do not answer yet")
    seconds: float = arguments.parse_args().wait
    os.umask(PRIVATE)
    try:
        prepare_within(seconds, load_settings())
    except WrongSettings as error:
        complain(error.detail)
        sys.exit(WRONG_SETTINGS)
    except PlatformError as error:
        complain(error.detail)
        sys.exit(UNAVAILABLE)


def prepare_within(seconds: float, settings: Settings) -> None:
    """Prepare, and try again for so many seconds while a part is away, saying what it waits for.

    Raises:
        WrongSettings: like `prepare`, at once.
        Unavailable: like `prepare`, when the time is over.
    """
    deadline = time.monotonic() + seconds
    said = ""
    while True:
        try:
            return prepare(settings)
        except Unavailable as error:
            if time.monotonic() >= deadline:
                raise
            if error.detail != said:
                complain(f"Waiting: {error.detail}")
            said = error.detail
            time.sleep(1)


def prepare(settings: Settings) -> None:
    """Make tables, buckets, key and the first user, renew the seals of older releases; see that Redis answers.

    The owner of the tables, where there is one apart, makes them and lets the account of the parts in. All else is done
    with that account, as the parts do it.

    Raises:
        WrongSettings: when a setting, the database or the store has to be changed first, or others could do everything.
        Unavailable: when the database, the object store or Redis is away. An object store that refuses counts as
            away too: while it starts, it may not know its users yet.
    """
    prepare_home(settings.home)
    note_owner(settings)
    with closing(open_for_tables(settings)) as database, closing(open_store(settings)) as store:
        with as_owner(settings):
            _migrate(database, of_owner(settings))
        if settings.database_owner_url is not None:
            settings = let_parts_in(database, settings)
        store.prepare()
        store.check()
        _expect_objects(database, store, settings)
    with ExitStack() as stack:
        # The key is made here, and not beside a store that was refused.
        platform = Platform.open(settings, stack)
        Renewal(platform.database, platform.store, settings, platform.key).renew()
        # Before there is an admin: what was refused can then be tried anew with the settings of before.
        check_secrets(platform.database, settings)
        if settings.admin_password_file is not None:
            first_admin_from_file(platform.database, settings.admin_password_file, Passwords())
        check_exposure(platform.database, settings)
    _ping(settings)


def _migrate(database: Database, settings: Settings) -> None:
    protect_database(settings)
    try:
        with explained():
            upgrade(database)
        check_writes(database)
    except (DatabaseFailure, WrongSettings) as error:
        variable = "MLMINI_HOME" if settings.database_url is None else "MLMINI_DATABASE_URL"
        sentence = f"{variable}: the database {place_of(settings)} cannot be used. {error.detail}"
        raise type(error)(sentence) from None


def _expect_objects(database: Database, store: ObjectStore, settings: Settings) -> None:
    """Check that the store belongs to the database, as far as one object can tell."""
    # A model keeps the version that it was trained on from being deleted, so this tells of models, too.
    ready = select(DatasetVersionRow.id).where(DatasetVersionRow.state == VersionState.READY).limit(1)
    with explained(), database.read() as session:
        if session.scalar(ready) is None:
            return
    for bucket in (settings.datasets_bucket, settings.models_bucket):
        if next(store.list(bucket), None) is not None:
            return
    place = "MLMINI_HOME" if settings.store == "local" else "MLMINI_S3_ENDPOINT_URL"
    raise WrongSettings(
        "The database has datasets or models, but the object store is empty: it is not the store that was used "
        f"before, or its objects were deleted. Set MLMINI_STORE, {place}, MLMINI_DATASETS_BUCKET and "
        "MLMINI_MODELS_BUCKET to the store that was used before, or bring its objects back from a backup. To start "
        "afresh, use an empty database, too."
    )


def _ping(settings: Settings) -> None:
    client = connect_redis(settings, seconds=_REDIS_SECONDS)
    try:
        client.ping()
    except redis.RedisError as error:
        kind = Unavailable if is_redis_away(error) else WrongSettings
        raise kind(redis_problem(error)) from None
    finally:
        client.close()


if __name__ == "__main__":
    main()
