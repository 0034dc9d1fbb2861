"""Training as a pure function: a specification and a table give a model and a report. Knows no job, no file, no store.

The registered model is the one fitted on the training part of the split, so the metrics are its own.
"""

import math
import platform
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import sklearn

from shared.compiled.model import CompiledModel
from shared.errors import FitFailed
from shared.estimators.libraries.installed import release_of
from shared.estimators.signature import Signature
from shared.evaluation.answers import Predicted, ask
from shared.evaluation.assessment import Assessment
from shared.evaluation.measuring import Evaluation, evaluate
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.training import narration
from shared.training.assessing import assess
from shared.training.building import parameters_of
from shared.training.cluster.joining import tasks_done, told_of_cluster
from shared.training.compiling import compile_fitted
from shared.training.facts import ModelFacts
from shared.training.fitting import errors_of_fit, share_of_cores, threads_of_share
from shared.training.folding import USUAL_FOLDS
from shared.training.golden import keep_rows
from shared.training.learning_curve import learning_curve
from shared.training.model_fit import Fit, Fitting, fit_shown
from shared.training.narration import Say
from shared.training.pin import Pin, pinned_libraries
from shared.training.preparing import Prepared, prepare
from shared.training.report import report_of
from shared.training.search.bench import Source
from shared.training.search.finding import FoundParameters, find_parameters
from shared.training.spec import TrainingSpec
from shared.training.steps import COMPILING, EVALUATING, EXPLAINING, PREPARING, OnStep, after_search, show_search
from shared.training.thresholding import LabelDecision, decide
from shared.training.time_left import TimeLeft
from shared.training.validating import Validation, validate


@dataclass(frozen=True)
class Trained:
    """A fitted model and all that the registry keeps about it."""

    model: Any
    facts: ModelFacts
    # Answers as the model does, without scikit-learn; None where there is none.
    compiled: CompiledModel | None


def train(
    spec: TrainingSpec,
    table: pd.DataFrame,
    columns: list[Column],
    *,
    findings: Sequence[Finding] = (),
    threads: int,
    seconds: float = math.inf,
    folds: int = USUAL_FOLDS,
    on_step: OnStep,
    say: Say = lambda _line: None,
) -> Trained:
    """Fit the estimator of `spec` to the training part of `table` and measure it on the rest.

    With a `search`, its parameters are sought on folds of the training part first.

    `on_step` hears of "preparing", "fitting", "evaluating", "validating", "compiling" and "explaining", with a
    percentage, which rises during the fit where that can be seen; `say` hears what is done, in words. Rows without a
    target are left out. `findings` are what the reading of the table found. `seconds` is how long all of it may take:
    what nobody asked for is left out when it would take too much of that, such as the `folds` where `spec` names none.

    Raises:
        PlatformError: what `checks.training.check` raises; SingleClass, TaskMismatch, InvalidSplit or
            InvalidParameter when that shows in the values only; FitFailed when the estimator refuses;
        SearchTooShort when the time of the search allowed nothing.
    """
    time_left = TimeLeft(seconds)
    on_step("preparing", PREPARING)
    ready = prepare(spec, table, columns, findings)
    narration.of_preparation(say, ready.plan, ready.split, found=ready.found, without_target=ready.without_target)
    done_before = tasks_done()
    with share_of_cores(threads):
        if spec.search is None:
            return _with_notes(Training(ready, time_left, on_step, say).run(folds), told_of_cluster(done_before))
        source, on_trial = Source(table, columns, findings), partial(show_search, on_step)
        found = find_parameters(ready, source, usual_folds=folds, seconds=seconds, on_trial=on_trial, say=say)
        trained = Training(found.ready, time_left, after_search(on_step), say).run(folds)
    return _with_notes(_with_search(trained, found), told_of_cluster(done_before))


def _with_notes(trained: Trained, notes: list[str]) -> Trained:
    report = trained.facts.report | {"notes": [*trained.facts.report["notes"], *notes]}
    return replace(trained, facts=trained.facts.model_copy(update={"report": report}))


def _with_search(trained: Trained, found: FoundParameters) -> Trained:
    facts = trained.facts
    assessment = (facts.assessment or Assessment()).model_copy(update={"search": found.search})
    report = facts.report | {"notes": [*found.notes, *facts.report["notes"]]}
    return replace(trained, facts=facts.model_copy(update={"report": report, "assessment": assessment}))


@dataclass(frozen=True)
class Training:
    """What follows when all is prepared: the fit, and everything that is measured and told of it."""

    ready: Prepared
    time_left: TimeLeft
    on_step: OnStep
    say: Say
    fitting: Fitting = fit_shown

    def run(self, folds: int) -> Trained:
        """Fit and measure; `folds` is how many there are where the request does not say.

        Raises:
            PlatformError: as `train`.
        """
        ready, on_step, test = self.ready, self.on_step, self.ready.split.test
        fit = self._fit()
        on_step("evaluating", EVALUATING)
        tested = _asked(ready, fit.model)
        measured = self._measured(tested)
        validation = validate(ready, fit, tested, on_step, self.time_left, usual=folds)
        decision, served = decide(ready, validation, tested), fit
        if decision is not None:
            served, tested = replace(fit, model=decision.around(fit.model)), decision.answers(tested)
            validation = decision.validated(ready, validation)
            narration.of_threshold(self.say, decision.told)
            measured = self._measured(tested)
        narration.of_validation(self.say, validation.folds, validation.promise, validation.notes)
        on_step("compiling", COMPILING)
        compiled, compilation = compile_fitted(served.model, ready.signature, ready.data.iloc[test])
        narration.of_form(self.say, compilation)
        on_step("explaining", EXPLAINING)
        assessment = assess(
            ready, served, tested=tested, compiled=compiled, validation=validation, time_left=self.time_left
        )
        facts = _facts(ready, fit, measured).model_copy(
            update={
                "compilation": compilation,
                "assessment": self._further(assessment, fit, decision, folds),
                "signature": _signature(ready, validation, decision),
                "pin": _pin(ready, served, folds),
            }
        )
        return Trained(served.model, facts, compiled)

    def _fit(self) -> Fit:
        ready = self.ready
        self.say(f"fitting {ready.estimator.name} on {narration.rows(ready.learnt.count)}")
        fit = self.fitting(ready, self.on_step)
        narration.of_fit(self.say, seconds=fit.seconds, warnings=fit.warnings)
        return fit

    def _further(self, assessment: Assessment, fit: Fit, decision: LabelDecision | None, folds: int) -> Assessment:
        """The assessment with what only some requests ask for."""
        says = None if decision is None else decision.answers
        found = learning_curve(self.ready, fit, self.on_step, self.time_left, usual=folds, says=says)
        narration.of_curve(self.say, found.curve, found.notes)
        return assessment.model_copy(
            update={
                "threshold": None if decision is None else decision.told,
                "learning_curve": found.curve,
                "notes": [*assessment.notes, *found.notes],
            }
        )

    def _measured(self, tested: Predicted) -> Evaluation:
        ready, test = self.ready, self.ready.split.test
        measured = evaluate(tested, ready.target[test], task=ready.task)
        narration.of_evaluation(self.say, measured, rows_measured=len(test))
        return measured


def environment(libraries: Iterable[str] = ()) -> dict[str, str]:
    """The versions that a model depends on, those of other libraries among them."""
    return {
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "pandas": pd.__version__,
        **{library: release_of(library) or "" for library in sorted(libraries)},
    }


def _asked(ready: Prepared, model: Any) -> Predicted:
    with errors_of_fit(ready.estimator, of_libraries=bool(ready.spec.model.tree().libraries())):
        said = ask(model, ready.data.iloc[ready.split.test])
    if said.unanswered:
        raise FitFailed(
            f"What {ready.estimator.name} says of {said.unanswered} of {len(said.labels)} rows is no number. Large "
            "values and weights do that, and weights of 0: look at 'class_weight', 'sample_weight' and the columns."
        )
    return said


def _signature(ready: Prepared, validation: Validation, decision: LabelDecision | None) -> Signature:
    threshold = None if decision is None else decision.threshold
    return ready.signature.model_copy(update={"uncertainty": validation.uncertainty, "threshold": threshold})


def _facts(ready: Prepared, fit: Fit, measured: Evaluation) -> ModelFacts:
    report = report_of(ready, measured)
    return ModelFacts(
        signature=ready.signature,
        metrics=measured.metrics,
        report=report | {"fit_seconds": round(fit.seconds, 6), "warnings": fit.warnings},
        estimator=ready.estimator.key,
        parameters=parameters_of(fit.model),
        environment=environment(ready.spec.model.tree().libraries()),
    )


def _pin(ready: Prepared, fit: Fit, folds: int) -> Pin:
    golden = None
    # Nobody has asked for these rows: a model that cannot answer for them is none the worse.
    with suppress(FitFailed, MemoryError), errors_of_fit(ready.estimator, of_libraries=True):
        golden = keep_rows(fit.model, ready.data.iloc[ready.split.test])
    libraries = pinned_libraries(ready.spec.model.tree().libraries())
    ran_with = {"machine": platform.machine(), "threads": threads_of_share(), "folds": folds}
    return Pin(libraries=libraries, recipe=ready.plan.recipe, golden=golden, **ran_with)
