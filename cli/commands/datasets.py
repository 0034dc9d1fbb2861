"""Verbs on datasets."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.commands import reading
from cli.commands.options import Done, Json, Limit, Url, Yes
from cli.menu import Menu

app = typer.Typer(cls=Menu, no_args_is_help=True, help="Upload tables, look at them, delete them.")

EXAMPLES = """\b
Examples:
  mlmini datasets upload flowers.csv
  mlmini datasets upload flowers.csv --name iris_2026 --description "of May"
  mlmini datasets upload prices.csv --decimal , --kind zip=category --dry-run
"""
REREAD_EXAMPLES = """\b
Examples:
  mlmini datasets reread prices
  mlmini datasets reread prices --version 1 --no-gap-words --dry-run
"""


@app.command(epilog=EXAMPLES)
@reading.takes_reading
def upload(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, TSV, JSON Lines (also .gz), Parquet or .xlsx.")],
    *,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The dataset's name; by default the file's.")] = None,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What the table is about.")] = None,
    team: Annotated[
        str | None, typer.Option(metavar="TEAM", help="Keep a new dataset for a team that you are in.")
    ] = None,
    said: dict[str, Any],
    dry_run: reading.DryRun = False,
    url: Url = None,
    json: Json = False,
) -> None:
    """Add a table to the catalog, or a new version to the dataset of that name.

    How the file is read is told from its bytes, where no option says it. A file that is the newest version already,
    read so, makes no new one.
    """
    from cli.actions.rereading import reading_fields
    from cli.actions.session import connected
    from cli.actions.uploading import upload_table
    from cli.render.datasets import dataset_at

    with connected(url, as_json=json) as (client, output):
        fields = reading_fields(said)
        told = {"name": name, "description": description, "team": team}
        done = upload_table(client, output, file, **told, reading=fields, dry_run=dry_run)
        output.give(done, dataset_at(client.address.shown))


Name = Annotated[str, typer.Argument(metavar="NAME", help="The dataset's name.")]


@app.command(epilog=REREAD_EXAMPLES)
@reading.takes_reading
def reread(
    name: Name,
    *,
    version: Annotated[int | None, typer.Option(metavar="N", help="A version; by default the newest.")] = None,
    said: dict[str, Any],
    dry_run: reading.DryRun = False,
    url: Url = None,
    json: Json = False,
) -> None:
    """Make a new version of the same bytes, read in another way.

    Without options the file is read by the rules of today: a version that an older release took is renewed.
    """
    from cli.actions.rereading import reading_fields, reread_dataset
    from cli.actions.session import connected
    from cli.render.datasets import dataset_at

    with connected(url, as_json=json) as (client, output):
        fields = reading_fields(said)
        output.give(
            reread_dataset(client, output, name, fields, version=version, dry_run=dry_run),
            dataset_at(client.address.shown),
        )


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
    name: Name,
    *,
    url: Url = None,
    json: Json = False,
) -> None:
    """Show a dataset and what is in each of its columns."""
    from cli.actions.session import connected
    from cli.client import requests as calls
    from cli.render.datasets import dataset_at

    with connected(url, as_json=json) as (client, output):
        output.give(client.get(calls.dataset(name)), dataset_at(client.address.shown))


@app.command()
def preview(
    name: Name,
    *,
    rows: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="The most rows to show.")] = 20,
    version: Annotated[int | None, typer.Option(metavar="N", help="A version; by default the newest.")] = None,
    url: Url = None,
    json: Json = False,
) -> None:
    """Show the first rows of a dataset.

    Values are shown as they are, numbers with all their digits. A cell without a value says missing. In quotes are
    texts that are empty, have blanks around them or signs that are not printed, or say missing themselves.
    At a terminal, columns that do not fit are named below.
    """
    from cli.actions.session import connected
    from cli.client import requests as calls
    from cli.render.datasets import dataset_preview

    with connected(url, as_json=json) as (client, output):
        output.give(client.get(calls.dataset_preview(name, rows=rows, version=version)), dataset_preview)


@app.command()
def versions(name: Name, *, limit: Limit = 20, url: Url = None, json: Json = False) -> None:
    """List the versions of a dataset, the newest first."""
    from cli.actions.listing import give_list
    from cli.actions.session import connected
    from cli.client import requests as calls
    from cli.render.datasets import version_list

    with connected(url, as_json=json) as (client, output):
        give_list(client, output, calls.dataset_versions(name), version_list, most=limit)


@app.command(epilog="\b\nExamples:\n  mlmini datasets diff prices\n  mlmini datasets diff prices --from 1 --to 3\n")
def diff(
    name: Name,
    *,
    before: Annotated[
        int | None, typer.Option("--from", metavar="N", help="The version to begin with; by default the one before.")
    ] = None,
    after: Annotated[
        int | None, typer.Option("--to", metavar="N", help="The version to compare; by default the newest.")
    ] = None,
    url: Url = None,
    json: Json = False,
) -> None:
    """Show what has changed between two versions: columns, and how far their values have moved.

    Columns that drift most come first. Both files are read for it.
    """
    from cli.actions.session import connected
    from cli.client import requests as calls
    from cli.render.diff import diff_at

    with connected(url, as_json=json) as (client, output):
        call = calls.dataset_diff(name, before=before, after=after)
        output.give(client.get(call), diff_at(client.address.shown))


@app.command(
    epilog="\b\nExamples:\n  mlmini datasets give prices --team fraud\n  mlmini datasets give prices --no-team\n"
)
def give(
    name: Name,
    *,
    team: Annotated[str | None, typer.Option(metavar="TEAM", help="Keep it for the members of a team.")] = None,
    no_team: Annotated[bool, typer.Option("--no-team", help="Keep it for nobody: whoever may read sees it.")] = False,
    owner: Annotated[str | None, typer.Option(metavar="USER", help="Give it to another owner.")] = None,
    url: Url = None,
    json: Json = False,
) -> None:
    """Say which team a dataset is kept for, with all that is made of it, and whose it is.

    For others than the team's members and admins it is then as if it were not there. The owner may do so, and admins.
    """
    from cli.actions.holding import holders
    from cli.actions.session import connected
    from cli.client import holding_requests as calls
    from cli.render.datasets import dataset_at

    change = holders(team=team, no_team=no_team, owner=owner)
    with connected(url, as_json=json) as (client, output):
        output.give(client.get(calls.give_dataset(name, change)), dataset_at(client.address.shown))


@app.command()
def delete(
    name: Name,
    *,
    archive: Annotated[
        bool, typer.Option("--archive", help="Hide it instead: its models go on, and an upload brings it back.")
    ] = False,
    erase: Annotated[
        bool, typer.Option("--erase", help="Erase it for good, with what its jobs said; its models are erased before.")
    ] = False,
    yes: Yes = False,
    url: Url = None,
    json: Done = False,
) -> None:
    """Delete a dataset with all its versions.

    At a terminal it asks first. The API refuses it while there is a model that was trained on it.
    """
    from cli.actions.deleting import delete_dataset
    from cli.actions.session import connected
    from cli.render.datasets import deleted

    with connected(url, as_json=json) as (client, output):
        output.give(delete_dataset(client, name, archive=archive, erase=erase, sure=yes), deleted)
