"""What is told about a training, beside its metrics: rows, columns, classes and a baseline."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.estimators.signature import Task
from shared.evaluation.labels import plain
from shared.evaluation.measuring import Evaluation, evaluate_baseline
from shared.tables.columns import Column
from shared.training.metric_notes import FEW_ROWS, few_rows, no_better_than_baseline, perfect_score, rare_classes
from shared.training.plan import Plan
from shared.training.spec import TrainingSpec
from shared.training.split import Split

_MOST_CLASSES = 100


def report_of(
    spec: TrainingSpec,
    plan: Plan,
    column: Column,
    *,
    split: Split,
    target: NDArray[Any],
    task: Task,
    total: int,
    measured: Evaluation,
    found: Iterable[str],
    ordered: Iterable[str],
) -> dict[str, Any]:
    """The report as JSON; `target` holds the values of `column` in all rows that have one, `total` counts all rows.

    `found` are the notes on what the reading of the table found, `ordered` those on the order of the rows.
    """
    training, test = target[split.train], target[split.test]
    baseline = evaluate_baseline(training, test, task=task)
    notes = [*found, *([split.note] if split.note else [])]
    if count := column.not_finite:
        notes.append(f"The target is infinite or too large in {count} rows: they count as rows without a target.")
    if count := column.rounded:
        notes.append(f"The target is rounded in {count} rows, so values may have become equal.")
    if spec.sample_weight is not None:
        notes.append(f"'{spec.sample_weight}' says how much each row counts in the fit; metrics count each row once.")
    notes += [*few_rows(len(test)), *measured.notes, *perfect_score(task, measured.metrics)]
    notes += no_better_than_baseline(task, measured.metrics, baseline["metrics"])
    notes += _rare_classes(training, test, task)
    without = total - len(target)
    report = {
        "task": task,
        "rows": {"total": total, "without_target": without, "training": len(training), "test": len(test)},
        "split": _of_split(spec, split),
        "columns": [treatment.model_dump(mode="json") for treatment in plan.treatments],
        "baseline": baseline,
        "notes": [*notes, *ordered],
    }
    return report | ({"classes": _class_counts(training, test)} if task == "classification" else {})


def _of_split(spec: TrainingSpec, split: Split) -> dict[str, Any]:
    chosen = {"method": spec.split.method, "by": spec.split.by, "test_size": spec.test_size}
    return chosen | {"random_state": spec.random_state, "stratified": split.stratified}


def _rare_classes(training: NDArray[Any], test: NDArray[Any], task: Task) -> Iterable[str]:
    # Of so few rows, every class has few.
    told = task == "classification" and len(test) >= FEW_ROWS
    return rare_classes(test, np.unique(training)) if told else []


def _class_counts(training: NDArray[Any], test: NDArray[Any]) -> list[dict[str, Any]]:
    """Rows of each class in both parts, the most frequent first; at most a hundred classes."""
    fitted, measured = pd.Series(training).value_counts(), pd.Series(test).value_counts()
    counts = [
        {"label": plain(label), "training": int(fitted.get(label, 0)), "test": int(measured.get(label, 0))}
        for label in fitted.index.union(measured.index)
    ]
    return sorted(counts, key=lambda count: -count["training"])[:_MOST_CLASSES]
