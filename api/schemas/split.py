"""The part of a training's body that says which rows are kept to measure on."""

from pydantic import Field

from api.schemas.base import RequestBody
from shared.training.spec import MOST_FOLDS, SplitChoice, SplitMethod


class SplitRequest(RequestBody):
    """How the rows to measure on are chosen."""

    method: SplitMethod = Field(
        default="random",
        description="`random`: by chance, with the same share of each class in both parts. `grouped`: all rows of one "
        "value of `by` are in the same part, such as those of one patient. `time`: the last rows in the order of `by`.",
    )
    by: str | None = Field(default=None, description="The column of the groups or of the time.", examples=[None])
    test_size: float | None = Field(
        default=None,
        description="The share of rows that is kept to measure on; 0.2 unless given here or beside `split`.",
        json_schema_extra={"exclusiveMinimum": 0, "exclusiveMaximum": 1},
        examples=[0.2],
    )
    folds: int | None = Field(
        default=None,
        description=f"On so many folds of the other rows (2 to {MOST_FOLDS}) the training is repeated, for the spread "
        "of its metrics and for intervals around predictions; 0 for none. `MLMINI_FOLDS` unless given, if there is "
        "time.",
        examples=[5],
    )

    @property
    def chosen(self) -> SplitChoice:
        """What a specification has of it."""
        return SplitChoice(method=self.method, by=self.by, folds=self.folds)
