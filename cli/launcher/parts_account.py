"""The account of PostgreSQL with which the API and the workers come, where another one owns the tables."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex, token_urlsafe

from pydantic import SecretStr
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from cli.launcher.database_rights import let_in
from shared.database import Database
from shared.database_access import account_of, database_error, open_database
from shared.errors import DatabaseFailure, WrongSettings
from shared.home import DATABASE_URL_FILE
from shared.migration import exclusive_lock
from shared.regular_file import open_regular
from shared.secret_files import secret_of_file
from shared.settings import Settings

OWNER_URL = "MLMINI_DATABASE_OWNER_URL"


def open_for_tables(settings: Settings) -> Database:
    """The database, to which whoever makes the tables comes. It is not contacted yet.

    Raises:
        WrongSettings: when its setting cannot be used.
    """
    if settings.database_owner_url is None:
        return open_database(settings)
    with as_owner(settings):
        database = open_database(of_owner(settings))
        if database.engine.dialect.name != "postgresql":
            raise WrongSettings(f"{OWNER_URL}: it has to be the URL of a PostgreSQL: no other database has owners")
        return database


def of_owner(settings: Settings) -> Settings:
    """The settings with which tables are made."""
    if settings.database_owner_url is None:
        return settings
    return settings.model_copy(update={"database_url": settings.database_owner_url})


@contextmanager
def as_owner(settings: Settings) -> Iterator[None]:
    """Have errors of the database name the setting of the owner of the tables, where there is one."""
    try:
        yield
    except (DatabaseFailure, WrongSettings) as error:
        if settings.database_owner_url is None:
            raise
        raise type(error)(error.detail.replace("MLMINI_DATABASE_URL", OWNER_URL)) from None


def let_parts_in(owner: Database, settings: Settings) -> Settings:
    """Give the parts an account that changes rows and nothing else, and return the settings with which they come.

    It is the account of MLMINI_DATABASE_URL, else that of a file in the home folder, which is made if it is missing.
    Processes that call this together wait for each other.

    Raises:
        WrongSettings: when the account cannot be made, or may do more.
        Unavailable: when the database is away.
    """
    try:
        with exclusive_lock(owner) as connection:
            url = _given(settings) or _kept(settings.home / DATABASE_URL_FILE, owner.engine.url)
            let_in(connection, url)
            connection.commit()
    except SQLAlchemyError as error:
        with as_owner(settings):
            raise database_error(error) from error
    return settings.model_copy(update={"database_url": SecretStr(url.render_as_string(hide_password=False))})


def _given(settings: Settings) -> URL | None:
    if settings.database_url is None:
        return None
    database = open_database(settings)
    database.close()
    return database.engine.url


def _kept(path: Path, owner: URL) -> URL:
    """The URL of the owner with the account of the file, or with a new one; the file has it then."""
    before = _read(path) if path.exists() else None
    # Databases of one server do not share an account, nor do several homes a password.
    user, password = account_of(before) if before else (f"mlmini_parts_{token_hex(4)}", token_urlsafe(32))
    url = owner.difference_update_query(["user", "password"]).set(username=user, password=password)
    if url != before:
        draft = path.with_name(f"{path.name}.new")
        with os.fdopen(open_regular(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w") as file:
            file.write(f"{url.render_as_string(hide_password=False)}\n")
        draft.replace(path)
    return url


def _read(path: Path) -> URL:
    try:
        return make_url(secret_of_file(path, called=path.name))
    except ArgumentError:
        raise WrongSettings(
            f"{path}: this is not the URL of a database. Remove the file, and it is made anew"
        ) from None
