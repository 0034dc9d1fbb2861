"""What is told about a training, beside its metrics: rows, columns, classes and a baseline."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from shared.estimators.signature import Task
from shared.evaluation.labels import coded, plain
from shared.evaluation.measuring import Evaluation, evaluate_baseline
from shared.evaluation.targets import Targets
from shared.training.inner_parts import parts_without_regard
from shared.training.metric_notes import FEW_ROWS, few_rows, no_better_than_baseline, perfect_score, rare_classes
from shared.training.preparing import Prepared
from shared.training.spec import TrainingSpec
from shared.training.split import Split

_MOST_CLASSES = 100


def report_of(ready: Prepared, measured: Evaluation) -> dict[str, Any]:
    """The report as JSON, of a training whose rows to measure on were measured so."""
    spec, task, column = ready.spec, ready.task, ready.column
    learnt, test = ready.learnt, ready.target[ready.split.test]
    baseline = evaluate_baseline(learnt, test, task=task)
    notes = [*ready.found, *([ready.split.note] if ready.split.note else [])]
    if count := column.not_finite:
        notes.append(f"The target is infinite or too large in {count} rows: they count as rows without a target.")
    if count := column.rounded:
        notes.append(f"The target is rounded in {count} rows, so values may have become equal.")
    if spec.sample_weight is not None:
        notes.append(f"'{spec.sample_weight}' says how much each row counts in the fit; metrics count each row once.")
    notes += parts_without_regard(spec, spec.model.tree(), ready.plan, rows=learnt.count)
    notes += [*few_rows(len(test)), *measured.notes, *perfect_score(task, measured.metrics)]
    notes += no_better_than_baseline(task, measured.metrics, baseline["metrics"])
    notes += _rare_classes(learnt.values, test, task)
    report = {
        "task": task,
        "rows": {
            "total": ready.total,
            "without_target": ready.without_target,
            "training": learnt.count,
            "test": len(test),
        },
        "split": _of_split(spec, ready.split),
        "columns": [treatment.model_dump(mode="json") for treatment in ready.plan.treatments],
        "baseline": baseline,
        "notes": [*notes, *ready.ordered],
    }
    return report | ({"classes": _class_counts(learnt, test)} if task == "classification" else {})


def _of_split(spec: TrainingSpec, split: Split) -> dict[str, Any]:
    chosen = {"method": spec.split.method, "by": spec.split.by, "test_size": spec.test_size}
    return chosen | {"random_state": spec.random_state, "stratified": split.stratified}


def _rare_classes(training: NDArray[Any], test: NDArray[Any], task: Task) -> Iterable[str]:
    # Of so few rows, every class has few.
    told = task == "classification" and len(test) >= FEW_ROWS
    return rare_classes(test, coded(training)[0]) if told else []


def _class_counts(learnt: Targets, test: NDArray[Any]) -> list[dict[str, Any]]:
    """Rows of each class in both parts, the most frequent first; at most a hundred classes."""
    fitted, measured = _counts(learnt), _counts(Targets(test))
    counts = [
        {"label": plain(label), "training": int(fitted.get(label, 0)), "test": int(measured.get(label, 0))}
        for label in fitted.index.union(measured.index)
    ]
    return sorted(counts, key=lambda count: -count["training"])[:_MOST_CLASSES]


def _counts(targets: Targets) -> "pd.Series[int]":
    if targets.rows is None:
        return pd.Series(targets.values).value_counts()
    return pd.Series(targets.rows, index=targets.values)
