"""Verbs on registered models."""

from typing import Annotated

import typer

from cli.commands.options import Done, Json, Limit, Url, Yes
from cli.menu import Menu

app = typer.Typer(cls=Menu, no_args_is_help=True, help="Look at registered models, compare them, erase them.")


@app.command("list")
def list_all(
    *,
    dataset: Annotated[str | None, typer.Option(metavar="NAME", help="Only models of this dataset.")] = None,
    stage: Annotated[str | None, typer.Option(metavar="STAGE", help="Only models that are active there.")] = None,
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="Only models that predict this column.")] = None,
    limit: Limit = 20,
    url: Url = None,
    json: Json = False,
) -> None:
    """List models, the newest version first."""
    from cli.actions.listing import give_list
    from cli.actions.session import connected
    from cli.render.models import model_list

    with connected(url, as_json=json) as (client, output):
        filters = {"dataset_name": dataset, "stage": stage, "target": target}
        give_list(client, output, "/models", model_list, most=limit, **filters)


@app.command()
def show(
    version: Annotated[int, typer.Argument(metavar="VERSION", help="The model's version.")],
    *,
    url: Url = None,
    json: Json = False,
) -> None:
    """Show a model: its metrics, what it takes, and where it serves."""
    from cli.actions.session import connected
    from cli.client import requests as calls
    from cli.render.models import model_details

    with connected(url, as_json=json) as (client, output):
        output.give(client.get(calls.model(version)), model_details)


@app.command(epilog="\b\nExample:\n  mlmini models compare 1 2 3\n")
def compare(
    versions: Annotated[list[int], typer.Argument(metavar="VERSION...", help="Two to ten versions.")],
    *,
    url: Url = None,
    json: Json = False,
) -> None:
    """Show models side by side, with what differs and what is best."""
    from cli.actions.session import connected
    from cli.client import requests as calls
    from cli.render.models import comparison

    with connected(url, as_json=json) as (client, output):
        output.give(client.get(calls.compare(versions)), comparison)


@app.command()
def erase(
    version: Annotated[int, typer.Argument(metavar="VERSION", help="The model's version.")],
    *,
    yes: Yes = False,
    url: Url = None,
    json: Done = False,
) -> None:
    """Erase a model for good, with its files of all stages.

    The API refuses that while it is active in a stage; `mlmini retire` ends that.
    """
    from cli.actions.deleting import erase_model
    from cli.actions.session import connected
    from cli.render.models import erased

    with connected(url, as_json=json) as (client, output):
        output.give(erase_model(client, version, sure=yes), erased)
