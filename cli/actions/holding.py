"""Whose a dataset is, and which teams a user is in."""

from collections.abc import Sequence
from typing import Any

from cli.client.errors import WrongUsage


def holders(*, team: str | None, no_team: bool, owner: str | None) -> dict[str, Any]:
    """What to change of whose a dataset is: what is not named stays as it is.

    Raises:
        WrongUsage: when nothing is named, or a team is given and taken away.
    """
    if team is not None and no_team:
        raise WrongUsage("Give --team or --no-team, but not both.")
    change: dict[str, Any] = {}
    if team is not None or no_team:
        change["team"] = team
    if owner is not None:
        change["owner"] = owner
    if not change:
        raise WrongUsage("Say whose the dataset is with --team, --no-team or --owner.")
    return change


def membership(*, teams: Sequence[str], no_teams: bool) -> dict[str, Any]:
    """The teams of a user from now on.

    Raises:
        WrongUsage: when none is named, and not that there is none, or both.
    """
    if bool(teams) == no_teams:
        raise WrongUsage("Name all teams of the user with --team, or none with --no-teams.")
    return {"teams": list(teams)}
