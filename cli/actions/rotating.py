"""`mlmini keys`: the keys of the artifacts of this machine's platform, with the present settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from cli.client.errors import CommandFailed, Unreachable
from cli.doctor.installation import database_here
from cli.launcher.home_lock import claimed
from cli.render.output import Output, sections
from cli.render.table import table
from cli.render.text import count
from shared.audit.chain import audit_key_of
from shared.database import Database
from shared.errors import PlatformError, Unavailable, WrongSettings
from shared.registry.artifact_keys import key_at_hand
from shared.registry.resealing import files_of_keys
from shared.registry.rotation import Rotated, give_up, rotate
from shared.registry.sealing import KEY_FILE
from shared.settings import Settings, load_settings

_MACHINES = (
    f"If the API or workers run on other machines, copy {KEY_FILE} into their home folders, and start all of them anew "
    "together. Make a backup of it. Access tokens and logins of browsers have ended; refresh tokens and API keys go on."
)


def list_keys(*, as_json: bool) -> None:
    """Show the keys, the newest first, and what each has sealed.

    Raises:
        WrongSettings: when the settings, the key or the tables of the database are wrong.
        Unreachable: when the database does not answer, or nothing was started here yet.
    """
    settings = load_settings()
    with database_here(settings, to="list") as database:
        key = key_at_hand(settings, database)
        with database.read() as session:
            files = files_of_keys(session)
    ids = [key.id, *(older.id for older in key.older)]
    known: list[dict[str, Any]] = [
        {"key": key_id, "state": "older" if place else "present", "files": files.pop(key_id, 0)}
        for place, key_id in enumerate(ids)
    ]
    given_up = [older.id for older in audit_key_of(key).older[len(key.older) :]]
    known += [{"key": None, "audit_key": name, "state": "given_up", "files": 0} for name in given_up]
    known += [{"key": key_id, "state": "missing", "files": number} for key_id, number in sorted(files.items())]
    Output(as_json=as_json).give({"keys": known}, _listed)


def rotate_key(*, as_json: bool) -> None:
    """Change to a new key, or go on with a change that was ended.

    Raises:
        StartFailed: while the platform runs.
        WrongSettings: when the key cannot be changed, or as `list_keys` does.
        Unreachable: as `list_keys` does.
    """
    with _at_rest("rotate") as (settings, database):
        done = rotate(settings, database)
    document = {
        "key": done.key.id,
        "before": done.before,
        "sealed_anew": done.resealed.anew,
        "left": done.resealed.left,
    }
    Output(as_json=as_json).give(document, lambda _: _rotated(done, in_file=settings.artifact_key is None))


def retire_keys(*, as_json: bool) -> None:
    """Give up the older keys.

    Raises:
        StartFailed: while the platform runs.
        WrongSettings: when they are needed, or as `list_keys` does.
        Unreachable: as `list_keys` does.
    """
    with _at_rest("retire") as (settings, database):
        number = give_up(settings, database)
    said = f"{count(number, 'older key')} given up." if number else "There is no older key."
    Output(as_json=as_json).give({"given_up": number}, lambda _: Text(f"{said} {_MACHINES}" if number else said))


@contextmanager
def _at_rest(to: str) -> Iterator[tuple[Settings, Database]]:
    settings = load_settings()
    try:
        with database_here(settings, to=to) as database, claimed(settings.home):
            yield settings, database
    except Unavailable as error:
        raise Unreachable(error.detail) from None
    except WrongSettings:
        raise
    except PlatformError as error:
        raise CommandFailed(error.detail) from None


def _listed(found: dict[str, Any]) -> RenderableType:
    rows = [
        (each["key"] or f"record: {each['audit_key']}", _STATES[each["state"]], each["files"]) for each in found["keys"]
    ]
    return table(("Key", "What it is for", "Files sealed"), rows, right=("Files sealed",), whole=("Key",))


_STATES = {
    "present": "seals and verifies",
    "older": "verifies what it has sealed, and the audit record of its time",
    "given_up": "checks the audit record of its time",
    "missing": "not here: these files are refused",
}


def _rotated(done: Rotated, *, in_file: bool) -> RenderableType:
    anew = f"{count(done.resealed.anew, 'seal')} made anew."
    if done.before is None:
        first = f"The change to the key {done.key.id} is done: {anew}"
    else:
        first = f"The new key is {done.key.id}, and {done.before} only verifies from now on. {anew}"
    left = [Text(each) for each in done.resealed.left]
    return sections(
        Text(first),
        ("Seals that do not hold, and were left as they are", Text("\n").join(left)) if left else None,
        Text(
            _MACHINES if in_file else "Start the platform again, with the same variables for the API and all workers."
        ),
    )
