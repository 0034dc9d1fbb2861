"""From which probability on a classifier of two labels says the positive one, as requests ask for it."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from api.schemas.base import RequestBody
from shared.estimators.thresholds import ThresholdChoice, ThresholdMetric


class ErrorCostsRequest(RequestBody):
    """What it costs to be wrong about a row, in any unit. What is right costs nothing."""

    false_positive: float = Field(
        description="To say the positive label of a row that does not have it; 0 or more.", examples=[1]
    )
    false_negative: float = Field(
        description="To say the other label of a row that has the positive one; 0 or more.", examples=[5]
    )


class ThresholdRequest(RequestBody):
    """By what the threshold is chosen: one of `metric`, `cost` and `value`."""

    metric: ThresholdMetric | None = Field(
        default=None, description="It is to make this as high as possible.", examples=["f1"]
    )
    cost: ErrorCostsRequest | None = Field(
        default=None, description="It is to make the mean cost of a row as low as possible.", examples=[None]
    )
    value: float | None = Field(
        default=None,
        description="The threshold itself; alone it may stand in the place of the object.",
        json_schema_extra={"exclusiveMinimum": 0, "exclusiveMaximum": 1},
        examples=[None],
    )
    positive: bool | int | float | str | None = Field(
        default=None,
        description="The label that counts as positive; by default the second one in their order, as in `classes` of "
        "predictions: of 0 and 1 it is 1, of `no` and `yes` it is `yes`.",
        examples=["yes"],
    )

    @property
    def chosen(self) -> ThresholdChoice:
        """What a specification has of it."""
        return ThresholdChoice.model_validate(self.model_dump())

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        named = [name for name in ("metric", "cost", "value") if getattr(self, name) is not None]
        if not named:
            raise ValueError("name one of 'metric', 'cost' and 'value' in 'threshold'")
        if len(named) > 1:
            said = " and ".join(f"'{name}'" for name in named)
            raise ValueError(f"name only one of 'metric', 'cost' and 'value' in 'threshold'; it has {said}")
        return self


def _spelled_out(given: Any) -> Any:
    """A number stands for the object that holds it.

    Raises:
        ValueError: when it is neither.
    """
    if isinstance(given, dict | ThresholdRequest):
        return given
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError(  # noqa: TRY004 - of a TypeError, pydantic makes no problem
            "write a number above 0 and below 1 as 'threshold', such as 0.3, or an object with 'metric', 'cost' or "
            "'value'"
        )
    return {"value": given}


# A union would tell of each problem twice, and of none where it is.
ThresholdOrNumber = Annotated[
    ThresholdRequest,
    BeforeValidator(_spelled_out, json_schema_input_type=Annotated[float, Field(gt=0, lt=1)] | ThresholdRequest),
]
