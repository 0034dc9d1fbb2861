"""Several registered models side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.registry.versions import RegisteredModel


@dataclass(frozen=True)
class ComparedValue:
    """One metric, parameter or fact of all compared models, in their order; None where a model has none."""

    name: str
    values: list[Any]

    @property
    def differs(self) -> bool:
        """Whether not all models have the same value."""
        return any(value != self.values[0] for value in self.values[1:])


@dataclass(frozen=True)
class Comparison:
    """Metrics, parameters and facts of several models, each with one value per version."""

    versions: list[int]
    facts: list[ComparedValue]
    metrics: list[ComparedValue]
    parameters: list[ComparedValue]


def compare(models: Sequence[RegisteredModel]) -> Comparison:
    """Put models side by side; what some of them do not have is None there."""
    return Comparison(
        versions=[model.row.version for model in models],
        facts=_side_by_side([_facts(model) for model in models]),
        metrics=_side_by_side([model.row.metrics for model in models]),
        parameters=_side_by_side([model.row.parameters for model in models]),
    )


def _facts(model: RegisteredModel) -> dict[str, Any]:
    return {
        "dataset_name": model.dataset_name,
        "dataset_version": model.dataset_version,
        "estimator": model.row.estimator,
        "target": model.row.signature.get("target"),
        "stage": model.row.stage,
    }


def _side_by_side(columns: Sequence[dict[str, Any]]) -> list[ComparedValue]:
    # Names in the order in which they first appear, so that related metrics stay together.
    names = dict.fromkeys(name for column in columns for name in column)
    return [ComparedValue(name, [column.get(name) for column in columns]) for name in names]
