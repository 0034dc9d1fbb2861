"""The part of a training's body that asks for a search of parameters."""

from typing import Any

from pydantic import Field

from api.schemas.base import RequestBody
from shared.evaluation.metric_names import METRICS
from shared.training.search.settling import USUAL_TRIALS
from shared.training.spec import MOST_TRIALS, SearchChoice, SearchMethod

_METRICS = "; ".join(f"of {task}: {', '.join(f'`{name}`' for name in names)}" for task, names in METRICS.items())


class SearchRequest(RequestBody):
    """How good parameters of `model` are sought, on folds of the rows to learn from."""

    method: SearchMethod = Field(
        description="`random` draws candidates; `halving` draws as many, tries all on few rows and the best third "
        "again on three times as many, up to all; `grid` tries all combinations of lists; `optuna` lets each candidate "
        "follow from those before, and needs the extra `optuna`.",
        examples=["random"],
    )
    space: dict[str, Any] | None = Field(
        default=None,
        max_length=100,
        description="By parameter what is tried: a list of choices, or a range "
        '`{"low": 0.01, "high": 10, "log": true, "int": false}`, both ends among it. `a__b` is the parameter `b` of '
        "the model inside of `a`. A range is of whole numbers where the parameter takes nothing else, or both ends are "
        "whole and it takes them, unless `int` says it. The usual space of the estimator unless given.",
        examples=[{"max_depth": [None, 4, 8], "min_samples_leaf": {"low": 1, "high": 20, "log": True}}],
    )
    trials: int | None = Field(
        default=None,
        description=f"How many candidates are tried; {USUAL_TRIALS} unless given, and of a grid all.",
        json_schema_extra={"minimum": 1, "maximum": MOST_TRIALS},
        examples=[20],
    )
    metric: str | None = Field(
        default=None,
        description=f"The candidates are ranked by its mean over the folds: {_METRICS}. `accuracy` or `mae` unless "
        "given.",
        examples=[None],
    )
    time_limit: float | None = Field(
        default=None,
        description="After so many seconds the best candidate so far is taken; four fifths of the time of the job "
        "unless given.",
        json_schema_extra={"exclusiveMinimum": 0},
        examples=[60],
    )

    @property
    def chosen(self) -> SearchChoice:
        """What a specification has of it."""
        return SearchChoice(**self.model_dump())
