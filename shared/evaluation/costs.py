"""What a model takes of time and of room, as data."""

from pydantic import BaseModel, ConfigDict, Field


class Costs(BaseModel):
    """What the model takes."""

    model_config = ConfigDict(frozen=True)

    fit_seconds: float = Field(description="How long it was fitted.")
    row_seconds: float = Field(description="How long one row takes in the training process, the median of some.")
    compiled: bool = Field(description="Whether it was the compiled form that was timed.")
    peak_memory_bytes: int | None = Field(
        default=None,
        description="The most memory that the process held at once which trained it, from reading to its last picture: "
        "the resident set at its peak, as the kernel counts it, with libraries and table. Null in reports of older "
        "releases, and where the kernel does not say.",
    )
    artifact_bytes: int | None = Field(
        default=None, description="The size of its file in the store, as it was registered; null in older reports."
    )
    form_bytes: int | None = Field(
        default=None, description="The size of its compiled form in the store; null where the training made none."
    )
