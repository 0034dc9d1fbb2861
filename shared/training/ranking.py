"""Ranks models that were trained on the same rows by their main metric."""

from collections.abc import Mapping
from functools import cmp_to_key
from typing import Literal, NamedTuple

from shared.evaluation.assessment import Assessment, Standing
from shared.evaluation.main_metric import is_better
from shared.evaluation.metric_names import MAIN
from shared.training.facts import ModelFacts


class Ranked(NamedTuple):
    """A candidate, by its place in the request, and what is known of its model, its standing too."""

    candidate: int
    facts: ModelFacts


def rank(models: Mapping[int, ModelFacts]) -> list[Ranked]:
    """Models of one task by their candidates, the best first; of equal ones, the one that the request names first.

    They are ranked by the mean over the folds where all have the same number of them, else by the rows kept back.
    """
    task = next(iter(models.values())).signature.task
    metric = MAIN[task]
    on: Literal["folds", "test_rows"] = "folds" if _have_folds(models, metric) else "test_rows"
    scores = {candidate: _score(facts, metric, on_folds=on == "folds") for candidate, facts in models.items()}

    def compare(one: int, other: int) -> int:
        first, second = scores[one], scores[other]
        if first is None or second is None:
            return (first is None) - (second is None)
        return is_better(second, first, task=task) - is_better(first, second, task=task)

    order = sorted(sorted(models), key=cmp_to_key(compare))
    intervals = {candidate: _assessed(facts).intervals.get(metric) for candidate, facts in models.items()}
    ranked = []
    for place, candidate in enumerate(order, start=1):
        standing = Standing(
            rank=place,
            of=len(order),
            metric=metric,
            measured_on=on,
            score=scores[candidate],
            interval=intervals[candidate],
            within_noise=place > 1 and _overlap(intervals[candidate], intervals[order[0]]),
        )
        facts = models[candidate]
        assessment = _assessed(facts).model_copy(update={"standing": standing})
        ranked.append(Ranked(candidate, facts.model_copy(update={"assessment": assessment})))
    return ranked


def _assessed(facts: ModelFacts) -> Assessment:
    return facts.assessment or Assessment()


def _have_folds(models: Mapping[int, ModelFacts], metric: str) -> bool:
    assessments = [_assessed(facts) for facts in models.values()]
    return len({len(each.folds) for each in assessments}) == 1 and all(metric in each.spread for each in assessments)


def _score(facts: ModelFacts, metric: str, *, on_folds: bool) -> float | None:
    return _assessed(facts).spread[metric].mean if on_folds else facts.metrics.get(metric)


def _overlap(one: tuple[float, float] | None, other: tuple[float, float] | None) -> bool | None:
    if one is None or other is None:
        return None
    return one[0] <= other[1] and other[0] <= one[1]
