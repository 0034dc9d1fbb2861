"""What came of making a compiled model, as data."""

from pydantic import BaseModel, ConfigDict, Field


class Compilation(BaseModel):
    """Whether a model has a compiled form, and what the comparison with scikit-learn found."""

    model_config = ConfigDict(frozen=True)

    compiled: bool = Field(description="Whether there is a compiled form, which then answers predictions.")
    detail: str = Field(description="What was compared, or why there is none.")
    rows_compared: int = Field(default=0, description="On how many rows both gave the same answers.")
    bit_for_bit: bool | None = Field(default=None, description="Whether every number was the same to the last bit.")
    worst_difference: float | None = Field(
        default=None, description="The largest difference of a number, as a share of that number."
    )
