"""The search for the parameters of a model, before it is fitted to all rows to learn from."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.errors import FitFailed, SearchTooShort
from shared.evaluation.metric_names import rises
from shared.evaluation.searched import Search
from shared.training.checks.search import problems_of_optuna
from shared.training.cluster.joining import joined_cluster
from shared.training.narration import Say
from shared.training.preparing import Prepared, prepare
from shared.training.search.bench import Bench, Candidates, OutOfTime, Source, Tried
from shared.training.search.drawing import drawn, whole_grid
from shared.training.search.learning import try_learning
from shared.training.search.methods import best_first, halve, rounds_of, try_all
from shared.training.search.parting import in_fair_order, parts_of
from shared.training.search.settling import read_space
from shared.training.search.side_by_side import Measuring, SideBySide
from shared.training.search.space import size_of
from shared.training.search.telling import notes_of_search, report_of_search, told
from shared.training.spec import SearchChoice

# What is left of the time of the job when the search ends: the model is fitted and measured then.
_SHARE_OF_JOB = 0.8

OnTrial = Callable[[int, int], None]


@dataclass(frozen=True)
class FoundParameters:
    """The model with the parameters of the best candidate, ready to be fitted, and what is told of the search."""

    ready: Prepared
    search: Search
    notes: list[str]


def find_parameters(
    ready: Prepared, source: Source, *, usual_folds: int, seconds: float, on_trial: OnTrial, say: Say
) -> FoundParameters:
    """Search as the specification says; `seconds` is how long the whole training may take.

    `on_trial` hears which measurement begins, of how many.

    Raises:
        InvalidSplit: when the rows to fit cannot be parted into folds.
        SearchTooShort: when the time is over before a candidate is measured.
        FitFailed: when no candidate can be fitted.
        LibraryNotInstalled: when Optuna is asked for and not installed here.
    """
    choice = ready.spec.search
    assert choice is not None and choice.metric is not None  # noqa: S101, PT018 - it was filled in when it was accepted
    if choice.method == "optuna":
        for missing in problems_of_optuna(where="with the worker that ran this job"):
            raise missing
    parts = parts_of(ready, usual=usual_folds)
    if choice.method == "halving":
        parts = in_fair_order(parts, ready)
    allowed = min(choice.time_limit or math.inf, seconds * _SHARE_OF_JOB)
    bench = Bench(ready, source, parts, choice.metric, end=time.monotonic() + allowed)
    cluster = joined_cluster()
    measuring = bench.measure_all if cluster is None else SideBySide(bench, cluster).measure_all
    return _Search(bench, choice, measuring, on_trial, say, allowed).run()


@dataclass
class _Search:
    bench: Bench
    choice: SearchChoice
    measuring: Measuring
    on_trial: OnTrial
    say: Say
    allowed: float
    began_at: float = field(default_factory=time.monotonic)
    expected: int = 0
    measured: int = 0
    # By their numbers, each as it was measured last; 0 is the request's own parameters.
    tried: dict[int, Tried] = field(default_factory=dict)
    best: Tried | None = None

    def run(self) -> FoundParameters:
        stopped = False
        try:
            self._try()
        except OutOfTime:
            stopped = True
        defaults = self.tried.pop(0, None)
        seconds = time.monotonic() - self.began_at
        ranked = best_first(list(self.tried.values()), rises=self._rises)
        if not ranked:
            raise self._nothing(defaults, seconds)
        search = report_of_search(
            self.choice, ranked, self.tried, defaults, parts=self.bench.parts, seconds=seconds, stopped=stopped
        )
        notes = notes_of_search(search, allowed=self.allowed)
        self.say(f"best of {search.trials_done}: {told(ranked[0], self.bench.metric)}")
        for note in notes:
            self.say(note)
        source, spec = self.bench.source, self.bench.ready_for(ranked[0].values).spec
        return FoundParameters(prepare(spec, source.table, source.columns, source.findings), search, notes)

    @property
    def _rises(self) -> bool:
        return rises(self.bench.metric)

    def _try(self) -> None:
        choice, ready = self.choice, self.bench.ready
        space = read_space(choice.space or {}, ready.spec.model)
        trials, seed = choice.trials or 0, ready.spec.random_state
        if choice.method == "optuna":
            size = size_of(space)
            self._begin(trials if size is None else min(trials, size))
            try_learning(space, trials, self._measure, rises=self._rises, seed=seed)
            return
        candidates = whole_grid(space) if choice.method == "grid" else drawn(space, trials, seed=seed)
        if choice.method == "halving":
            classes = len(ready.signature.classes or [])
            rounds = rounds_of(len(candidates), self.bench.rows_of(1.0), classes)
            self._begin(sum(count for count, _ in rounds))
            halve(candidates, rounds, self._measure, rises=self._rises)
        else:
            self._begin(len(candidates))
            try_all(candidates, self._measure)

    def _begin(self, expected: int) -> None:
        """The parameters of the request come first, so that the others can be held against them."""
        self.expected = expected
        self.say(f"searching by {self.choice.method}: {expected} fits on {len(self.bench.parts)} folds each")
        self.on_trial(1, expected)
        (self.tried[0],) = self.measuring([(0, {})], share=1.0)

    def _measure(self, candidates: Candidates, *, share: float = 1.0) -> list[Tried]:
        self.on_trial(self.measured + 1, self.expected)
        measured = []
        for tried in self.measuring(candidates, share=share):
            self.measured += 1
            measured.append(self._remembered(tried))
            if len(measured) < len(candidates):
                self.on_trial(self.measured + 1, self.expected)
        return measured

    def _remembered(self, tried: Tried) -> Tried:
        number = tried.number
        self.tried[number] = tried
        if tried.failure is not None:
            self.say(f"trial {number} failed: {tried.failure}")
        elif self.best is None or best_first([self.best, tried], rises=self._rises)[0] is tried:
            self.best = tried
            self.say(f"trial {number}: {told(tried, self.bench.metric)}")
        return tried

    def _nothing(self, defaults: Tried | None, seconds: float) -> FitFailed | SearchTooShort:
        """Why there is no candidate to choose."""
        if self.tried:
            first = next(iter(self.tried.values()))
            many = f"None of the {len(self.tried)} candidates of the search could be fitted. The first: "
            return FitFailed(f"{many if len(self.tried) > 1 else ''}{first.failure}")
        took = "" if defaults is None else f" The parameters of the request alone took {defaults.seconds:.1f} s."
        whose = "its 'search.time_limit'" if self.allowed == self.choice.time_limit else "its share of the job's time"
        return SearchTooShort(
            f"The search ended after {seconds:.1f} s, before one trial was done: {whose} is {self.allowed:.3g} s.{took}"
            " Allow more, or make a trial faster: fewer 'split.folds', fewer rows, or the method 'halving'."
        )
