"""The same training once more, as a pure function: fits and measures as the first one did, and registers nothing."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from shared.estimators.catalogue import know_own
from shared.evaluation.answers import ask
from shared.evaluation.measuring import evaluate
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.tables.loading import read_table
from shared.training import narration
from shared.training.batches.drawing import StoredRows
from shared.training.batches.training import prepared
from shared.training.fitting import errors_of_fit, share_of_cores, threads_of_share
from shared.training.folding import USUAL_FOLDS
from shared.training.golden import compare_rows
from shared.training.model_fit import Fitting, fit_shown
from shared.training.narration import Say
from shared.training.pin import GoldenRows, pinned_libraries
from shared.training.plan import RECIPE, read_columns
from shared.training.preparing import Prepared, prepare
from shared.training.reproduction import Repeated, TrainingOrder
from shared.training.spec import TrainingSpec
from shared.training.steps import EVALUATING, PREPARING, OnStep
from shared.training.thresholding import decide_again


def repeat(order: TrainingOrder, file: Path, *, on_step: OnStep, say: Say = lambda _line: None) -> Repeated:
    """Read the table in a file and train as the order says.

    Raises:
        PlatformError: as `trainer.train`.
    """
    know_own(order.own)
    if order.spec.batches is not None:
        return _repeat_in_batches(order, file, _Again(order.golden, 0, on_step, say))
    only = read_columns(order.spec, order.columns)
    table = read_table(file, order.reading, columns=order.columns, only=only)
    return train_again(
        order.spec,
        table,
        order.columns,
        order.golden,
        findings=order.findings,
        threads=order.threads,
        folds=order.folds,
        recipe=order.recipe,
        on_step=on_step,
        say=say,
    )


def train_again(
    spec: TrainingSpec,
    table: pd.DataFrame,
    columns: list[Column],
    golden: GoldenRows | None,
    *,
    findings: Sequence[Finding] = (),
    threads: int,
    folds: int | None = None,
    recipe: int = RECIPE,
    on_step: OnStep,
    say: Say = lambda _line: None,
) -> Repeated:
    """Fit as `trainer.train` does, measure, and ask the new model about the rows that were kept with the first one.

    Raises:
        PlatformError: as `trainer.train`.
    """
    on_step("preparing", PREPARING)
    ready = prepare(spec, table, columns, findings, recipe=recipe)
    with share_of_cores(threads):
        return _Again(golden, USUAL_FOLDS if folds is None else folds, on_step, say).run(ready, fit_shown)


def _repeat_in_batches(order: TrainingOrder, file: Path, again: "_Again") -> Repeated:
    source = StoredRows(file, order.reading, order.columns, order.rows)
    with (
        share_of_cores(order.threads),
        prepared(order.spec, source, order.findings, file.parent, again.on_step, recipe=order.recipe) as (
            ready,
            fitting,
        ),
    ):
        return again.run(ready, fitting)


@dataclass(frozen=True)
class _Again:
    """A training that is made once more, and the rows that were kept with the first one."""

    golden: GoldenRows | None
    folds: int
    on_step: OnStep
    say: Say

    def run(self, ready: Prepared, fitting: Fitting) -> Repeated:
        libraries = ready.spec.model.tree().libraries()
        self.say(f"fitting {ready.estimator.name} on {narration.rows(ready.learnt.count)}")
        fit = fitting(ready, self.on_step)
        narration.of_fit(self.say, seconds=fit.seconds, warnings=fit.warnings)
        self.on_step("evaluating", EVALUATING)
        with errors_of_fit(ready.estimator, of_libraries=bool(libraries)):
            tested, model = ask(fit.model, ready.data.iloc[ready.split.test]), fit.model
            decision = decide_again(ready, fit, tested, self.on_step, usual=self.folds)
            if decision is not None:
                model, tested = decision.around(model), decision.answers(tested)
            rows = None if self.golden is None else compare_rows(self.golden, model)
        measured = evaluate(tested, ready.target[ready.split.test], task=ready.task)
        narration.of_evaluation(self.say, measured, rows_measured=len(ready.split.test))
        return Repeated(
            metrics=measured.metrics,
            rows=rows,
            libraries=pinned_libraries(libraries),
            machine=platform.machine(),
            threads=threads_of_share(),
        )
