"""What came of a search for parameters, as data."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Candidate(BaseModel):
    """One combination of parameters that was tried, on folds of the training rows."""

    model_config = ConfigDict(frozen=True)

    trial: int = Field(description="In which turn it was tried; 0 for the parameters of the request.")
    rank: int | None = Field(description="Its place, 1 for the best; null for one that failed, and for trial 0.")
    params: dict[str, Any] = Field(description="What the search chose, by the names of its space.")
    mean: float | None = Field(description="The mean of the metric over the folds; null for one that failed.")
    std: float | None = Field(description="Its standard deviation over the folds.")
    rows: int = Field(description="To how many rows of a fold it was fitted; `halving` tries most on few.")
    seconds: float = Field(description="How long it took.")
    failure: str | None = Field(default=None, description="Why it failed; null for one that did not.")


class Search(BaseModel):
    """A search for parameters; the rows that were kept back had no part in it."""

    model_config = ConfigDict(frozen=True)

    method: str = Field(description="How it was sought.")
    metric: str = Field(description="What the candidates are ranked by.")
    folds: int = Field(description="On how many folds of the training rows each candidate was measured.")
    trials_asked: int = Field(description="How many candidates were to be tried.")
    trials_done: int = Field(description="How many were tried, those that failed among them.")
    trials_failed: int = Field(description="How many of them failed.")
    seconds: float = Field(description="How long the search took.")
    time_limit: float | None = Field(description="How long it was allowed to take; null for what the job allows.")
    stopped: bool = Field(description="Whether it was ended because its time was over.")
    space: dict[str, Any] = Field(description="What was drawn from.")
    chosen: dict[str, Any] = Field(description="The parameters of the best candidate, with which the model was fitted.")
    score: float = Field(description="The mean of the metric that it reached.")
    defaults: Candidate | None = Field(
        description="The parameters of the request as they are, on the same folds; null without a time for them."
    )
    within_noise: bool | None = Field(
        description="Whether what the best candidate gains over `defaults` may be chance: the folds do not tell the "
        "two apart. Null where they cannot be compared."
    )
    candidates: list[Candidate] = Field(description="The best first, those that failed last; of very many, the first.")
    left_out: int = Field(description="How many more candidates are not listed.")
    scores: list[float | None] = Field(description="The mean of the metric of each trial, in their order.")
