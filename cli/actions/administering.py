"""`mlmini admin`: users and keys in the database of this machine's platform, with the present settings."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getpass
from pathlib import Path
from typing import Any

from rich.text import Text
from sqlalchemy import select

from cli.client.errors import CommandFailed, Unreachable, WrongUsage
from cli.client.hints import in_verbs
from cli.doctor.installation import database_here
from cli.render.output import Output
from shared.accounts.api_keys import create_key
from shared.accounts.exposure import check_secrets_for_accounts
from shared.accounts.names import checked_name
from shared.accounts.password_file import MOST_BYTES, password_of_bytes, password_of_file
from shared.accounts.passwords import Passwords, checked_password
from shared.accounts.permissions import Role, Scope
from shared.accounts.users import create_user, find_user
from shared.audit.actions import SYSTEM, Action, Via
from shared.audit.chain import audit_key_of, use_key
from shared.audit.recording import AuditEntry, record
from shared.clock import Now
from shared.database import Database
from shared.errors import PlatformError, Unavailable, WrongSettings
from shared.registry.sealing import read_artifact_key
from shared.settings import load_settings


def create_admin(name: str, password_file: Path | None, *, as_json: bool) -> None:
    """Make the user.

    Raises:
        WrongUsage: when the two passwords that were typed differ.
        WrongSettings: when the settings, the key or the tables of the database are wrong.
        CommandFailed: when the name or the password cannot be taken, there is such a user, or a password in the
            settings is one that everybody knows.
        Unreachable: when the database does not answer, or nothing was started here yet.
    """
    with _recording(to="make a user of") as database:
        check_secrets_for_accounts(load_settings())
        checked_name(name)
        password = checked_password(_password(name, password_file), name=name)
        hashed = Passwords().hashed(password, name=name)
        with database.write() as session:
            user = create_user(session, name, role=Role.ADMIN, password=hashed)
            made = {"role": user.role, "kind": user.kind}
            record(session, _entry(Action.USER_CREATED, f"user {name}", made))
    Output(as_json=as_json).give({"name": name, "role": Role.ADMIN}, _made)


def make_admin_key(name: str, hours: int, *, as_json: bool) -> None:
    """Make an API key for an admin, which ends after some hours: the way in while nobody can log in.

    Raises:
        WrongSettings: when the settings, the key or the tables of the database are wrong.
        CommandFailed: when there is no such admin.
        Unreachable: when the database does not answer, or nothing was started here yet.
    """
    with _recording(to="make a key of") as database, database.write() as session:
        user = find_user(session, name)
        if user.role != Role.ADMIN or not user.active:
            raise CommandFailed(f"The user {name} is no admin who may log in. --name names another one.")
        ends = session.execute(select(Now(3600 * hours))).scalar_one()
        row, text = create_key(session, user, name="mlmini admin key", scopes=[Scope.ADMIN], expires_at=ends)
        told = {"name": row.name, "user": name, "scopes": row.scopes}
        record(session, _entry(Action.KEY_CREATED, f"key {row.id}", told))
    made = {"id": row.id, "user": name, "key": text, "expires_at": ends.isoformat(timespec="seconds")}
    Output(as_json=as_json).give(made, _made_key)


@contextmanager
def _recording(*, to: str) -> Iterator[Database]:
    """The database, with what its record is kept with; what goes wrong is told as verbs tell it."""
    settings = load_settings()
    try:
        with database_here(settings, to=to) as database:
            key = read_artifact_key(settings)
            if key is None:
                raise WrongSettings("the key of the artifacts is missing. `mlmini doctor` says more")
            use_key(database, audit_key_of(key))
            yield database
    except Unavailable as error:
        raise Unreachable(error.detail) from None
    except WrongSettings:
        raise
    except PlatformError as error:
        raise CommandFailed(in_verbs(error.detail)) from None


def _entry(action: Action, subject: str, after: dict[str, Any]) -> AuditEntry:
    return AuditEntry(action=action, subject=subject, actor=SYSTEM, via=Via.CLI, after=after)


def _password(name: str, file: Path | None) -> str:
    if file is not None:
        return password_of_file(file, called="--password-file")
    if not sys.stdin.isatty():
        return password_of_bytes(sys.stdin.buffer.read(MOST_BYTES + 1), called="standard input")
    first = getpass(f"Password of {name}: ")
    if getpass("Once more: ") != first:
        raise WrongUsage("The two passwords differ. Nothing was done.")
    return first


def _made_key(key: dict[str, Any]) -> Text:
    return Text(
        f"{key['key']}\nIt is a key of {key['user']}, shown this once, and ends at {key['expires_at']}. "
        "Send it as X-API-Key, or set MLMINI_API_KEY to it."
    )


def _made(user: dict[str, Any]) -> Text:
    return Text(f"The user {user['name']} is there, with the role {user['role']}.")
