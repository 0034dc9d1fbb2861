"""`mlmini admin create`: a user in the database of this machine's platform, with the present settings."""

import sys
from getpass import getpass
from pathlib import Path
from typing import Any

from rich.text import Text

from cli.client.errors import CommandFailed, Unreachable, WrongUsage
from cli.client.hints import in_verbs
from cli.doctor.installation import database_here
from cli.render.output import Output
from shared.accounts.names import checked_name
from shared.accounts.password_file import MOST_BYTES, password_of_bytes, password_of_file
from shared.accounts.passwords import Passwords, checked_password
from shared.accounts.permissions import Role
from shared.accounts.users import create_user
from shared.audit.actions import SYSTEM, Action, Via
from shared.audit.chain import audit_key_of, use_key
from shared.audit.recording import AuditEntry, record
from shared.errors import PlatformError, Unavailable, WrongSettings
from shared.registry.sealing import read_artifact_key
from shared.settings import load_settings


def create_admin(name: str, password_file: Path | None, *, as_json: bool) -> None:
    """Make the user.

    Raises:
        WrongUsage: when the two passwords that were typed differ.
        WrongSettings: when the settings, the key or the tables of the database are wrong.
        CommandFailed: when the name or the password cannot be taken, or there is such a user.
        Unreachable: when the database does not answer, or nothing was started here yet.
    """
    settings = load_settings()
    try:
        checked_name(name)
        with database_here(settings, to="make a user of") as database:
            key = read_artifact_key(settings)
            if key is None:
                raise WrongSettings("the key of the artifacts is missing. `mlmini doctor` says more")
            use_key(database, audit_key_of(key))
            password = checked_password(_password(name, password_file), name=name)
            hashed = Passwords().hashed(password, name=name)
            with database.write() as session:
                user = create_user(session, name, role=Role.ADMIN, password=hashed)
                made = {"role": user.role, "kind": user.kind}
                entry = AuditEntry(
                    action=Action.USER_CREATED, subject=f"user {name}", actor=SYSTEM, via=Via.CLI, after=made
                )
                record(session, entry)
    except Unavailable as error:
        raise Unreachable(error.detail) from None
    except WrongSettings:
        raise
    except PlatformError as error:
        raise CommandFailed(in_verbs(error.detail)) from None
    Output(as_json=as_json).give({"name": name, "role": Role.ADMIN}, _made)


def _password(name: str, file: Path | None) -> str:
    if file is not None:
        return password_of_file(file, called="--password-file")
    if not sys.stdin.isatty():
        return password_of_bytes(sys.stdin.buffer.read(MOST_BYTES + 1), called="standard input")
    first = getpass(f"Password of {name}: ")
    if getpass("Once more: ") != first:
        raise WrongUsage("The two passwords differ. Nothing was done.")
    return first


def _made(user: dict[str, Any]) -> Text:
    return Text(f"The user {user['name']} is there, with the role {user['role']}.")
