"""Measures candidates of a search: each is fitted to folds of the training rows and measured on the rest of them."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.errors import FitFailed, Invalid
from shared.estimators.signature import Task
from shared.evaluation.folds import Parts, out_of_fold
from shared.evaluation.metric_names import METRICS
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.training.checks.training import check
from shared.training.fitting import errors_of_fit
from shared.training.model_fit import fit_silently
from shared.training.plan import plan_of
from shared.training.preparing import Prepared, prepare
from shared.training.search.placing import with_values

_LARGER_UNIT = "Give the target in a larger unit."
_NO_MEMORY = "It needs more memory than the job may take."


# Candidates with their numbers.
Candidates = Sequence[tuple[int, Mapping[str, Any]]]


class OutOfTime(Exception):
    """The time of the search is over; the candidate that was measured is dropped."""


@dataclass(frozen=True)
class Tried:
    """A candidate with its metric on each fold, or why it failed; `share` is that of the rows that it was fitted to."""

    number: int
    values: Mapping[str, Any]
    scores: Sequence[float]
    share: float
    rows: int
    seconds: float
    failure: str | None = None

    @property
    def mean(self) -> float:
        """The mean over the folds."""
        return float(np.mean(self.scores))


class OfFold(NamedTuple):
    """What one fold says of a candidate, or why it says nothing."""

    score: float | None
    seconds: float
    failure: str | None


@dataclass(frozen=True)
class Source:
    """The table that a search is on, as `prepare` takes it."""

    table: pd.DataFrame
    columns: list[Column]
    findings: Sequence[Finding]


@dataclass(frozen=True)
class Bench:
    """The folds that all candidates are measured on, as positions among the training rows, and until when.

    The rows to fit of each fold are in an order of which each beginning is a fair sample.
    """

    ready: Prepared
    source: Source
    parts: Parts
    metric: str
    end: float

    def measure(self, number: int, values: Mapping[str, Any], *, share: float = 1.0) -> Tried:
        """The candidate with its scores, fitted to a `share` of the rows of each fold, or with what kept it from them.

        Raises:
            OutOfTime: when the end comes before it is done.
        """
        started = time.monotonic()
        scores: list[float] = []
        failures: list[str] = []
        with _kept(failures):
            ready = self.ready_for(values)
            for part in self.parts:
                if time.monotonic() >= self.end:
                    raise OutOfTime
                scores.append(self._score(ready, part, share))
        seconds = time.monotonic() - started
        return self._tried(number, values, share=share, scores=scores, failures=failures, seconds=seconds)

    def measure_all(self, candidates: Candidates, *, share: float = 1.0) -> Iterator[Tried]:
        """Each of them in turn.

        Raises:
            OutOfTime: as `measure`.
        """
        for number, values in candidates:
            yield self.measure(number, values, share=share)

    def measure_fold(self, values: Mapping[str, Any], fold: int, share: float) -> OfFold:
        """The same for one fold only."""
        started, score, failures = time.monotonic(), None, list[str]()
        with _kept(failures):
            score = self._score(self.ready_for(values), self.parts[fold], share)
        return OfFold(score, time.monotonic() - started, next(iter(failures), None))

    def together(self, number: int, values: Mapping[str, Any], share: float, folds: Sequence[OfFold]) -> Tried:
        """The candidate of whose folds that was said; its time is that of all of them."""
        scores = [fold.score for fold in folds if fold.score is not None]
        failures = [fold.failure for fold in folds if fold.failure is not None]
        seconds = math.fsum(fold.seconds for fold in folds)
        return self._tried(number, values, share=share, scores=scores, failures=failures, seconds=seconds)

    def _tried(
        self,
        number: int,
        values: Mapping[str, Any],
        *,
        share: float,
        scores: Sequence[float],
        failures: Sequence[str],
        seconds: float,
    ) -> Tried:
        failure = next(iter(failures), None)
        if failure is None and not math.isfinite(math.fsum(scores)):
            failure = f"The sum of {self.metric} over the folds is beyond all numbers. {_LARGER_UNIT}"
        return Tried(number, values, [] if failure else scores, share, self.rows_of(share), seconds, failure)

    def rows_of(self, share: float) -> int:
        """To how many rows a candidate is fitted at most."""
        return max(math.ceil(share * len(fitted)) for fitted, _ in self.parts)

    def ready_for(self, values: Mapping[str, Any]) -> Prepared:
        """What a candidate is fitted to and measured on; the same for all, but for what its parameters decide.

        Raises:
            Invalid: when its parameters do not go together, or not with the table.
        """
        table, columns, findings = self.source.table, self.source.columns, self.source.findings
        model = with_values(self.ready.spec.model, values)
        spec = self.ready.spec.model_copy(update={"model": model, "search": None})
        check(spec, columns=columns, rows=len(table), findings=findings)
        estimator = spec.model.estimator()
        plan = plan_of(spec, estimator, columns=columns, rows=len(table), findings=findings)
        if plan != self.ready.plan:
            return prepare(spec, table, columns, findings)
        return replace(self.ready, spec=spec, estimator=estimator)

    def _score(self, ready: Prepared, part: tuple[NDArray[np.intp], NDArray[np.intp]], share: float) -> float:
        fitted, measured = part
        train, task = ready.split.train, ready.task
        with errors_of_fit(ready.estimator, of_libraries=bool(ready.spec.model.tree().libraries())):
            found = out_of_fold(
                lambda rows: fit_silently(ready, train[rows]),
                ready.data.iloc[train],
                ready.target[train],
                [(fitted[: math.ceil(share * len(fitted))], measured)],
                task=task,
                told=lambda _done: None,
            )
        score = found.folds[0].metrics.get(self.metric)
        if score is None:
            said = f"{self.metric} is not defined for what it says of a fold."
            raise FitFailed(f"{said} {_way_out(task, found.folds[0].metrics)}".rstrip())
        return score


@contextmanager
def _kept(failures: list[str]) -> Iterator[None]:
    """Keep what is wrong with a candidate: the others may be sound."""
    try:
        yield
    except (FitFailed, Invalid) as error:
        failures.append(error.detail)
    except MemoryError:
        failures.append(_NO_MEMORY)


def _way_out(task: Task, defined: Mapping[str, float]) -> str:
    """What to search by instead; the squares of amounts are beyond all numbers long before the amounts are."""
    others = [name for name in METRICS[task] if name in defined]
    ways = [f"Search by another metric: {', '.join(others)}."] if others else []
    if task == "regression" and "rmse" not in defined:
        ways.append(_LARGER_UNIT)
    return " ".join(ways)


def fair_order(target: NDArray[Any], *, classes: bool, seed: int) -> NDArray[np.intp]:
    """An order of rows by chance in which each beginning has about the share of each class that all rows have."""
    chance = np.random.default_rng(seed).permutation(len(target))
    if not classes:
        return chance
    _, codes = np.unique(target[chance], return_inverse=True)
    ranks = np.empty(len(target))
    for code in range(codes.max() + 1):
        of_class = np.flatnonzero(codes == code)
        ranks[of_class] = (np.arange(len(of_class)) + 0.5) / len(of_class)
    found: NDArray[np.intp] = chance[np.argsort(ranks, kind="stable")]
    return found
