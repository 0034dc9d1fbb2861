"""Verbs on datasets."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.options import Json, Limit, Url
from cli.menu import Menu

app = typer.Typer(cls=Menu, no_args_is_help=True, help="Upload tables and look at them.")

EXAMPLES = """\b
Examples:
  mlmini datasets upload flowers.csv
  mlmini datasets upload flowers.csv --name iris_2026 --description "of May"
"""


@app.command(epilog=EXAMPLES)
def upload(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, TSV (also .gz), Parquet or JSON Lines.")],
    *,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The dataset's name; by default the file's.")] = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What the table is about.")] = None,
    url: Url = None,
    json: Json = False,
) -> None:
    """Add a table to the catalog, or a new version to the dataset of that name.

    Bytes that are its newest version already make no new one.
    """
    from cli.actions.session import connected
    from cli.actions.uploading import upload_table
    from cli.render.datasets import dataset_profile

    with connected(url, as_json=json) as (client, output):
        output.give(upload_table(client, output, file, name=name, description=description), dataset_profile)


@app.command("list")
def list_all(*, limit: Limit = 50, url: Url = None, json: Json = False) -> None:
    """List the datasets by name."""
    from cli.actions.listing import give_list
    from cli.actions.session import connected
    from cli.render.datasets import dataset_list

    with connected(url, as_json=json) as (client, output):
        give_list(client, output, "/datasets", dataset_list, most=limit)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name.")],
    *,
    url: Url = None,
    json: Json = False,
) -> None:
    """Show a dataset with what is in each of its columns."""
    from cli.actions.session import connected
    from cli.client import requests as calls
    from cli.render.datasets import dataset_profile

    with connected(url, as_json=json) as (client, output):
        output.give(client.get(calls.dataset(name)), dataset_profile)
