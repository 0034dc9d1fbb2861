"""`mlmini fsck`: compares rows and objects with the present settings, and changes nothing."""

from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from cli.client.errors import FAILED, Unreachable
from cli.render.output import Output, sections
from cli.render.table import table
from cli.render.text import count
from shared.consistency import Difference, Examination, Level
from shared.database_access import explained, open_database
from shared.database_file import database_path
from shared.errors import Unavailable
from shared.migration import check_schema
from shared.object_store import open_store
from shared.object_store.local import is_prepared
from shared.registry.sealing import KEY_FILE, read_artifact_key
from shared.settings import Settings, load_settings

# What was compared, without and with --deep.
_HOW = {
    False: "Digests are those that the store reports; --deep reads every object.",
    True: "Every object was read.",
}


def fsck(*, deep: bool, as_json: bool) -> int:
    """Show what differs; 1 when something differs.

    Raises:
        WrongSettings: when the settings or the tables of the database are wrong, so that it cannot compare.
        Unreachable: when the database or the object store does not answer, or nothing was started here yet.
    """
    settings = load_settings()
    _expect_a_start(settings)
    output = Output(as_json=as_json)
    try:
        found = _look(settings, deep=deep)
    except Unavailable as error:
        raise Unreachable(error.detail) from None
    well = not any(difference.level is Level.DIFFERS for difference in found)
    document = {"ok": well, "deep": deep, "differences": [asdict(difference) for difference in found]}
    output.give(document, lambda _: _shown(found, deep=deep))
    return 0 if well else FAILED


def _expect_a_start(settings: Settings) -> None:
    database = database_path(settings.sqlalchemy_url)
    made = (database, settings.home / KEY_FILE, settings.home / "store")
    if settings.database_url is None and not any(path is not None and path.exists() for path in made):
        raise Unreachable(
            f"No platform was started on {settings.home.absolute()} yet, so there is nothing to compare. Start one "
            "with `make run` or `mlmini up`, or set MLMINI_HOME to the folder of one that was."
        )


def _look(settings: Settings, *, deep: bool) -> list[Difference]:
    database = open_database(settings, existing=True)
    store = open_store(settings)
    try:
        check_schema(database)
        if settings.store == "s3" or is_prepared(settings.home / "store"):
            store.check()
        examination = Examination(database, store, settings, read_artifact_key(settings), deep=deep)
        with explained():
            return list(examination.differences())
    finally:
        store.close()
        database.close()


def _shown(found: list[Difference], *, deep: bool) -> RenderableType:
    differing = [difference for difference in found if difference.level is Level.DIFFERS]
    notes = [difference for difference in found if difference.level is Level.NOTE]
    verdict = f"Found {count(len(differing), 'difference')}." if differing else f"Nothing differs. {_HOW[deep]}"
    return sections(
        ("Differences", _listed(differing)) if differing else None,
        ("Notes: nothing has to be done", _listed(notes)) if notes else None,
        Text(verdict, style="red" if differing else "green"),
    )


def _listed(found: list[Difference]) -> RenderableType:
    """A table, and below it how to put each kind right."""
    rows: list[tuple[Any, ...]] = [(each.kind, each.about, each.found) for each in found]
    hints = dict.fromkeys((each.kind, each.hint) for each in found)
    return Group(
        table(("Kind", "What", "Found"), rows, whole=("Kind",)),
        "",
        *(Text(f"{kind}: {hint}") for kind, hint in hints),
    )
