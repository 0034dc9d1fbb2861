"""The first user, without whom nobody could make the others."""

import re
from pathlib import Path

from shared.accounts.passwords import LONGEST_PASSWORD, Passwords
from shared.accounts.permissions import Role
from shared.accounts.users import create_user, user_count
from shared.audit.actions import SYSTEM, Action, Via
from shared.audit.recording import AuditEntry, record
from shared.database import Database
from shared.errors import UserExists, WeakPassword, WrongSettings
from shared.home import reason

FIRST_ADMIN = "admin"

_VARIABLE = "MLMINI_ADMIN_PASSWORD_FILE"
_LINE_END = re.compile(r"\r?\n\Z")
# More than any password takes: a character has at most four bytes.
MOST_BYTES = 8 * LONGEST_PASSWORD


def first_admin_from_file(database: Database, path: Path, passwords: Passwords) -> bool:
    """Make the user `admin` with the password of the file if there is no user; whether it was made.

    Where there are users, the file is not looked at. Of several processes that start at once, one makes it.

    Raises:
        WrongSettings: when the file cannot be read, or the password in it is too weak.
        DatabaseUnavailable: when the database does not answer.
    """
    with database.read() as session:
        if user_count(session):
            return False
    try:
        hashed = passwords.hashed(password_of_file(path), name=FIRST_ADMIN)
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


def password_of_file(path: Path, *, called: str = _VARIABLE) -> str:
    """The text of a file without its last line end; `called` is how errors name what names the file.

    Raises:
        WrongSettings: when it cannot be read.
    """
    try:
        if not path.is_file():
            raise WrongSettings(
                f"{called}: there is no file at this place. Put the password into one, or leave it out."
            )
        with path.open("rb") as file:
            return password_of_bytes(file.read(MOST_BYTES + 1), called=called)
    except OSError as error:
        raise WrongSettings(f"{called}: the file cannot be read: {reason(error)}. Let this user read it.") from None


def password_of_bytes(given: bytes, *, called: str) -> str:
    """A text without its last line end.

    Raises:
        WrongSettings: when it is none.
    """
    try:
        return _LINE_END.sub("", given.decode())
    except UnicodeDecodeError:
        raise WrongSettings(f"{called}: this is not text in UTF-8. Write the password anew.") from None
