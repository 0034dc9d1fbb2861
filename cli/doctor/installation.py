"""The database of the platform on this machine, for verbs that look into it without the API."""

from collections.abc import Iterator
from contextlib import contextmanager

from cli.client.errors import Unreachable
from shared.database import Database
from shared.database_access import explained, open_database
from shared.database_file import database_path
from shared.errors import Unavailable
from shared.migration import check_schema
from shared.registry.sealing import KEY_FILE
from shared.settings import Settings


@contextmanager
def database_here(settings: Settings, *, to: str) -> Iterator[Database]:
    """The database of an installation that was started before; `to` says what for, as in "nothing to compare".

    Raises:
        WrongSettings: when its tables are not those of this release.
        Unreachable: when it does not answer, or nothing was started here yet.
    """
    _expect_a_start(settings, to)
    try:
        database = open_database(settings, existing=True)
        try:
            check_schema(database)
            with explained():
                yield database
        finally:
            database.close()
    except Unavailable as error:
        raise Unreachable(error.detail) from None


def _expect_a_start(settings: Settings, to: str) -> None:
    database = database_path(settings.sqlalchemy_url)
    made = (database, settings.home / KEY_FILE, settings.home / "store")
    if settings.database_url is None and not any(path is not None and path.exists() for path in made):
        raise Unreachable(
            f"No platform was started on {settings.home.absolute()} yet, so there is nothing to {to}. Start one "
            "with `make run` or `mlmini up`, or set MLMINI_HOME to the folder of one that was."
        )
