"""What a model takes and what it gives, as data."""

from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_serializer

from shared.estimators.thresholds import Threshold
from shared.tables.columns import CellReading
from shared.tables.reading import Rules

Task = Literal["classification", "regression"]

# How many categories of a column are kept; they are the most frequent ones.
MOST_CATEGORIES = 100


class InputColumn(BaseModel):
    """One raw column that a row for prediction may hold."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: str
    missing_allowed: bool
    # The categories seen in training, for the reader's information: others are taken as not seen before.
    categories: list[Any] | None = None
    # False for a column of the table that the model leaves aside, so that whole raw rows can be sent.
    used: bool = True
    # How cells that are strings are read; None in models of older releases, which keep the rules of their time.
    cells: CellReading | None = Field(default=None, exclude_if=lambda cells: cells is None)

    @field_serializer("cells")
    def _shortened(self, cells: CellReading) -> dict[str, Any]:
        """What differs from the usual, and the rules, of which the newest are not always the same."""
        return cells.model_dump(mode="json", exclude_defaults=True) | {"rules": cells.rules}

    @cached_property
    def all_categories(self) -> frozenset[Any] | None:
        """Every category that training met; None where the signature does not tell, or values are not categories."""
        if not self.used or self.categories is None or len(self.categories) >= MOST_CATEGORIES:
            return None
        return frozenset(self.categories)


class Uncertainty(BaseModel):
    """What a model promises of rows like those of its table.

    For a share `level` of them the truth is within `margin` of a regressor's number, or among the labels to which a
    classifier gives at least the probability `margin`, the likeliest one included.
    """

    model_config = ConfigDict(frozen=True)

    level: float
    margin: float


class Signature(BaseModel):
    """The inputs in their order, the target and, for a classifier, its labels in the order of its probabilities.

    A `numeric` model takes a float64 array with one column per used input; any other takes a DataFrame by column name.
    `shared.training.frame` makes both.
    """

    model_config = ConfigDict(frozen=True)

    inputs: list[InputColumn]
    target: str
    task: Task
    classes: list[Any] | None
    numeric: bool
    # None where nothing is promised, as by models of older releases.
    uncertainty: Uncertainty | None = Field(default=None, exclude_if=lambda promise: promise is None)
    # None where the labels are the estimator's own answers. The model applies it; this tells of it.
    threshold: Threshold | None = Field(default=None, exclude_if=lambda threshold: threshold is None)

    @property
    def rules(self) -> Rules:
        """The rules by which the table was read that the model learnt from."""
        return max((column.cells.rules for column in self.inputs if column.cells is not None), default=1)

    @cached_property
    def gap_numbers(self) -> dict[int, frozenset[float]]:
        """The numbers that stood for a missing value in training, by the position of their column."""
        found = {
            position: column.cells.gap_numbers()
            for position, column in enumerate(self.inputs)
            if column.cells is not None and column.used
        }
        return {position: numbers for position, numbers in found.items() if numbers}

    @cached_property
    def used_positions(self) -> tuple[int, ...]:
        """Where in a row the values are that the model takes."""
        return tuple(position for position, column in enumerate(self.inputs) if column.used)

    @property
    def takes_plain_numbers(self) -> bool:
        """Whether finite numbers in all columns are all that the model needs to get, as they are."""
        return self.numeric and not self.gap_numbers and all(column.used for column in self.inputs)

    @property
    def used_inputs(self) -> tuple[InputColumn, ...]:
        """The columns that the model takes."""
        return tuple(column for column in self.inputs if column.used)
