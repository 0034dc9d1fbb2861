"""From a specification and a table to all that the fit and the evaluation need."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from shared.estimators.catalogue import Estimator
from shared.estimators.signature import Signature, Task
from shared.evaluation.targets import Targets
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.training.checks.libraries import WITH_WORKER, problems_of_libraries
from shared.training.checks.training import check
from shared.training.compiling import named_inputs
from shared.training.findings import notes_of
from shared.training.labels import target_values
from shared.training.metric_notes import ordered_rows
from shared.training.model_signature import most_frequent, signature_of
from shared.training.plan import RECIPE, Plan, plan_of
from shared.training.spec import TrainingSpec
from shared.training.split import Positions, Split, deciding, split_rows


@dataclass(frozen=True)
class Prepared:
    """What is fitted to what; `target` and `data`, the inputs of the model, hold the rows that have a target.

    `kept_back` are those to measure on as the table has them, with all columns. The table itself is not kept: it may
    take as much memory as all the rest.
    """

    spec: TrainingSpec
    estimator: Estimator
    plan: Plan
    column: Column
    kept_back: pd.DataFrame
    # The column that decides the split; None where chance does.
    by: "pd.Series[Any] | None"
    target: NDArray[Any]
    split: Split
    signature: Signature
    data: pd.DataFrame
    # How much each row counts in a fit; None where all count alike.
    weights: NDArray[Any] | None
    # Notes on what the reading found, and on the order of the rows.
    found: list[str]
    ordered: list[str]
    # How many rows the table has, and how many of them have no target.
    total: int
    without_target: int
    # The targets of the rows to learn from where these are not in memory.
    counted: Targets | None = None

    @property
    def learnt(self) -> Targets:
        """The targets of the rows to learn from."""
        return Targets(self.target[self.split.train]) if self.counted is None else self.counted

    @property
    def task(self) -> Task:
        """What kind of answers is learnt."""
        return self.estimator.task

    def deciding(self, positions: Positions) -> "pd.Series[Any] | None":
        """The values of the column that decides the split, of some rows; None where chance decides."""
        return None if self.by is None else self.by.iloc[positions]


def prepare(
    spec: TrainingSpec, table: pd.DataFrame, columns: list[Column], findings: Sequence[Finding], *, recipe: int = RECIPE
) -> Prepared:
    """Check, plan, and split the rows that have a target.

    Raises:
        PlatformError: as `trainer.train`.
    """
    for missing in problems_of_libraries(spec.model.tree(), where=WITH_WORKER):
        raise missing
    check(spec, columns=columns, rows=len(table), findings=findings)
    estimator = spec.model.estimator()
    plan = plan_of(spec, estimator, columns=columns, rows=len(table), findings=findings, recipe=recipe)
    column = next(column for column in columns if column.name == spec.target_column)
    rows = table[table[column.name].notna()]
    target = target_values(rows[column.name], column, estimator)
    by = deciding(rows, spec)
    split = split_rows(target, spec, task=estimator.task, by=by)
    signature = signature_of(
        spec, plan, estimator, columns=columns, known=partial(_words, rows), target=target[split.train]
    )
    return Prepared(
        spec,
        estimator,
        plan,
        column,
        rows.iloc[split.test],
        by,
        target,
        split,
        signature,
        data=named_inputs(rows, signature),
        weights=None if spec.sample_weight is None else rows[spec.sample_weight].to_numpy(dtype="float64"),
        found=notes_of(findings, target=column.name, used=plan.used),
        ordered=list(ordered_rows(rows, columns)) if spec.split.method == "random" else [],
        total=len(table),
        without_target=len(table) - len(rows),
    )


def _words(rows: pd.DataFrame, name: str) -> list[str]:
    return most_frequent(rows[name].value_counts().items())
