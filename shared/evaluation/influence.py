"""Which raw columns a model rests on: by shuffling a column, and by setting it to one value after the other.

Permutation importance: L. Breiman, "Random Forests", 2001. Partial dependence: J. Friedman, "Greedy Function
Approximation", 2001. Both are of the raw columns, before any encoding, so that they are what a user knows.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.estimators.signature import Signature, Task
from shared.evaluation.answers import Ask, Predicted
from shared.evaluation.assessment import Importance, PartialDependence
from shared.evaluation.labels import plain_cell
from shared.evaluation.main_metric import losses

SHUFFLES = 5
# More rows make an importance no clearer.
_MOST_ROWS = 2_000
_MOST_ROWS_SET = 300
# Columns whose partial dependence is drawn, and values that each is set to.
MOST_DRAWN = 4
_MOST_VALUES = 20
_MOST_LABELS = 4


class TooSlow(Exception):
    """The model takes longer for its answers than there is time."""


class Patience:
    """How many seconds may be spent on looking at a model."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Give up once the time is over.

        Raises:
            TooSlow: then.
        """
        if time.monotonic() > self._end:
            raise TooSlow


def importance(
    ask: Ask, inputs: pd.DataFrame, target: NDArray[Any], *, task: Task, seed: int, patience: Patience
) -> list[Importance]:
    """By how much each column's shuffles worsen the main metric, the column that matters most first.

    Raises:
        TooSlow: when there is no patience for all columns.
    """
    random = np.random.default_rng(seed)
    if len(inputs) > _MOST_ROWS:
        chosen = np.sort(random.choice(len(inputs), _MOST_ROWS, replace=False))
        inputs, target = inputs.iloc[chosen], target[chosen]
    before = losses(ask(inputs), target, task=task).mean()
    found = []
    for name in inputs.columns:
        patience.check()
        worse = _shuffled_losses(ask, inputs, target, name, task=task, random=random) - before
        found.append(Importance(column=str(name), mean=float(worse.mean()), std=float(worse.std())))
    return sorted(found, key=lambda each: -each.mean)


def partial_dependence(
    ask: Ask, inputs: pd.DataFrame, columns: Sequence[str], signature: Signature, *, seed: int, patience: Patience
) -> list[PartialDependence]:
    """The mean answer when all rows have the same value in a column, for each of these columns.

    Of two labels the probability of the second one, of more those of the most frequent ones. Raises TooSlow like
    `importance`.
    """
    if len(inputs) > _MOST_ROWS_SET:
        inputs = inputs.iloc[np.sort(np.random.default_rng(seed).choice(len(inputs), _MOST_ROWS_SET, replace=False))]
    found: list[PartialDependence] = []
    for name in columns:
        patience.check()
        values = _values_to_set(inputs[name])
        if len(values):
            answers = ask(_with_values(inputs, name, values))
            found += _means(answers, str(name), [_as_told(value, name, signature) for value in values], len(inputs))
    return found


def _shuffled_losses(
    ask: Ask, inputs: pd.DataFrame, target: NDArray[Any], name: Any, *, task: Task, random: np.random.Generator
) -> NDArray[np.float64]:
    """The mean loss of each shuffle. All shuffles are asked for at once, which costs less than one by one."""
    places = np.concatenate([random.permutation(len(inputs)) for _ in range(SHUFFLES)])
    shuffled = pd.concat([inputs] * SHUFFLES, ignore_index=True)
    shuffled[name] = inputs[name].to_numpy()[places]
    each = losses(ask(shuffled), np.tile(target, SHUFFLES), task=task)
    means: NDArray[np.float64] = each.reshape(SHUFFLES, len(inputs)).mean(axis=1)
    return means


def _values_to_set(column: "pd.Series[Any]") -> list[Any]:
    """The most frequent words, or numbers at equal steps of rank without the outermost ones."""
    present = column.dropna()
    counts = present.value_counts()
    if column.dtype == object:
        return counts.index[:_MOST_VALUES].tolist()
    if len(counts) <= _MOST_VALUES:
        return sorted(counts.index.tolist())
    ranks = np.linspace(0.02, 0.98, _MOST_VALUES)
    return sorted(set(present.quantile(ranks, interpolation="nearest").tolist()))


def _with_values(inputs: pd.DataFrame, name: str, values: Sequence[Any]) -> pd.DataFrame:
    repeated = pd.concat([inputs] * len(values), ignore_index=True)
    repeated[name] = pd.Series(values, dtype=inputs[name].dtype).repeat(len(inputs)).to_numpy()
    return repeated


def _means(answers: Predicted, column: str, values: list[Any], rows: int) -> Iterator[PartialDependence]:
    if answers.classes is None:
        means = answers.labels.reshape(len(values), rows).mean(axis=1)
        if np.isfinite(means).all():
            yield PartialDependence(column=column, values=values, means=means.tolist())
        return
    if answers.probabilities is None:
        return
    means = answers.probabilities.reshape(len(values), rows, -1).mean(axis=1)
    places = [1] if len(answers.classes) == 2 else np.argsort(-means.mean(axis=0), kind="stable")[:_MOST_LABELS]
    for at in sorted(places):
        label = plain_cell(answers.classes[at])
        yield PartialDependence(column=column, label=label, values=values, means=means[:, at].round(6).tolist())


def _as_told(value: Any, name: str, signature: Signature) -> Any:
    """A value as the table has it: moments are days in the inputs, and booleans numbers."""
    kind = next(column.kind for column in signature.inputs if column.name == name)
    if kind == "datetime":
        return pd.Timestamp(value, unit="D").isoformat(timespec="seconds")
    return bool(value) if kind == "boolean" else plain_cell(value)
