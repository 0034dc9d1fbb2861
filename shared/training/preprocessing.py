"""What a request may say about the treatment of columns. Imports no scikit-learn."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Impute = Literal["median", "mean", "most_frequent", "zero", "none"]
Encode = Literal["one_hot", "ordinal", "target"]
Scale = Literal["squash", "standard", "robust", "minmax", "none"]
Text = Literal["characters", "words", "hashing"]
Cycle = Literal["day", "week", "month", "year"]


class ColumnChoice(BaseModel):
    """What is to be done to one column; what is left out stays as it would be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    drop: bool = Field(default=False, strict=True, description="Leave the column out.")
    kind: Literal["category", "text"] | None = Field(
        default=None,
        description="Take numbers or texts for categories, or categories for texts.",
    )
    impute: Impute | None = Field(default=None, description="What gaps of numbers, dates and categories become.")
    encode: Encode | None = Field(
        default=None,
        description="What becomes of categories: a column each, a number each, or the mean of the target.",
    )
    scale: Scale | None = Field(default=None, description="How numbers and dates are scaled.")
    text: Text | None = Field(
        default=None,
        description="What becomes of texts: 30 columns from their groups of characters, 30 from their words, or 256 "
        "columns that words are hashed into.",
    )
    cycles: tuple[Cycle, ...] | None = Field(
        default=None, max_length=4, description="Of dates, the cycles that become columns, beside the days since 1970."
    )

    @property
    def named(self) -> dict[str, Any]:
        """What it says, by name."""
        return self.model_dump(exclude_defaults=True)


Preprocessing = Literal["auto", "none"] | dict[str, ColumnChoice]
