"""What is wrong with settings, in sentences that name their variables and quote no secret."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.wording import reworded


def problems_of(error: ValidationError, prefix: str) -> list[str]:
    """A sentence for each wrong value; `prefix` is that of the variables."""
    # A default that depends on a wrong value is skipped: the wrong value has its own line.
    told = [problem for problem in error.errors() if problem["type"] != "default_factory_not_called"]
    sentences = (
        f"{prefix}{str(problem['loc'][0]).upper()}: {_said(problem)}" if problem["loc"] else _said(problem)
        for problem in told
    )
    # Each part of a list has its own problem, with the same words.
    return list(dict.fromkeys(sentences))


def _said(problem: ErrorDetails) -> str:
    # What was given is not shown: it may be a secret that went into the wrong variable.
    if problem["type"] == "bool_parsing":
        return "It must be 1 or 0"
    return reworded(problem["type"], problem["msg"])
