"""Verbs on the platform of this machine."""

import os
import sys
from typing import Annotated

import typer

from cli.commands.options import Done, Url


def up(
    *,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="Stop, too, when the process that started this one ends (Linux).")
    ] = False,
) -> None:
    """Start the platform and keep it running until Ctrl-C.

    Its parts are an embedded Valkey, the API, one worker and Flower.
    What they keep is in the folder MLMINI_HOME, .mlmini unless it is set.
    Settings are environment variables; the README lists them.
    """
    from cli.launcher.up import up as run_platform

    raise typer.Exit(run_platform(with_parent=with_parent))


def demo(
    *,
    keep: Annotated[
        bool | None,
        typer.Option(
            "--keep/--stop",
            help="Whether a platform that the demo started goes on until Ctrl-C; by default on a terminal.",
            show_default=False,
        ),
    ] = None,
    url: Url = None,
) -> None:
    """Walk from a table to predictions, with curl beside each step.

    Uses the platform that runs, or starts one. Uploads a table with gaps, trains three estimators at once, compares
    them, promotes the best and predicts.
    """
    from cli.demo.walk import run_demo

    run_demo(url, keep=keep)


def doctor(
    *,
    url: Url = None,
    json: Annotated[bool, typer.Option("--json", help="Write the results as JSON and nothing else.")] = False,
) -> None:
    """Check each part of the platform and say how to fix what is wrong.

    It uses the settings of the environment, whether the platform runs or not, and changes nothing.
    The exit status is 1 when something that is needed is broken.
    """
    from cli.doctor.run import doctor as examine

    raise typer.Exit(examine(url=url, as_json=json))


def fsck(
    *,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every object; without it, the store is asked for digests.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Write the results as JSON and nothing else.")] = False,
) -> None:
    """Compare rows and objects, and say what differs and how to fix it.

    It uses the settings of the environment, whether the platform runs or not, and changes nothing.
    The exit status is 0 when nothing differs, 1 when something does, 2 when the settings or the tables of the database
    are wrong, 3 when database or object store do not answer.
    """
    from cli.doctor.fsck import fsck as compare

    raise typer.Exit(compare(deep=deep, as_json=json))


def rehearse(
    versions: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="[VERSION...]", min=1, max=2**31 - 1, help="Which; by default all that are active in a stage."
        ),
    ] = None,
    *,
    refit: Annotated[
        bool, typer.Option("--refit", help="Also train each again, as it was trained; nothing is registered.")
    ] = False,
    json: Done = False,
) -> None:
    """Try before an upgrade of libraries whether the models still load and say the same.

    Run it with the libraries to come, on the settings of the platform, whether that runs or not. Each model is asked
    about the rows that were kept with it. It changes nothing.
    The exit status is 0 when all are equal, 1 when one is not, 3 when database or object store do not answer.
    """
    from cli.actions.rehearsing import rehearse as rehearse_models

    raise typer.Exit(rehearse_models(versions or [], refit=refit, as_json=json))


def serve(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="What `mlmini models export` has written.")],
    *,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address to listen on; MLMINI_HOST, or 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="The port; SAGEMAKER_BIND_TO_PORT, or 8080.", show_default=False)
    ] = None,
) -> None:
    """Serve an exported model until Ctrl-C, without database, Redis and store.

    It answers GET /ping and POST /invocations as `mlflow models serve` and containers of SageMaker do, and /predict and
    /v2 as the platform does. With MLMINI_SERVE_KEYS_FILE, a file of keys, it asks everybody for one of them. An address
    off loopback needs that, or MLMINI_ALLOW_OPEN=1.
    The exit status is 1 when the folder is refused, 2 when a setting is wrong.
    """
    given = [("--host", host), ("--port", port)]
    options = [word for name, value in given if value is not None for word in (name, str(value))]
    # -P: no file of the present folder may be imported as code of the platform. What runs here ends, so that signals
    # reach the server itself.
    command = [sys.executable, "-P", "-m", "api.standalone", *options, "--", folder]
    sys.stdout.flush()
    os.execv(sys.executable, command)  # noqa: S606 - fixed words, and a path that is only read
