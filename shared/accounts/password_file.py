"""Passwords that come in a file or through a pipe."""

import re
from pathlib import Path

from shared.accounts.passwords import LONGEST_PASSWORD
from shared.errors import WrongSettings
from shared.home import reason

_LINE_END = re.compile(r"\r?\n\Z")
# More than any password takes: a character has at most four bytes.
MOST_BYTES = 8 * LONGEST_PASSWORD


def password_of_file(path: Path, *, called: str) -> str:
    """The text of a file without its last line end; `called` is the setting or option that errors name.

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
    """The text without its last line end.

    Raises:
        WrongSettings: when it is not UTF-8.
    """
    try:
        return _LINE_END.sub("", given.decode())
    except UnicodeDecodeError:
        raise WrongSettings(f"{called}: this is not text in UTF-8. Write the password anew.") from None
