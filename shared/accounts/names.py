"""The names that users and teams may have."""

import re
from collections.abc import Collection

from shared.audit.actions import ANONYMOUS, SYSTEM
from shared.errors import InvalidRequest, InvalidUserName

LONGEST_USER_NAME = 64

# The audit record uses these for actors that are no users.
_NOT_USERS = {SYSTEM, ANONYMOUS}
_FORM = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
# Names that some file systems and shells take for devices.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")


def checked_name(raw: str) -> str:
    """The name, unchanged: two spellings are never one account.

    Raises:
        InvalidUserName: saying what is wrong with it.
    """
    problem = _problem(raw)
    if problem is not None:
        raise InvalidUserName(f"The name {raw[:80]!r} cannot be given to a user: {problem}. {InvalidUserName.hint}")
    return raw


def checked_teams(raw: Collection[str]) -> list[str]:
    """The names of teams, sorted, each once.

    Raises:
        InvalidRequest: saying what is wrong with one of them.
    """
    for name in raw:
        checked_team(name)
    return sorted(set(raw))


def checked_team(raw: str) -> str:
    """The name of a team, unchanged; it has the form of a user's name.

    Raises:
        InvalidRequest: saying what is wrong with it.
    """
    problem = _problem(raw)
    if problem is not None:
        sentence = f"The name {raw[:80]!r} cannot be given to a team: {problem}. Names of teams are as those of users."
        raise InvalidRequest(sentence)
    return raw


def is_name(text: str) -> bool:
    """Whether a user can have that name."""
    return _problem(text) is None


def _problem(name: str) -> str | None:
    problems = {
        "it is empty": not name,
        f"it has {len(name)} characters, and {LONGEST_USER_NAME} are the limit": len(name) > LONGEST_USER_NAME,
        "it has another character than a-z, 0-9, '.', '_', '-' and '@', or does not begin with a letter or a digit": (
            not _FORM.fullmatch(name)
        ),
        "the audit record uses it for those who are no users": name in _NOT_USERS,
        "dots stand together or at its end": ".." in name or name.endswith("."),
        "some systems take it for a device": bool(_DEVICES.fullmatch(name)),
    }
    return next((problem for problem, has in problems.items() if has), None)
