"""The threshold of a training as it is written at a command line."""

from typing import Any

from cli.client.errors import WrongUsage

_COST = "cost:"
_FORM = "--threshold is a number such as 0.3, a metric such as f1, or costs such as cost:1,5"


def read_threshold(text: str | None, positive: str | None) -> dict[str, Any] | None:
    """What a request has of it: a number, a metric, or the costs of a false positive and of a false negative.

    Raises:
        WrongUsage: when it is not of that form, or there is a label without it.
    """
    if text is None:
        if positive is not None:
            raise WrongUsage("--positive is the label that --threshold is for. Give both, or none of them.")
        return None
    label = {} if positive is None else {"positive": positive}
    if text.startswith(_COST):
        costs = [_number(each) for each in text.removeprefix(_COST).split(",")]
        if len(costs) != 2 or None in costs:
            raise WrongUsage(f"{_FORM}, of a false positive and of a false negative; not '{text}'.")
        return {"cost": dict(zip(("false_positive", "false_negative"), costs, strict=True)), **label}
    number = _number(text)
    return ({"metric": text} if number is None else {"value": number}) | label


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
