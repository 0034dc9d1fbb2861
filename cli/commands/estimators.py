"""The verb that tells what can be trained."""

from typing import Annotated

import typer

from cli.commands.options import Json, Url

EXAMPLES = """\b
Examples:
  mlmini estimators
  mlmini estimators --task regression --module ensemble
  mlmini estimators ensemble.RandomForestClassifier
"""


def estimators(
    estimator: Annotated[
        str | None, typer.Argument(metavar="[MODULE.CLASS]", help="The one to describe; all are listed without it.")
    ] = None,
    *,
    task: Annotated[
        str | None, typer.Option(metavar="TASK", help="Only those for classification, or for regression.")
    ] = None,
    module: Annotated[
        str | None, typer.Option(metavar="MODULE", help="Only those of a module of scikit-learn.")
    ] = None,
    url: Url = None,
    json: Json = False,
) -> None:
    """List the estimators that can be trained, or describe one.

    The description has each parameter with its default and what it may be.
    """
    from cli.actions.estimators import estimator_call
    from cli.actions.listing import EVERYTHING, give_list
    from cli.actions.session import connected
    from cli.render.estimators import estimator_details, estimator_list

    with connected(url, as_json=json) as (client, output):
        if estimator is None:
            give_list(client, output, "/estimators", estimator_list, most=EVERYTHING, task=task, module=module)
        else:
            output.give(client.get(estimator_call(estimator)), estimator_details)
