"""The part of a training's body that asks for a table to be learnt from some rows at a time."""

from pydantic import Field

from api.schemas.base import RequestBody
from shared.training.spec import LEAST_BATCH, MOST_BATCH, MOST_PASSES, USUAL_BATCH, BatchesChoice


class BatchesRequest(RequestBody):
    """How many rows the estimator is shown at a time, and how often all of them."""

    rows: int = Field(
        default=USUAL_BATCH,
        ge=LEAST_BATCH,
        le=MOST_BATCH,
        description="About how many rows a batch has. They are drawn from the whole table; the memory of the job grows "
        "with this number.",
    )
    passes: int = Field(
        default=1,
        ge=1,
        le=MOST_PASSES,
        description="How often the estimator is shown all rows. More are of use to linear models and networks, and of "
        "none to naive Bayes.",
    )

    @property
    def chosen(self) -> BatchesChoice:
        """What a specification has of it."""
        return BatchesChoice(rows=self.rows, passes=self.passes)
