"""What is told of a search: the candidates by their rank, and what the choice is worth."""

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from shared.evaluation.folds import Parts
from shared.evaluation.metric_names import rises
from shared.evaluation.searched import Candidate, Search
from shared.training.search.bench import Tried
from shared.training.search.methods import FACTOR
from shared.training.spec import SearchChoice

MOST_LISTED = 100
_MOST_FAILED = 20
_LONGEST = 200
# Two parameters are told apart where chance alone would make such a difference once in twenty times.
_CERTAINTY = 0.95


def report_of_search(
    choice: SearchChoice,
    ranked: Sequence[Tried],
    tried: Mapping[int, Tried],
    defaults: Tried | None,
    *,
    parts: Parts,
    seconds: float,
    stopped: bool,
) -> Search:
    """`ranked` are those of `tried` that did not fail, the best first."""
    best, failed = ranked[0], [each for each in tried.values() if each.failure is not None]
    listed_failed = failed[:_MOST_FAILED]
    listed = [_candidate(each, rank) for rank, each in enumerate(ranked[: MOST_LISTED - len(listed_failed)], start=1)]
    candidates = [*listed, *(_candidate(each, None) for each in listed_failed)]
    return Search(
        method=choice.method,
        metric=choice.metric or "",
        folds=len(parts),
        trials_asked=choice.trials or 0,
        trials_done=len(tried),
        trials_failed=len(failed),
        seconds=round(seconds, 3),
        time_limit=choice.time_limit,
        stopped=stopped,
        space=choice.space or {},
        chosen=dict(best.values),
        score=best.mean,
        defaults=None if defaults is None else _candidate(defaults, None),
        within_noise=None if defaults is None else _within_noise(best, defaults, parts),
        candidates=candidates,
        left_out=len(tried) - len(candidates),
        scores=[tried[number].mean if tried[number].failure is None else None for number in sorted(tried)],
    )


def notes_of_search(search: Search, *, allowed: float) -> list[str]:
    """What makes the choice doubtful, in sentences."""
    notes = []
    if search.stopped:
        whose = "'search.time_limit'" if allowed == search.time_limit else "share of the time of the job"
        notes.append(
            f"The search ended after {search.seconds:,.1f} s, its {whose}, with {search.trials_done:,} of "
            f"{search.trials_asked:,} trials done: the best of these was taken."
        )
    elif search.trials_done < search.trials_asked:
        notes.append(f"The search tried all {search.trials_done:,} candidates that its space has.")
    if search.trials_failed:
        notes.append(
            f"{search.trials_failed:,} of {search.trials_done:,} candidates of the search could not be fitted."
        )
    if _all_on_all_rows(search):
        notes.append("The rows to learn from are too few for halving: each candidate was fitted to all of them.")
    if (better := _of_better_defaults(search)) is not None:
        notes.append(better)
    elif search.within_noise:
        notes.append(
            f"The parameters that the search chose are not told apart from those of the request: on {search.folds} "
            f"folds, what they gain in {search.metric} may be chance."
        )
    return notes


def _all_on_all_rows(search: Search) -> bool:
    enough = search.method == "halving" and not search.stopped and search.trials_done >= FACTOR
    return enough and len({each.rows for each in search.candidates if each.rank}) == 1


def _of_better_defaults(search: Search) -> str | None:
    mean = None if search.defaults is None or search.within_noise is None else search.defaults.mean
    if mean is None or (mean <= search.score if rises(search.metric) else mean >= search.score):
        return None
    return (
        f"No candidate of the search does better than the parameters of the request: {search.metric} is "
        f"{search.score:.4g} with the best one, and {mean:.4g} with these. Train without 'search' to keep them."
    )


def told(tried: Tried, metric: str) -> str:
    """A candidate and its score in one line."""
    values = ", ".join(f"{name}={json.dumps(value)}" for name, value in tried.values.items())
    shown = values if len(values) <= _LONGEST else f"{values[:_LONGEST]}…"
    return f"{metric} {tried.mean:.4g} ± {np.std(tried.scores):.2g} with {shown}"


def _candidate(tried: Tried, rank: int | None) -> Candidate:
    sound = tried.failure is None
    return Candidate(
        trial=tried.number,
        rank=rank,
        params=dict(tried.values),
        mean=tried.mean if sound else None,
        std=float(np.std(tried.scores)) if sound else None,
        rows=tried.rows,
        seconds=round(tried.seconds, 3),
        failure=tried.failure,
    )


def _within_noise(best: Tried, defaults: Tried, parts: Parts) -> bool | None:
    """Whether the difference of both, fold by fold, is smaller than its own error.

    The error is that of Nadeau and Bengio, "Inference for the Generalization Error" (2003): models of folds share most
    of their rows, so that their scores vary less than those of models of other rows would.
    """
    if defaults.failure is not None or best.share != defaults.share:
        return None
    differences = np.subtract(best.scores, defaults.scores)
    count = len(differences)
    shares = [len(measured) / len(fitted) for fitted, measured in parts]
    error = math.sqrt(float(np.var(differences, ddof=1)) * (1 / count + float(np.mean(shares))))
    certain = float(stats.t.ppf((1 + _CERTAINTY) / 2, count - 1))
    return bool(abs(float(np.mean(differences))) <= certain * error)
