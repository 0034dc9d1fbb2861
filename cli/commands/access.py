"""Verbs on who asks: logins, and the accounts and the audit record of the platform on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.options import Done, Json, Url
from cli.menu import Menu

ADMIN_EXAMPLES = """\b
Examples:
  mlmini admin create
  mlmini admin create --name anna.lang --password-file /run/secrets/anna
  pass show mlmini | mlmini admin create --name anna.lang
"""
KEY_EXAMPLES = """\b
Examples:
  mlmini admin key
  mlmini admin key --name anna.lang --hours 8
"""
AUDIT_EXAMPLES = """\b
Examples:
  mlmini audit verify
  mlmini audit verify --known 57:1f0c2b6a...
"""

LOGIN_EXAMPLES = """\b
Examples:
  mlmini login --name anna.lang
  pass show mlmini | mlmini login --name anna --url https://ml.example.org
"""

admin = typer.Typer(cls=Menu, no_args_is_help=True, help="Make users who may do everything, and keys for them.")
audit = typer.Typer(cls=Menu, no_args_is_help=True, help="Check the record of who did what.")


@admin.command(epilog=ADMIN_EXAMPLES)
def create(
    *,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The name of the user.")] = "admin",
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--password-file", metavar="FILE", help="Where the password is; a line end after it is not part of it."
        ),
    ] = None,
    json: Done = False,
) -> None:
    """Make a user with the role admin, also when no admin can log in any more.

    It uses the settings of the environment, whether the platform runs or not.
    The password is asked for at a terminal, else read from standard input.
    From the first user on, the API asks who comes.
    """
    from cli.actions.administering import create_admin

    create_admin(name, password_file, as_json=json)


@admin.command(epilog=KEY_EXAMPLES)
def key(
    *,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="An admin, whose key it is.")] = "admin",
    hours: Annotated[
        int, typer.Option("--hours", min=1, max=8760, metavar="N", help="After how many hours it ends.")
    ] = 1,
    json: Done = False,
) -> None:
    """Make an API key for an admin, also when the identity provider is down.

    It uses the settings of the environment, whether the platform runs or not.
    The key is shown once. Whoever has it may do what the admin may.
    """
    from cli.actions.administering import make_admin_key

    make_admin_key(name, hours, as_json=json)


@audit.command(epilog=AUDIT_EXAMPLES)
def verify(
    *,
    known: Annotated[
        str | None,
        typer.Option("--known", metavar="NUMBER:HASH", help="The last entry that an earlier call has told."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write the result as JSON and nothing else.")] = False,
) -> None:
    """Look whether an entry was changed, removed, added or exchanged.

    It uses the settings of the environment, whether the platform runs or not, and changes nothing.
    The exit status is 1 when something is wrong. Keep the number and the hash that it tells elsewhere: given as
    --known, they show whether the whole record was put back to an older state.
    """
    from cli.actions.auditing import verify_audit

    raise typer.Exit(verify_audit(known, as_json=json))


def login(
    *,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Who logs in; by default it is asked for at a terminal."),
    ] = None,
    url: Url = None,
    json: Done = False,
) -> None:
    """Log in, so that further verbs are those of a user.

    The password is asked for at a terminal, else read from standard input. It is not kept: tokens are, for this user of
    the machine alone, in mlmini/logins.json of XDG_CONFIG_HOME or ~/.config, and are renewed by the verbs.
    Scripts set MLMINI_API_KEY_FILE to a file with an API key instead, or MLMINI_API_KEY to the key.
    """
    from cli.actions.logging_in import log_in

    log_in(url, name, as_json=json)


def logout(*, url: Url = None, json: Done = False) -> None:
    """End the login that `mlmini login` began."""
    from cli.actions.logging_in import log_out

    log_out(url, as_json=json)


def show_who_asks(*, url: Url = None, json: Json = False) -> None:
    """Show who you are there, what you may do, and how much of it is used."""
    from cli.actions.introducing import show_me

    show_me(url, as_json=json)
