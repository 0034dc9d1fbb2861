"""What came of training a registered model once more, beside what is registered."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.datasets.rows import DatasetVersionRow
from shared.estimators.catalogue import Estimator
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.tables.reading import Reading
from shared.training.cluster.address import ClusterAddress
from shared.training.pin import ROUNDING, ComparedRows, GoldenRows, Pin
from shared.training.plan import FIRST_RECIPE
from shared.training.spec import TrainingSpec


class TrainingOrder(BaseModel):
    """A training to be repeated in a process of its own, and the rows to compare answers by."""

    spec: TrainingSpec
    # The estimators of own packages that it is made of.
    own: list[Estimator] = []
    reading: Reading
    columns: list[Column]
    rows: int
    findings: list[Finding]
    threads: int
    # As `Pin` has it; None where that is not known.
    folds: int | None
    # Which one made features of the columns.
    recipe: int
    golden: GoldenRows | None
    # Where fits are computed beside this process; None for nowhere.
    cluster: ClusterAddress | None = None


class Repeated(BaseModel):
    """What the second training found, and what it ran with."""

    model_config = ConfigDict(frozen=True)

    metrics: dict[str, float | None]
    # None where no rows were kept.
    rows: ComparedRows | None
    libraries: dict[str, str]
    machine: str
    threads: int


class RepeatedMetric(BaseModel):
    """A metric of both trainings; null where it was not measured."""

    model_config = ConfigDict(frozen=True)

    then: float | None
    now: float | None
    equal: bool


class OtherRelease(BaseModel):
    """A library of which the two trainings had different releases; empty where there was none."""

    model_config = ConfigDict(frozen=True)

    then: str
    now: str


class Reproduction(BaseModel):
    """Whether a training that is repeated comes to the same model."""

    model_config = ConfigDict(frozen=True)

    version: int
    equal: bool = Field(description="Whether all metrics and the answers for all rows are the same, but for rounding.")
    metrics: dict[str, RepeatedMetric]
    rows: ComparedRows
    libraries: dict[str, OtherRelease]
    notes: list[str]


def order_of(
    spec: TrainingSpec, source: DatasetVersionRow, *, threads: int, pin: Pin | None, own: Sequence[Estimator]
) -> TrainingOrder:
    """What has to be told to a process that repeats the training of `source`."""
    return TrainingOrder(
        spec=spec,
        own=list(own),
        reading=Reading.model_validate(source.reading),
        columns=[Column.model_validate(column) for column in source.columns],
        rows=source.rows,
        findings=[Finding.model_validate(finding) for finding in source.findings],
        threads=threads,
        folds=None if pin is None else pin.folds,
        recipe=FIRST_RECIPE if pin is None else pin.recipe,
        golden=None if pin is None else pin.golden,
    )


def reproduction_of(
    spec: TrainingSpec,
    found: Repeated,
    *,
    version: int,
    metrics: Mapping[str, Any],
    pin: Pin | None,
    libraries: Mapping[str, str],
) -> Reproduction:
    """Compare a second training with the `metrics` and the pin of the registered one."""
    names = dict.fromkeys([*metrics, *found.metrics])
    compared = {name: _metric(metrics.get(name), found.metrics.get(name)) for name in names}
    rows = found.rows or ComparedRows(compared=0, different=0, largest_difference=None)
    others = {
        name: OtherRelease(then=release, now=found.libraries.get(name, ""))
        for name, release in libraries.items()
        if found.libraries.get(name, "") != release
    }
    equal = rows.different == 0 and all(metric.equal for metric in compared.values())
    notes = [*_chances(spec), *_circumstances(pin, found)]
    if not equal and not others and not notes:
        notes.append(
            "Table, request, libraries, processor and threads are the same: this estimator comes to another model with "
            "each fit."
        )
    if rows.compared == 0:
        notes.append("No rows were kept with this model, so that only its metrics are compared.")
    return Reproduction(version=version, equal=equal, metrics=compared, rows=rows, libraries=others, notes=notes)


def _metric(then: float | None, now: float | None) -> RepeatedMetric:
    if then is None or now is None:
        return RepeatedMetric(then=then, now=now, equal=then is now)
    return RepeatedMetric(then=then, now=now, equal=math.isclose(then, now, rel_tol=ROUNDING, abs_tol=ROUNDING))


def _chances(spec: TrainingSpec) -> Iterator[str]:
    """Where the request itself leaves something to chance."""
    for node in spec.model.tree().all():
        if node.estimator.takes_seed and node.params.get("random_state", 0) is None:
            yield f"The request gives {node.estimator.key} no seed: `random_state` is null, so each fit is another one."


def _circumstances(pin: Pin | None, found: Repeated) -> Iterator[str]:
    if pin is None:
        yield "The model is of a release that kept neither all libraries nor processor and threads of a training."
        return
    if pin.machine != found.machine:
        yield f"It was trained on {pin.machine}, and now on {found.machine}: last digits may be others."
    if pin.threads != found.threads:
        yield f"It was trained with {pin.threads} threads, and now with {found.threads}: last digits may be others."
