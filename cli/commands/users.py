"""Verbs on users of the platform."""

from typing import Annotated

import typer

from cli.commands.options import Json, Limit, Url
from cli.menu import Menu

app = typer.Typer(cls=Menu, no_args_is_help=True, help="List users, and say which teams they are in.")


@app.command("list")
def list_users(*, limit: Limit = 20, url: Url = None, json: Json = False) -> None:
    """List users by their names. Only admins may."""
    from cli.actions.listing import give_list
    from cli.actions.session import connected
    from cli.render.users import user_list

    with connected(url, as_json=json) as (client, output):
        give_list(client, output, "/users", user_list, most=limit)


@app.command(epilog="\b\nExample:\n  mlmini users teams berta --team fraud --team credit\n")
def teams(
    name: Annotated[str, typer.Argument(metavar="USER", help="The user's name.")],
    *,
    team: Annotated[
        list[str] | None, typer.Option(metavar="TEAM", help="A team; those that are given replace all; repeatable.")
    ] = None,
    no_teams: Annotated[bool, typer.Option("--no-teams", help="Take the user out of all teams.")] = False,
    url: Url = None,
    json: Json = False,
) -> None:
    """Say which teams a user is in. Only admins may; it ends the user's logins.

    What is kept for a team is there for its members and for admins only.
    """
    from cli.actions.holding import membership
    from cli.actions.session import connected
    from cli.client import holding_requests as calls
    from cli.render.users import user_details

    change = membership(teams=team or [], no_teams=no_teams)
    with connected(url, as_json=json) as (client, output):
        output.give(client.get(calls.change_user(name, change)), user_details)
