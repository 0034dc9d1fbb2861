"""Models as a release without compiled forms has registered them."""

from sqlalchemy import delete, select

from shared.database import Database
from shared.object_store import ObjectStore
from shared.registry.rows import CompilationRow, CompiledFormRow
from shared.settings import Settings


def forget_forms(database: Database, store: ObjectStore, settings: Settings) -> None:
    """Take all compiled forms away, and what was noted of making them."""
    with database.write() as session:
        paths = session.scalars(select(CompiledFormRow.form_path)).all()
        session.execute(delete(CompiledFormRow))
        session.execute(delete(CompilationRow))
    for path in paths:
        store.delete(settings.models_bucket, path)
