"""How the columns of a table go together, and what speaks against one as a target, as data."""

from enum import StrEnum

from pydantic import BaseModel, Field


class TargetDoubt(StrEnum):
    """What a warning about a target is about."""

    PREDICTS_ALONE = "predicts_alone"
    RARE_CLASSES = "rare_classes"
    FEW_NUMBERS = "few_numbers"
    DUPLICATE_ROWS = "duplicate_rows"
    DIFFERENT_TARGETS = "different_targets"


class Correlation(BaseModel):
    """How two columns of numbers go together, in the rows that have both."""

    columns: tuple[str, str] = Field(description="The two columns.")
    pearson: float = Field(description="How far they are on a line, from -1 to 1.")
    spearman: float = Field(description="How far one rises with the other, from -1 to 1: the same of their ranks.")
    rows: int = Field(description="How many of the rows that were looked at have both.")


class CorrelationMatrix(BaseModel):
    """The correlations of ranks between the columns that correlate most."""

    columns: list[str] = Field(description="At most 12 columns.")
    spearman: list[list[float | None]] = Field(description="A row for each of them; null where it cannot be told.")


class ColumnScore(BaseModel):
    """How well one column alone predicts the target."""

    column: str = Field(description="The column.")
    score: float = Field(
        description="How well, on the half of the rows that the rule was not made from: 1 is always right, 0 is no "
        "better than the most frequent class or the mean."
    )


class TargetWarning(BaseModel):
    """Something that makes a target doubtful, and what to do."""

    code: TargetDoubt = Field(description="What it is about.")
    column: str = Field(description="The column that it is about.")
    count: int | None = Field(default=None, description="How many classes, numbers or rows.")
    detail: str = Field(description="What was found, and what to do.")


class Relations(BaseModel):
    """How columns go together, and what speaks against the target."""

    target: str = Field(description="The column that is to be predicted.")
    rows_looked_at: int = Field(
        description="How many rows, evenly taken from the whole, correlations and scores are of."
    )
    rows_compared: int = Field(description="How many of the first rows were compared with each other.")
    correlations: list[Correlation] = Field(
        description="The at most 40 pairs that correlate most, of the first 100 columns of numbers."
    )
    matrix: CorrelationMatrix | None = Field(description="Null with fewer than two columns that can be compared.")
    scores: list[ColumnScore] = Field(description="The at most 20 columns that alone predict the target best.")
    warnings: list[TargetWarning] = Field(description="What makes the target doubtful.")
