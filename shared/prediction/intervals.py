"""The intervals of predictions: `[low, high]` for a number, a list of labels for a class."""

import json
from typing import Any, NamedTuple

import numpy as np

from shared.errors import NoIntervals
from shared.estimators.intervals import bounds, sets
from shared.estimators.signature import Signature, Uncertainty


class Intervals(NamedTuple):
    """One interval per row; and the rows whose interval says nothing, as one of its numbers is not finite."""

    values: list[list[Any]]
    not_finite: list[int]


def check_intervals(signature: Signature, *, version: int, gives_probabilities: bool = True) -> None:
    """Make sure that a model promises intervals.

    Raises:
        NoIntervals: when it does not.
    """
    if signature.uncertainty is not None and (signature.task == "regression" or gives_probabilities):
        return
    raise NoIntervals(
        f"Version {version} has no intervals: its training promised nothing about how far its answers may be off. If "
        f"it is of an older release, train it again; if not, a note in GET /models/{version}/report says why. "
        "Leave 'interval' out to get the predictions alone.",
        errors=[{"loc": ["body", "return"], "msg": "has no intervals"}],
    )


def intervals_of(signature: Signature, predictions: Any, probabilities: Any) -> Intervals:
    """The intervals of a model that promises them, for numbers, or for labels with their probabilities."""
    margin = _promised(signature).margin
    if signature.task == "regression":
        numbers = np.asarray(predictions)
        ends = bounds(numbers[:, 0] if numbers.ndim == 2 else numbers, margin)
        return Intervals(ends.tolist(), np.flatnonzero(~np.isfinite(ends).all(axis=1)).tolist())
    shares, labels = np.asarray(probabilities, dtype=np.float64), signature.classes or []
    chosen = sets(shares, margin).tolist()
    values = [[label for label, inside in zip(labels, row, strict=True) if inside] for row in chosen]
    return Intervals(values, np.flatnonzero(~np.isfinite(shares).all(axis=1)).tolist())


def interval_cells(signature: Signature, interval: list[Any] | None) -> list[Any]:
    """The cells of one interval in text: both ends, or the labels as a list in JSON; None where there is none.

    A label may hold whatever character stands between two of them, and JSON says where it ends.
    """
    if signature.task == "regression":
        return interval or [None, None]
    return [None if interval is None else json.dumps(interval, ensure_ascii=False, separators=(",", ":"))]


def _promised(signature: Signature) -> Uncertainty:
    assert signature.uncertainty is not None, "callers have checked that it promises"  # noqa: S101 - an invariant
    return signature.uncertainty
