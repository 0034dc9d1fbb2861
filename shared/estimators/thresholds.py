"""From which probability on a classifier of two labels says the one that counts as positive, and by what it is chosen.

Imports no scikit-learn.
"""

import json
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

# What may be made as large as possible; each counts every row once.
ThresholdMetric = Literal["accuracy", "balanced_accuracy", "f1", "f1_macro", "matthews_corrcoef"]


class ErrorCosts(BaseModel):
    """What it costs to be wrong about a row, in any unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    false_positive: float = Field(description="To say the positive label of a row that does not have it.")
    false_negative: float = Field(description="To say the other label of a row that has the positive one.")


class ThresholdChoice(BaseModel):
    """By which one of three a threshold is chosen, and the label that it is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: ThresholdMetric | None = Field(default=None, description="The metric that is to be as high as possible.")
    cost: ErrorCosts | None = Field(default=None, description="The costs that are to be as low as possible.")
    value: float | None = Field(default=None, description="The threshold itself.")
    positive: Any = Field(default=None, description="The label; null for the second one in their order.")

    @property
    def needs_folds(self) -> bool:
        """Whether it is chosen by what models of the folds say."""
        return self.value is None

    @property
    def named(self) -> str:
        """By what it is chosen, in words."""
        if self.cost is not None:
            return (
                f"costs of {self.cost.false_positive:g} for a false positive and {self.cost.false_negative:g} for a "
                "false negative"
            )
        return self.metric or "a number of the request"


class Threshold(BaseModel):
    """A model of two labels says `positive` from the probability `value` on, and the other one below."""

    model_config = ConfigDict(frozen=True)

    value: float
    positive: Any


def label_meant(given: Any, labels: Iterable[Any]) -> Any:
    """The label that a request means, which may spell it as a text; None when there is no such label."""
    known = list(labels)
    for label in known:
        if isinstance(label, bool) == isinstance(given, bool) and label == given:
            return label
    spelled = {text: label for label in known for text in _spellings(label)}
    return spelled.get(given) if isinstance(given, str) else None


def _spellings(label: Any) -> set[str]:
    found = {json.dumps(label), str(label)}
    return found | {f"{label:.0f}"} if isinstance(label, float) and label.is_integer() else found
