"""Verbs on registered models."""

from typing import Annotated

import typer

from cli.commands.options import Detach, Done, IdempotencyKey, Json, Limit, Url, Yes
from cli.menu import Menu

app = typer.Typer(
    cls=Menu, no_args_is_help=True, help="Look at registered models, compare, annotate, export and erase them."
)

Version = Annotated[int, typer.Argument(metavar="VERSION", help="The model's version.")]


@app.command("list")
def list_all(
    *,
    dataset: Annotated[str | None, typer.Option(metavar="NAME", help="Only models of this dataset.")] = None,
    stage: Annotated[str | None, typer.Option(metavar="STAGE", help="Only models that are active there.")] = None,
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="Only models that predict this column.")] = None,
    estimator: Annotated[
        str | None, typer.Option(metavar="CLASS", help="Only models of this class, such as RandomForestClassifier.")
    ] = None,
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="Only models with this tag.")] = None,
    sort: Annotated[
        str | None,
        typer.Option(metavar="METRIC", help="The best by this metric first, such as accuracy; others are left out."),
    ] = None,
    limit: Limit = 20,
    url: Url = None,
    json: Json = False,
) -> None:
    """List models, the newest version first.

    Sort by a metric within one dataset: models of different ones were not measured on the same rows.
    """
    from functools import partial

    from cli.actions.listing import give_list
    from cli.actions.session import connected
    from cli.render.models import model_list

    with connected(url, as_json=json) as (client, output):
        filters = {"dataset_name": dataset, "stage": stage, "target": target, "estimator": estimator, "tag": tag}
        give_list(client, output, "/models", partial(model_list, metric=sort), most=limit, sort=sort, **filters)


@app.command()
def show(
    version: Version,
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


@app.command(epilog="\b\nExample:\n  mlmini models report 3\n")
def report(
    version: Version,
    *,
    url: Url = None,
    json: Json = False,
) -> None:
    """Show what a model is worth: its metrics with their intervals, which columns matter, where it is wrong.

    A browser shows the same with pictures, at /models/VERSION/report of the API.
    """
    from cli.actions.session import connected
    from cli.client import requests as calls
    from cli.render.report import model_report

    with connected(url, as_json=json) as (client, output):
        output.give(client.get(calls.report(version)), model_report)


@app.command(epilog="\b\nExample:\n  mlmini models card 3 > README.md\n")
def card(
    version: Version,
    *,
    url: Url = None,
    json: Json = False,
) -> None:
    """Write the card of a model as Markdown: what it is, what it learnt from, how well it does."""
    from cli.actions.cards import show_card

    show_card(url, version, as_json=json)


@app.command(epilog="\b\nExample:\n  mlmini models reproduce 3\n")
def reproduce(
    version: Version,
    *,
    detach: Detach = False,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    json: Json = False,
) -> None:
    """Train a model once more, as it was trained, and tell whether that gives the same model.

    Nothing is registered. The exit status is 1 when the new model has other metrics or other answers.
    """
    from cli.actions.reproducing import reproduce as reproduce_model

    raise typer.Exit(reproduce_model(url, version, key=idempotency_key, detach=detach, as_json=json))


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


@app.command(epilog='\b\nExample:\n  mlmini models annotate 3 --tag baseline --note "without the postcode"\n')
def annotate(
    version: Version,
    *,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="A tag; those that are given replace all; repeatable.")
    ] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Take all tags away.")] = False,
    note: Annotated[str | None, typer.Option(metavar="TEXT", help="The note, in place of the one before.")] = None,
    no_note: Annotated[bool, typer.Option("--no-note", help="Take the note away.")] = False,
    url: Url = None,
    json: Json = False,
) -> None:
    """Put tags and a note on a model; what is not named stays as it is."""
    from cli.actions.annotating import annotation
    from cli.actions.session import connected
    from cli.client import requests as calls
    from cli.render.models import model_details

    change = annotation(tags=tag or None, no_tags=no_tags, note=note, no_note=no_note)
    with connected(url, as_json=json) as (client, output):
        output.give(client.get(calls.annotate(version, change)), model_details)


@app.command(
    epilog="\b\nExamples:\n  mlmini models export iris@staging --to iris-model\n  mlmini serve iris-model\n",
)
def export(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="NAME@STAGE for what serves there, NAME in production, or a VERSION."),
    ],
    *,
    to: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="The folder to write; by default its name tells what is in it."),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="What it predicts, where several targets are served.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an exported model that has that name.")] = False,
    key_file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the key there, too, that MLMINI_EXPORT_KEY has to be for a server."),
    ] = None,
    json: Done = False,
) -> None:
    """Write a model into a sealed folder that `mlmini serve` and the image serve alone.

    It uses the settings of the environment, whether the platform runs or not, and changes nothing of it.
    A model without a compiled form is a pickle, which is served only where MLMINI_EXPORT_KEY is the key of the export.
    """
    from cli.actions.exporting import export_model

    export_model(model, to=to, target=target, replace=replace, key_file=key_file, as_json=json)


@app.command()
def erase(
    version: Version,
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


@app.command("compile", epilog="\b\nExample:\n  mlmini models compile\n")
def compile_them(
    versions: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="[VERSION...]",
            min=1,
            max=2**31 - 1,
            help="The versions; by default all that serve and were never tried.",
        ),
    ] = None,
    *,
    detach: Detach = False,
    json: Done = False,
) -> None:
    """Have compiled forms made for models that an older release has registered, or whose form is lost or damaged.

    It works on this machine, with the settings of the environment, as `mlmini doctor` does; a worker makes the forms.
    A model also gets its form by itself, when it is first loaded to serve.
    """
    from cli.actions.compiling import compile_models

    raise typer.Exit(compile_models(versions or [], detach=detach, as_json=json))
