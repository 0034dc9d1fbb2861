"""The verbs of `mlmini`."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from cli import up
from cli.failures import StartFailed
from shared.errors import WrongSettings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def main() -> None:
    """Run the command line. Exit status: 1 when something failed, 2 when the command or a setting is wrong."""
    try:
        app()
    except WrongSettings as error:
        print(f"mlmini: {error.detail}", file=sys.stderr)
        sys.exit(2)
    except StartFailed as error:
        print(f"mlmini: {error}", file=sys.stderr)
        sys.exit(1)


def _show_version(wanted: bool) -> None:
    if wanted:
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


@app.command(name="up")
def run_up(
    *,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="Stop, too, when the process that started this one ends (Linux).")
    ] = False,
) -> None:
    """Start the platform on this machine and keep it running until Ctrl-C.

    Its parts are an embedded Valkey, the API, one worker and Flower.
    What they keep is in the folder MLMINI_HOME, .mlmini unless it is set.
    Settings are environment variables; the README lists them.
    """
    raise typer.Exit(up.up(with_parent=with_parent))
