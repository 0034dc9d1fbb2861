"""The verbs of `mlmini`.

What a verb does is imported when it runs, so that help is there at once: see `cli.commands`.
"""

import sys
from typing import Annotated

import typer

from cli.client.errors import CommandFailed
from cli.commands import access, datasets, estimators, jobs, keys, models, platform, predict, stages, train, users
from cli.launcher.errors import StartFailed
from cli.menu import Menu
from cli.render.screen import complain
from shared.errors import WrongSettings

HERE = "The platform on this machine"
WALK = "From a table to predictions"
LOOK = "What there is"
WHO = "Who you are"

EPILOG = """\b
A walk:
  mlmini datasets upload flowers.csv
  mlmini train flowers --target species --model svm.SVC
  mlmini promote flowers 1 staging
  mlmini predict flowers new.csv --environment staging --output labelled.csv

The option --url may stand before the verb, too.

The exit status is 0 when all is well, 1 when the API refuses the request or a job fails, 2 when the command
is wrong, 3 when the API cannot be reached, 130 after Ctrl-C.
"""

app = typer.Typer(
    cls=Menu,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Rich would take longer to import than everything else that help needs.
    rich_markup_mode=None,
    epilog=EPILOG,
)

app.command(rich_help_panel=HERE)(platform.up)
app.command(rich_help_panel=HERE)(platform.demo)
app.command(rich_help_panel=HERE)(platform.doctor)
app.command(rich_help_panel=HERE)(platform.fsck)
app.command(rich_help_panel=HERE)(platform.rehearse)
app.command(rich_help_panel=HERE)(platform.serve)
app.add_typer(access.admin, name="admin", rich_help_panel=HERE)
app.add_typer(access.audit, name="audit", rich_help_panel=HERE)
app.add_typer(keys.keys, name="keys", rich_help_panel=HERE)
app.command(rich_help_panel=WALK, epilog=train.EXAMPLES)(train.train)
app.command(rich_help_panel=WALK, epilog=stages.PROMOTE_EXAMPLES)(stages.promote)
app.command(rich_help_panel=WALK, epilog=stages.RETIRE_EXAMPLES)(stages.retire)
app.command(rich_help_panel=WALK, epilog=predict.EXAMPLES)(predict.predict)
app.command(rich_help_panel=LOOK, epilog=estimators.EXAMPLES)(estimators.estimators)
app.add_typer(datasets.app, name="datasets", rich_help_panel=LOOK)
app.add_typer(jobs.app, name="jobs", rich_help_panel=LOOK)
app.add_typer(models.app, name="models", rich_help_panel=LOOK)
app.add_typer(users.app, name="users", rich_help_panel=LOOK)
app.command(rich_help_panel=WHO, epilog=access.LOGIN_EXAMPLES)(access.login)
app.command(rich_help_panel=WHO)(access.logout)
app.command("me", rich_help_panel=WHO)(access.show_who_asks)


def main() -> None:
    """Run the command line; the end of `mlmini --help` says what its exit status means."""
    try:
        app(prog_name="mlmini")
    except WrongSettings as error:
        _complain(error.detail, 2)
    except StartFailed as error:
        _complain(str(error), 1)
    except CommandFailed as error:
        _complain(error.sentence, error.status)


def _complain(sentence: str, status: int) -> None:
    complain(f"mlmini: {sentence}")
    sys.exit(status)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"mlmini {version('ml-mini-platform')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """ML Mini Platform: from a table to a governed, served model."""
