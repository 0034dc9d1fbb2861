"""Makes the first user, without whom nobody could make the others."""

from pathlib import Path

from shared.accounts.password_file import password_of_file
from shared.accounts.passwords import Passwords
from shared.accounts.permissions import Role
from shared.accounts.users import create_user, user_count
from shared.audit.actions import SYSTEM, Action, Via
from shared.audit.recording import AuditEntry, record
from shared.database import Database
from shared.errors import UserExists, WeakPassword, WrongSettings

FIRST_ADMIN = "admin"

_VARIABLE = "MLMINI_ADMIN_PASSWORD_FILE"


def first_admin_from_file(database: Database, path: Path, passwords: Passwords) -> bool:
    """Make the user `admin` with the password of the file if there are no users; return whether that was done.

    If there are users, the file is not read. Of several processes that start at once, one makes the user.

    Raises:
        WrongSettings: when the file cannot be read, or the password in it is too weak.
        DatabaseUnavailable: when the database does not answer.
    """
    with database.read() as session:
        if user_count(session):
            return False
    try:
        hashed = passwords.hashed(password_of_file(path, called=_VARIABLE), name=FIRST_ADMIN)
    except WeakPassword as error:
        raise WrongSettings(f"{_VARIABLE}: {error.detail}") from None
    try:
        with database.write() as session:
            if user_count(session):
                return False
            create_user(session, FIRST_ADMIN, role=Role.ADMIN, password=hashed)
            made = {"role": Role.ADMIN, "kind": "person"}
            entry = AuditEntry(
                action=Action.USER_CREATED, subject=f"user {FIRST_ADMIN}", actor=SYSTEM, via=Via.SETTINGS, after=made
            )
            record(session, entry)
    except UserExists:
        return False
    return True
