"""Several registered models side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.evaluation.metric_names import BETTER
from shared.registry.versions import RegisteredModel


@dataclass(frozen=True)
class ValueDifference:
    """One metric, parameter or fact of all compared models, in their order; None where a model has none."""

    name: str
    values: list[Any]

    @property
    def differs(self) -> bool:
        """Whether not all models have the same value."""
        return any(value != self.values[0] for value in self.values[1:])


@dataclass(frozen=True)
class MetricDifference(ValueDifference):
    """A metric with the versions that do best by it; none if all are equally good, or cannot be compared."""

    best: list[int]


@dataclass(frozen=True)
class ModelComparison:
    """Metrics, parameters and facts of several models, each with one value per version."""

    versions: list[int]
    facts: list[ValueDifference]
    metrics: list[MetricDifference]
    parameters: list[ValueDifference]


def compare(models: Sequence[RegisteredModel]) -> ModelComparison:
    """Put models side by side; what some of them do not have is None there."""
    return ModelComparison(
        versions=[model.row.version for model in models],
        facts=_side_by_side([_facts(model) for model in models]),
        metrics=_metrics(models),
        parameters=_side_by_side([model.row.parameters for model in models]),
    )


def _facts(model: RegisteredModel) -> dict[str, Any]:
    # Most models have none, and then nothing is said of it.
    threshold = model.row.signature.get("threshold")
    return {
        "dataset_name": model.dataset_name,
        "dataset_version": model.dataset_version,
        "estimator": model.row.estimator,
        "target": model.row.target,
        "stage": model.row.stage,
        "rows_measured": model.rows_measured,
        **({"threshold": threshold["value"], "positive": threshold["positive"]} if threshold else {}),
    }


def _metrics(models: Sequence[RegisteredModel]) -> list[MetricDifference]:
    compared = _side_by_side([model.row.metrics for model in models])
    # Metrics from other test rows, or of another target, cannot be compared.
    comparable = all(_measured_on(model) == _measured_on(models[0]) for model in models)
    return [
        MetricDifference(value.name, value.values, best=_best(value, models) if comparable else [])
        for value in compared
    ]


def _measured_on(model: RegisteredModel) -> tuple[Any, ...]:
    split = {"method": "random", "by": None, **model.row.report.get("split", {})}
    return model.dataset_name, model.dataset_version, model.row.target, split


def _best(value: ValueDifference, models: Sequence[RegisteredModel]) -> list[int]:
    choose = BETTER.get(value.name)
    measured = [number for number in value.values if number is not None]
    if choose is None or not measured or not value.differs:
        return []
    best = choose(measured)
    return [model.row.version for model, number in zip(models, value.values, strict=True) if number == best]


def _side_by_side(columns: Sequence[dict[str, Any]]) -> list[ValueDifference]:
    # Names in the order in which they first appear, so that related metrics stay together.
    names = dict.fromkeys(name for column in columns for name in column)
    return [ValueDifference(name, [column.get(name) for column in columns]) for name in names]
