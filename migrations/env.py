"""Runs migrations on the connection it is given, or on the database that the settings name."""

from alembic import context
from sqlalchemy import Connection

from shared.database import Database
from shared.schema import metadata
from shared.settings import load_settings


def _run(connection: Connection) -> None:
    # SQLite cannot alter most of a table: batch mode copies it.
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    """Take the connection that `shared.migration` passes, else open one."""
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _run(connection)
        return
    settings = load_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    database = Database(settings.sqlalchemy_url)
    with database.engine.connect() as own:
        _run(own)
        own.commit()
    database.close()


main()
