"""Training as a pure function: a specification and a table give a model and a report. Knows no job, no file, no store.

The registered model is the one fitted on the training part of the split, so the metrics are its own.
"""

import math
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import sklearn
from numpy.typing import NDArray

from shared.compiled.model import CompiledModel
from shared.estimators.catalogue import Estimator, find_estimator
from shared.estimators.parameters import settings_of
from shared.estimators.signature import Signature
from shared.evaluation.answers import ask
from shared.evaluation.labels import plain
from shared.evaluation.measuring import Evaluation, evaluate
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.training import fit_progress, narration
from shared.training.checks.training import check
from shared.training.compiling import compile_fitted, named_inputs
from shared.training.facts import ModelFacts
from shared.training.findings import notes_of
from shared.training.fitting import errors_of_fit, kept_warnings, share_of_cores
from shared.training.labels import named_weights, sought_weights, target_values
from shared.training.metric_notes import ordered_rows
from shared.training.model_signature import signature_of
from shared.training.narration import Say
from shared.training.plan import Plan, plan_of
from shared.training.recipe import build_estimator, build_model, last_step
from shared.training.report import report_of
from shared.training.spec import TrainingSpec
from shared.training.split import Split, split_rows
from shared.training.steps import COMPILING, EVALUATING, FITTING, OnStep, percent_of_fit

# Set by the server or of no effect on the model.
_NOT_PARAMETERS = frozenset({"n_jobs", "verbose"})


@dataclass(frozen=True)
class Trained:
    """A fitted model and all that the registry keeps about it."""

    model: Any
    facts: ModelFacts
    # Answers as the model does, without scikit-learn; None where there is none.
    compiled: CompiledModel | None


@dataclass(frozen=True)
class _Ready:
    """All that the fit and the evaluation need; `target` and `data` hold the rows that have a target."""

    estimator: Estimator
    plan: Plan
    column: Column
    target: NDArray[Any]
    split: Split
    signature: Signature
    data: pd.DataFrame
    # Notes on what the reading found, and on the order of the rows.
    found: list[str]
    ordered: list[str]


@dataclass(frozen=True)
class _Fit:
    model: Any
    seconds: float
    warnings: list[str]


def train(
    spec: TrainingSpec,
    table: pd.DataFrame,
    columns: list[Column],
    *,
    findings: Sequence[Finding] = (),
    threads: int,
    on_step: OnStep,
    say: Say = lambda _line: None,
) -> Trained:
    """Fit the estimator of `spec` to the training part of `table` and measure it on the rest.

    `on_step` hears of "preparing", "fitting", "evaluating" and "compiling", with a percentage, which rises during the
    fit where that can be seen; `say` hears what is done, in words. Rows without a target are left out. `findings` are
    what the reading of the table found.

    Raises:
        PlatformError: what `checks.training.check` raises; SingleClass, TaskMismatch, InvalidSplit or
            InvalidParameter when that shows in the values only; FitFailed when the estimator refuses.
    """
    on_step("preparing", 10)
    ready = _prepare(spec, table, columns, findings)
    without = len(table) - len(ready.target)
    narration.of_preparation(say, ready.plan, ready.split, found=ready.found, without_target=without)
    say(f"fitting {ready.estimator.name} on {narration.rows(len(ready.split.train))}")
    with share_of_cores(threads):
        fit = _fit(spec, ready, on_step)
        narration.of_fit(say, seconds=fit.seconds, warnings=fit.warnings)
        on_step("evaluating", EVALUATING)
        measured = _measure(ready, fit.model)
        narration.of_evaluation(say, measured, rows_measured=len(ready.split.test))
        on_step("compiling", COMPILING)
        kept_back = ready.data.iloc[ready.split.test]
        compiled, compilation = compile_fitted(fit.model, ready.signature, kept_back)
    narration.of_form(say, compilation)
    facts = _facts(spec, ready, fit, measured, total=len(table))
    return Trained(fit.model, facts.model_copy(update={"compilation": compilation}), compiled)


def environment() -> dict[str, str]:
    """The versions that a model depends on."""
    return {
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "pandas": pd.__version__,
    }


def _prepare(spec: TrainingSpec, table: pd.DataFrame, columns: list[Column], findings: Sequence[Finding]) -> _Ready:
    check(spec, columns=columns, rows=len(table), findings=findings)
    estimator = find_estimator(spec.model.module, spec.model.class_)
    plan = plan_of(spec, estimator, columns=columns, rows=len(table), findings=findings)
    column = next(column for column in columns if column.name == spec.target_column)
    rows = table[table[column.name].notna()]
    target = target_values(rows[column.name], column, estimator)
    split = split_rows(target, spec, task=estimator.task)
    signature = signature_of(spec, plan, estimator, rows, columns=columns, target=target[split.train])
    return _Ready(
        estimator,
        plan,
        column,
        target,
        split,
        signature,
        data=named_inputs(rows, signature),
        found=notes_of(findings, target=column.name, used=plan.used),
        ordered=list(ordered_rows(rows, columns)),
    )


def _fit(spec: TrainingSpec, ready: _Ready, on_step: OnStep) -> _Fit:
    estimator, part = ready.estimator, ready.split.train
    settings = settings_of(estimator, spec.model.params)
    if estimator.takes_seed and "random_state" not in spec.model.params:
        settings["random_state"] = spec.random_state
    classes = ready.signature.classes or []
    settings = named_weights(settings, classes, estimator)
    started = time.perf_counter()
    with kept_warnings() as sentences, errors_of_fit(estimator):
        model = build_model(ready.plan, build_estimator(estimator, sought_weights(settings, classes, estimator)))
        shown = _Shown(on_step, measured=fit_progress.can_be_seen(model))
        fit_progress.fit(model, ready.data.iloc[part], ready.target[part], told=shown.tell)
        if "class_weight" in settings:
            last_step(model).set_params(class_weight=settings["class_weight"])
    return _Fit(model=model, seconds=time.perf_counter() - started, warnings=sentences)


class _Shown:
    """Shows the share of the fit that is done, each percentage once."""

    def __init__(self, on_step: OnStep, *, measured: bool) -> None:
        self._on_step = on_step
        self._percent = FITTING
        on_step("fitting", FITTING, measured=measured)

    def tell(self, share: float) -> None:
        percent = percent_of_fit(share)
        if percent > self._percent:
            self._percent = percent
            self._on_step("fitting", percent, measured=True)


def _measure(ready: _Ready, model: Any) -> Evaluation:
    part = ready.split.test
    with errors_of_fit(ready.estimator):
        return evaluate(ask(model, ready.data.iloc[part]), ready.target[part], task=ready.estimator.task)


def _facts(spec: TrainingSpec, ready: _Ready, fit: _Fit, measured: Evaluation, *, total: int) -> ModelFacts:
    report = report_of(
        spec,
        ready.plan,
        ready.column,
        split=ready.split,
        target=ready.target,
        task=ready.estimator.task,
        total=total,
        measured=measured,
        found=ready.found,
        ordered=ready.ordered,
    )
    return ModelFacts(
        signature=ready.signature,
        metrics=measured.metrics,
        report=report | {"fit_seconds": round(fit.seconds, 6), "warnings": fit.warnings},
        estimator=ready.estimator.key,
        parameters=_parameters(fit.model),
        environment=environment(),
    )


def _parameters(model: Any) -> dict[str, Any]:
    """Every parameter of the estimator with its value, as JSON has it."""
    parameters = last_step(model).get_params(deep=False)
    return {name: _json(value) for name, value in sorted(parameters.items()) if name not in _NOT_PARAMETERS}


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(plain(name)): _json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return plain(value)
