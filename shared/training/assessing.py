"""All that is told of a fitted model beside its metrics, put together."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from shared.compiled.model import CompiledModel
from shared.errors import FitFailed
from shared.evaluation import by_class, influence, residuals, rows
from shared.evaluation.answers import Ask, Predicted, asking
from shared.evaluation.assessment import Assessment, Importance, PartialDependence
from shared.evaluation.costs import Costs
from shared.evaluation.finite import only_finite
from shared.evaluation.folds import spread_of
from shared.evaluation.influence import Patience, TooSlow
from shared.evaluation.metric_names import MAIN
from shared.evaluation.resampling import MOST_ROWS, intervals
from shared.training.fitting import errors_of_fit
from shared.training.model_fit import Fit
from shared.training.preparing import Prepared
from shared.training.time_left import TimeLeft
from shared.training.validating import Validation

# What may be spent on asking the model again and again.
_MOST_SECONDS = 30.0
# Columns by whose values the metrics are told apart, and whose values are shown for the rows that are most wrong.
_MOST_SLICED = 3
_MOST_SHOWN = 6
_TIMED_ROWS = 5

Part = TypeVar("Part")


def assess(
    ready: Prepared,
    fit: Fit,
    *,
    tested: Predicted,
    compiled: CompiledModel | None,
    validation: Validation,
    time_left: TimeLeft,
) -> Assessment:
    """`tested` is what the model says of the rows that were kept back, `compiled` its compiled form, if any."""
    test, seed = ready.split.test, ready.spec.random_state
    target, classifies = ready.target[test], ready.task == "classification"
    ask = asking(fit.model, compiled)
    notes = list(validation.notes)
    importances = _importances(ready, ask, time_left, notes)
    telling = [each.column for each in importances]
    raw = ready.kept_back
    assessment = Assessment(
        main_metric=MAIN[ready.task],
        intervals=intervals(tested, target, task=ready.task, seed=seed),
        folds=validation.folds,
        spread=spread_of(validation.folds),
        confusion_matrix=by_class.confusion_matrix(tested, target) if classifies else None,
        per_class=by_class.per_class(tested, target) if classifies else [],
        curves=by_class.curves(tested, target) if classifies else None,
        residuals=None if classifies else residuals.residuals(tested, target, seed=seed),
        importance=importances,
        partial_dependence=_dependence(ready, ask, telling, time_left, notes),
        slices=rows.slices(raw, telling[:_MOST_SLICED], tested, target, task=ready.task),
        worst_rows=rows.worst_rows(raw, telling[:_MOST_SHOWN], tested, target, positions=raw.index.to_numpy()),
        uncertainty=validation.promise,
        costs=_costs(ready, fit, ask, compiled),
        notes=[*notes, *_of_many_rows(len(target))],
    )
    return only_finite(assessment)


def _importances(ready: Prepared, ask: Ask, time_left: TimeLeft, notes: list[str]) -> list[Importance]:
    test = ready.split.test

    def found() -> list[Importance]:
        return influence.importance(
            ask,
            ready.data.iloc[test],
            ready.target[test],
            task=ready.task,
            seed=ready.spec.random_state,
            patience=Patience(time_left.spare(_MOST_SECONDS)),
        )

    return _if_it_answers(ready, found, "importance of columns", notes)


def _dependence(
    ready: Prepared, ask: Ask, telling: Sequence[str], time_left: TimeLeft, notes: list[str]
) -> list[PartialDependence]:
    def found() -> list[PartialDependence]:
        return influence.partial_dependence(
            ask,
            ready.data.iloc[ready.split.test],
            _drawable(ready, telling)[: influence.MOST_DRAWN],
            ready.signature,
            seed=ready.spec.random_state,
            patience=Patience(time_left.spare(_MOST_SECONDS)),
        )

    return _if_it_answers(ready, found, "partial dependence", notes)


def _if_it_answers(ready: Prepared, find: Callable[[], list[Part]], what: str, notes: list[str]) -> list[Part]:
    """What is found by asking about rows that the table does not have, or nothing and a note."""
    try:
        with errors_of_fit(ready.estimator):
            return find()
    except TooSlow:
        notes.append(f"No {what}: the model takes too long for so many questions.")
    except MemoryError:
        notes.append(f"No {what}: it would need more memory than the job may take.")
    except FitFailed:
        notes.append(f"No {what}: the model does not answer for some combinations of values.")
    return []


def _drawable(ready: Prepared, columns: Sequence[str]) -> list[str]:
    """All but texts, each of which is another one."""
    texts = {column.name for column in ready.signature.inputs if column.kind == "text"}
    return [name for name in columns if name not in texts]


def _costs(ready: Prepared, fit: Fit, ask: Ask, compiled: CompiledModel | None) -> Costs:
    seconds = []
    for at in ready.split.test[:_TIMED_ROWS]:
        row = ready.data.iloc[[at]]
        started = time.perf_counter()
        ask(row)
        seconds.append(time.perf_counter() - started)
    return Costs(
        fit_seconds=round(fit.seconds, 6), row_seconds=sorted(seconds)[len(seconds) // 2], compiled=compiled is not None
    )


def _of_many_rows(count: int) -> list[str]:
    if count <= MOST_ROWS:
        return []
    return [f"The intervals come from {MOST_ROWS:,} of {count:,} test rows, and are made as narrow as for all of them."]
