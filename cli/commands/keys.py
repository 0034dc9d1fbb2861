"""Verbs on the keys that artifacts of the platform on this machine are sealed with."""

from typing import Annotated

import typer

from cli.commands.options import Done
from cli.menu import Menu

EXAMPLES = """\b
Examples:
  mlmini keys list
  mlmini keys rotate
  mlmini keys retire
"""

keys = typer.Typer(cls=Menu, no_args_is_help=True, help="Change the key that the files of models are sealed with.")


@keys.command("list", epilog=EXAMPLES)
def show(
    *,
    json: Annotated[bool, typer.Option("--json", help="Write the result as JSON and nothing else.")] = False,
) -> None:
    """List the keys by their names, with what they have sealed.

    It uses the settings of the environment, whether the platform runs or not, and changes nothing.
    """
    from cli.actions.rotating import list_keys

    list_keys(as_json=json)


@keys.command(epilog=EXAMPLES)
def rotate(*, json: Done = False) -> None:
    """Make a new key, and seal all models with it.

    The platform must not run. The key before stays in the file, behind the new one, and only verifies from then on.
    A call that was ended before it was done is finished by the next one. Give all machines of the platform the same
    file afterwards. With MLMINI_ARTIFACT_KEY it says how to change that, and then seals the models anew.
    """
    from cli.actions.rotating import rotate_key

    rotate_key(as_json=json)


@keys.command(epilog=EXAMPLES)
def retire(*, json: Done = False) -> None:
    """Give up the older keys: nothing that they sealed is taken any more.

    The platform must not run. Of each older key, the file keeps what checks the audit record from its time, which can
    neither seal a model nor be turned back into the key. Do this after a rotation when an older key was seen by others.
    Backups of the database from before the rotation then need the backup of the file from that time, too.
    """
    from cli.actions.rotating import retire_keys

    retire_keys(as_json=json)
