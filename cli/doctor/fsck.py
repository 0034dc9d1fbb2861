"""`mlmini fsck`: compares rows and objects with the present settings, and changes nothing."""

from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from cli.client.errors import FAILED
from cli.doctor.installation import database_here
from cli.render.output import Output, sections
from cli.render.table import table
from cli.render.text import count
from shared.consistency import Difference, Examination, Level
from shared.object_store import open_store
from shared.object_store.local import is_prepared
from shared.registry.sealing import read_artifact_key
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
    output = Output(as_json=as_json)
    found = _look(load_settings(), deep=deep)
    well = not any(difference.level is Level.DIFFERS for difference in found)
    document = {"ok": well, "deep": deep, "differences": [asdict(difference) for difference in found]}
    output.give(document, lambda _: _shown(found, deep=deep))
    return 0 if well else FAILED


def _look(settings: Settings, *, deep: bool) -> list[Difference]:
    with database_here(settings, to="compare") as database:
        store = open_store(settings)
        try:
            if settings.store == "s3" or is_prepared(settings.home / "store"):
                store.check()
            return list(Examination(database, store, settings, read_artifact_key(settings), deep=deep).differences())
        finally:
            store.close()


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
