"""Users as tables."""

from typing import Any

from rich.console import RenderableType

from cli.render.output import facts
from cli.render.table import table


def user_list(page: dict[str, Any]) -> RenderableType:
    """The users of a page."""
    if not page["items"]:
        return "No users yet. `mlmini admin create` adds the first one, and everybody has to log in from then on."
    return table(
        ["User", "Role", "Kind", "Let in", "Teams"],
        (
            (user["name"], user["role"], user["kind"], "yes" if user["active"] else "no", ", ".join(user["teams"]))
            for user in page["items"]
        ),
    )


def user_details(user: dict[str, Any]) -> RenderableType:
    """One user."""
    return facts(
        [
            ("User", user["name"]),
            ("Role", user["role"]),
            ("Kind", user["kind"]),
            ("Let in", "yes" if user["active"] else "no"),
            ("Teams", ", ".join(user["teams"]) or "none"),
        ]
    )
