"""`mlmini me`: who asks, as the platform sees it."""

from typing import Any

from rich.table import Table

from cli.actions.session import connected
from cli.client.login_requests import who_asks
from cli.render.output import facts
from cli.render.text import cell, size


def show_me(url: str | None, *, as_json: bool) -> None:
    """Show who asks, and the limits.

    Raises:
        Refused, Unreachable: as `Client.get`.
    """
    with connected(url, as_json=as_json) as (client, output):
        output.give(client.get(who_asks()), _shown)


def _shown(me: dict[str, Any]) -> Table:
    rows = [("name", me["name"]), ("role", me["role"]), ("may", cell(me["permissions"])), ("known by", me["via"])]
    limits = me.get("limits")
    return facts([*rows, *(_limits(limits) if limits else [])])


def _limits(limits: dict[str, Any]) -> list[tuple[str, str]]:
    stored, most = limits["stored_bytes"]["used"], limits["stored_bytes"]["limit"]
    return [
        ("requests a minute", _most(limits["requests_per_minute"])),
        ("predictions a minute", _most(limits["predictions_per_minute"])),
        ("jobs that wait or run", _used(limits["jobs"])),
        ("jobs that run", _used(limits["running_jobs"])),
        ("stored", f"{size(stored)} of {size(most)}" if most else size(stored)),
    ]


def _most(limit: int | None) -> str:
    return "any number" if limit is None else f"{limit:,}"


def _used(quota: dict[str, Any]) -> str:
    return f"{quota['used']:,}" if quota["limit"] is None else f"{quota['used']:,} of {quota['limit']:,}"
