"""Measures the candidates of a search on a cluster: each fold of each candidate is a task of its own."""

import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from shared.training.cluster.cluster import Cluster
from shared.training.search.bench import Bench, Candidates, OfFold, OutOfTime, Tried


class Measuring(Protocol):
    """Measures candidates and tells of each in their order, be it that they are measured side by side."""

    def __call__(self, candidates: Candidates, *, share: float) -> Iterator[Tried]:
        """Raises OutOfTime when the time is over."""


@dataclass(frozen=True)
class SideBySide:
    """The bench, here and on the workers of the cluster; the same numbers come from both."""

    bench: Bench
    cluster: Cluster
    there: Any = field(init=False)

    def __post_init__(self) -> None:
        """The table goes to the workers once, for all candidates. Their clocks are others, so the end is seen here."""
        object.__setattr__(self, "there", self.cluster.place(replace(self.bench, end=math.inf)))

    def measure_all(self, candidates: Candidates, *, share: float) -> Iterator[Tried]:
        """Each of them, in their order; of those that the end cuts off, none.

        Raises:
            OutOfTime: when some were cut off.
            DaskUnreachable: when the cluster is lost.
        """
        folds = range(len(self.bench.parts))
        sent = [
            [self.cluster.submit(Bench.measure_fold, self.there, values, fold, share) for fold in folds]
            for _, values in candidates
        ]
        cut_off = False
        try:
            for (number, values), promises in zip(candidates, sent, strict=True):
                if self._in_time(promises):
                    yield self.bench.together(number, values, share, [promise.result() for promise in promises])
                else:
                    cut_off = True
        finally:
            self.cluster.cancel([promise for promises in sent for promise in promises])
        if cut_off:
            raise OutOfTime

    def _in_time(self, promises: Sequence[Future[OfFold]]) -> bool:
        left = None if self.bench.end == math.inf else max(0.0, self.bench.end - time.monotonic())
        return not wait(promises, timeout=left).not_done
