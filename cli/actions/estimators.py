"""Estimators by the name that a user gives: module and class in one word."""

from cli.client import requests as calls
from cli.client.errors import WrongUsage
from cli.client.request import Call


def split_name(text: str) -> tuple[str, str]:
    """Module and class of `ensemble.RandomForestClassifier`.

    Raises:
        WrongUsage: when the text is not of that form.
    """
    module, _, name = text.rpartition(".")
    if not (module and name):
        raise WrongUsage(
            f"An estimator is MODULE.CLASS, such as ensemble.RandomForestClassifier, and not '{text}'. "
            "`mlmini estimators` lists them."
        )
    return module, name


def estimator_call(text: str) -> Call:
    """The call that describes an estimator.

    Raises:
        WrongUsage: as `split_name`.
    """
    module, name = split_name(text)
    return calls.estimator(module, name)
