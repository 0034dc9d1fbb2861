"""From a specification and the file of a table to all that a fit in batches and its evaluation need."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from shared.errors import InvalidSplit
from shared.estimators.catalogue import Estimator
from shared.estimators.signature import Signature
from shared.evaluation.targets import Targets
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.tables.loading import frame_of
from shared.tables.values import ARROW
from shared.training.batches.dealing import Dealt, deal
from shared.training.batches.drawing import StoredRows
from shared.training.checks.libraries import WITH_WORKER, problems_of_libraries
from shared.training.checks.training import check
from shared.training.column_steps import known_words
from shared.training.compiling import named_inputs
from shared.training.findings import notes_of
from shared.training.labels import labels_of, target_values
from shared.training.model_signature import most_frequent, signature_of
from shared.training.plan import RECIPE, Plan, plan_of
from shared.training.preparing import Prepared
from shared.training.spec import TrainingSpec
from shared.training.split import Split
from shared.training.steps import OnStep, percent_of_dealing

_DRAWN_ONE_BY_ONE = (
    "The rows to measure on are drawn one by one, so that the shares of the classes are nearly those of all."
)


class PreparedBatches(NamedTuple):
    """What a usual training has, with the rows to measure on only, and the others in files."""

    ready: Prepared
    dealt: Dealt


def prepare_batches(
    spec: TrainingSpec,
    file: StoredRows,
    findings: Sequence[Finding],
    folder: Path,
    on_step: OnStep,
    *,
    recipe: int = RECIPE,
) -> PreparedBatches:
    """Check, plan, and deal the rows that have a target to files in the folder.

    Raises:
        PlatformError: as `trainer.train`.
    """
    for missing in problems_of_libraries(spec.model.tree(), where=WITH_WORKER):
        raise missing
    check(spec, columns=file.columns, rows=file.rows, findings=findings)
    estimator = spec.model.estimator()
    plan = plan_of(spec, estimator, columns=file.columns, rows=file.rows, findings=findings, recipe=recipe)
    target = next(column for column in file.columns if column.name == spec.target_column)
    dealt = deal(
        file,
        spec,
        [column for column in file.columns if column.name in {*plan.used, target.name, spec.sample_weight}],
        counts_labels=estimator.task == "classification",
        words=list(_of_words(plan)),
        folder=folder,
        told=lambda share: on_step("preparing", percent_of_dealing(share), measured=True),
    )
    return PreparedBatches(_Preparing(spec, estimator, plan, target).prepare(dealt, file.columns, findings), dealt)


@dataclass(frozen=True)
class _Preparing:
    spec: TrainingSpec
    estimator: Estimator
    plan: Plan
    target: Column

    def prepare(self, dealt: Dealt, columns: list[Column], findings: Sequence[Finding]) -> Prepared:
        spec, plan, rows = self.spec, self.plan, dealt.kept_back
        learnt = _learnt(self.estimator, self.target, dealt)
        if not len(rows) or not learnt.count:
            raise _too_few(spec, "to measure on" if learnt.count else "to fit")
        signature = self._signature(dealt, columns, learnt)
        return Prepared(
            spec,
            self.estimator,
            plan,
            self.target,
            rows,
            by=None,
            target=labels_of(rows[self.target.name], self.target, self.estimator),
            split=self._split(len(rows)),
            signature=signature,
            data=named_inputs(rows, signature),
            weights=None,
            found=[*notes_of(findings, target=self.target.name, used=plan.used), *_notes(spec, plan, dealt)],
            ordered=[],
            total=dealt.total,
            without_target=dealt.total - dealt.rows - dealt.kept_back_count,
            counted=learnt,
        )

    def _signature(self, dealt: Dealt, columns: list[Column], learnt: Targets) -> Signature:
        return signature_of(
            self.spec,
            self.plan,
            self.estimator,
            columns=columns,
            known=lambda name: most_frequent(dealt.words[name].most_common()),
            target=learnt.values,
        )

    def _split(self, kept_back: int) -> Split:
        note = _DRAWN_ONE_BY_ONE if self.estimator.task == "classification" else None
        return Split(train=np.empty(0, dtype=np.intp), test=np.arange(kept_back), stratified=False, note=note)


def _learnt(estimator: Estimator, target: Column, dealt: Dealt) -> Targets:
    """The targets of the rows to learn from: each label with its rows, or the mean of these numbers.

    Raises:
        SingleClass, TaskMismatch: as `target_values`.
    """
    if estimator.task == "regression":
        return Targets(np.array([dealt.sum / max(dealt.rows, 1)]), np.array([dealt.rows]))
    labels = pa.table({target.name: pa.array(list(dealt.labels), ARROW[target.kind])})
    values = target_values(frame_of(labels, [target])[target.name], target, estimator)
    rows = np.array(list(dealt.labels.values()))
    order = np.argsort(values, kind="stable")
    return Targets(values[order], rows[order])


def _of_words(plan: Plan) -> Iterator[str]:
    """The columns of which a model is told the words that it knows."""
    for treatment in plan.treatments:
        if treatment.role == "category" and known_words(treatment.kind):
            yield treatment.column


def _notes(spec: TrainingSpec, plan: Plan, dealt: Dealt) -> Iterator[str]:
    assert spec.batches is not None, "batches were asked for"  # noqa: S101 - callers have looked
    times = "once" if spec.batches.passes == 1 else f"{spec.batches.passes} times"
    batches = "one batch" if dealt.count == 1 else f"{dealt.count:,} batches that are"
    yield (f"The model was shown {dealt.rows:,} rows {times}, in {batches} drawn from the whole table.")
    if dealt.count > 1 and (not plan.numeric or plan.imputed):
        yield (
            "Medians, categories and what texts become are those of the first batch; means, deviations and bounds by "
            "which numbers are scaled are those of all rows."
        )
    if len(dealt.kept_back) < dealt.kept_back_count:
        yield f"Measured on {len(dealt.kept_back):,} of {dealt.kept_back_count:,} rows that were kept back, by chance."


def _too_few(spec: TrainingSpec, what: str) -> InvalidSplit:
    sentence = (
        f"With a 'test_size' of {spec.test_size:g}, no row is left {what}: in batches, each row is drawn by itself. "
        "Choose another 'test_size', add rows, or train without 'batches'."
    )
    return InvalidSplit(sentence, errors=[{"loc": ["body", "test_size"], "msg": sentence}])
