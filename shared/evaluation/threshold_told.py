"""What a report tells of a threshold, as data."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ThresholdCurve(BaseModel):
    """What a threshold is chosen for, over thresholds."""

    model_config = ConfigDict(frozen=True)

    thresholds: list[float] = Field(description="From low to high.")
    scores: list[float] = Field(description="The metric, or the mean cost of a row, with each of them.")


class ThresholdTold(BaseModel):
    """From which probability on a classifier of two labels says the positive one.

    Scores are null where a number was given, which nothing was chosen for.
    """

    model_config = ConfigDict(frozen=True)

    value: float = Field(description="The probability.")
    positive: Any = Field(description="The positive label.")
    chosen_for: str = Field(description="The metric or the costs, in words.")
    score_name: str | None = Field(default=None, description="What the scores are; a cost is the better the lower.")
    rows: int | None = Field(
        default=None, description="On how many rows it was chosen, by what models say that had not seen them."
    )
    score: float | None = Field(default=None, description="The score of these rows with it.")
    score_at_half: float | None = Field(default=None, description="Their score with one half.")
    test_score: float | None = Field(default=None, description="The score of the test rows with it.")
    test_score_at_half: float | None = Field(default=None, description="Their score with one half.")
    one_label: bool = Field(default=False, description="Whether all of the rows get the same label with it.")
    curve: ThresholdCurve | None = Field(default=None, description="The score over thresholds.")
