"""What each verb of `mlmini` takes, and its help.

These files import typer and nothing heavier, so that `--help` is there at once; a verb imports what does its work when
it runs. A new verb is a function here and a line in `cli.app`.
"""
