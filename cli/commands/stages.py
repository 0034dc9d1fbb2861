"""Verbs that bring models to stages and take them away."""

from typing import Annotated

import typer

from cli.commands.options import Detach, IdempotencyKey, Json, Priority, Url


def _read_version(text: str) -> int:
    """The number in a word. In the order of arguments of an older release the word is a stage."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(
            f"'{text}' is not a version, which is a whole number. The order is DATASET VERSION STAGE, "
            "such as iris 1 production."
        ) from None


Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset that the model was trained on.")]
Version = Annotated[int, typer.Argument(metavar="VERSION", parser=_read_version, help="The model's version.")]


def promote(
    dataset: Dataset,
    version: Version,
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="The stage after the one in which it is active.")],
    *,
    replace_target: Annotated[
        bool,
        typer.Option("--replace-target", help="Retire the versions there that predict another column."),
    ] = False,
    priority: Priority = None,
    detach: Detach = False,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    json: Json = False,
) -> None:
    """Bring a model to the next stage: dev, staging, production.

    Waits for the job. The stage before keeps serving what it has. What predicts another column than the version that
    serves in the stage is refused without --replace-target.
    """
    from cli.actions.session import connected
    from cli.actions.training import run_job
    from cli.client import requests as calls
    from cli.render.models import promoted

    call = calls.promote(
        dataset_name=dataset,
        version=version,
        target_stage=stage,
        replace_target=replace_target,
        priority=priority,
        key=idempotency_key,
    )
    with connected(url, as_json=json) as (client, output):
        run_job(client, output, call, detach=detach, show=promoted)


def retire(
    dataset: Dataset,
    version: Version,
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="The stage in which it is to stop serving.")],
    *,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; kept with the deployment.")] = None,
    replace_target: Annotated[
        bool,
        typer.Option(
            "--replace-target", help="Allow a version that predicts another column to serve there afterwards."
        ),
    ] = False,
    url: Url = None,
    json: Json = False,
) -> None:
    """Stop a model from serving in a stage.

    The next lower active version serves there from then on.
    """
    from cli.actions.retiring import retire_model
    from cli.actions.session import connected
    from cli.client import requests as calls
    from cli.render.models import retired

    with connected(url, as_json=json) as (client, output):
        call = calls.retire(version, stage=stage, reason=reason, replace_target=replace_target)
        output.give(retire_model(client, call, dataset, version), retired)


PROMOTE_EXAMPLES = """\b
Examples:
  mlmini promote iris 1 staging
  mlmini promote iris 1 production
"""
RETIRE_EXAMPLES = """\b
Example:
  mlmini retire iris 1 production --reason "worse than the one before"
"""
