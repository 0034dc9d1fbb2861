"""A fitted model as plain arrays: columns in, labels, numbers and probabilities out."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.compiled.kernels.columns import are_within, round_to_single
from shared.compiled.links import CHOICES, LINKS, NUMBERS
from shared.compiled.parts import Floats, FormDamaged, Score
from shared.compiled.recipe import CompiledRecipe
from shared.compiled.trees import SumOfTrees

# What numbers an estimator takes: those of single precision and gaps; finite ones; or whatever there is.
Takes = Literal["single", "finite", "anything"]


# The largest finite number.
LARGEST = sys.float_info.max


class Computed(NamedTuple):
    """One entry per row: the number, or the position of the label; and the probability of each label if asked for."""

    predictions: NDArray[Any]
    probabilities: Floats | None


class LabelThreshold(NamedTuple):
    """Of two labels, the one at `position` is chosen where its probability is at least `value`."""

    value: float
    position: int

    def chosen(self, shares: Floats) -> NDArray[np.intp]:
        """The position of the label of each row, from the probabilities of both."""
        found: NDArray[np.intp] = np.where(shares[:, self.position] >= self.value, self.position, 1 - self.position)
        return found


def is_gap(word: Any) -> bool:
    """Whether a cell of a column of categories is missing."""
    return word is None or (isinstance(word, float) and math.isnan(word))


@dataclass(frozen=True)
class CompiledModel:
    """The steps from columns to answers.

    `categories` has, for each column, the categories that training met, or None for a column of numbers. A classifier
    has a `choice` of the label; `link` makes probabilities, or the numbers of a regressor; without it there are none.
    A `threshold` chooses by the probabilities, instead.
    """

    categories: tuple[tuple[Any, ...] | None, ...]
    recipe: CompiledRecipe | None
    takes: Takes
    score: Score
    choice: str | None
    link: str | None
    threshold: LabelThreshold | None = None

    def __post_init__(self) -> None:
        """See that everything has its name.

        Raises:
            FormDamaged: when a name stands for nothing.
        """
        known = NUMBERS if self.choice is None else LINKS
        if self.choice not in {None, *CHOICES} or self.link not in {None, *known}:
            raise FormDamaged("a name of what is made of the scores is not known")
        if self.threshold is not None and (not self.gives_probabilities or self.threshold.position not in {0, 1}):
            raise FormDamaged("it has a threshold for what it does not tell")

    @property
    def gives_probabilities(self) -> bool:
        """Whether it is a classifier that has them."""
        return self.choice is not None and self.link is not None

    @property
    def memory_bytes(self) -> int:
        """What it takes in memory."""
        words = sum(len(each or ()) for each in self.categories)
        recipe = 0 if self.recipe is None else self.recipe.memory_bytes
        # A word with its entry in a dictionary takes some 200 bytes.
        return self.score.memory_bytes + recipe + 200 * words

    @cached_property
    def codes(self) -> tuple[dict[Any, float] | None, ...]:
        """The number of each category, for each column of categories."""
        return tuple(
            None if words is None else {word: float(place) for place, word in enumerate(words)}
            for words in self.categories
        )

    def coded(self, position: int, words: Sequence[Any]) -> Floats:
        """The numbers of the categories in the column at a position; None and NaN are gaps."""
        codes = self.codes[position]
        assert codes is not None, "a column of numbers has no categories"  # noqa: S101 - callers have looked
        unknown, number_of = float(len(codes)), codes.get
        found = np.array([number_of(word, unknown) for word in words], dtype=np.float64)
        for row in np.flatnonzero(found == unknown).tolist():
            if is_gap(words[row]):
                found[row] = np.nan
        return found

    def compute(self, rows: Floats, *, probabilities: bool) -> Computed:
        """What the model says of rows of columns, of shape (rows, columns), in C order.

        Raises:
            ValueError: for numbers that the estimator does not take, as scikit-learn does.
        """
        if self._never_warns:
            return self._compute(rows, probabilities=probabilities)
        # Overflows show in the result; a warning in the log would help nobody.
        with np.errstate(all="ignore"):
            return self._compute(rows, probabilities=probabilities)

    def labels(self, rows: Floats) -> int | None:
        """How many labels it chooses from, as rows show that it takes; None when it tells numbers.

        Raises:
            ValueError: for numbers that the estimator does not take.
        """
        if self.choice is None:
            return None
        scores = self.score.values(self._features(rows))
        return 2 if scores.ndim == 1 or scores.shape[1] == 1 else int(scores.shape[1])

    def _compute(self, rows: Floats, *, probabilities: bool) -> Computed:
        scores = self.score.values(self._features(rows))
        if self.choice is None:
            numbers = scores[:, 0] if scores.ndim == 2 else scores
            return Computed(NUMBERS[self.link or "as_they_are"](numbers), None)
        if self.threshold is not None and self.link is not None:
            shares = LINKS[self.link](scores)
            return Computed(self.threshold.chosen(shares), shares if probabilities else None)
        chosen = CHOICES[self.choice](scores)
        return Computed(chosen, LINKS[self.link](scores) if probabilities and self.link else None)

    @cached_property
    def _never_warns(self) -> bool:
        """Whether it only sums what leaves say. To silence NumPy takes as long as to walk down the trees."""
        return isinstance(self.score, SumOfTrees) and self.link in {None, "as_they_are"}

    def _features(self, rows: Floats) -> Floats:
        features = rows if self.recipe is None else self.recipe.features(rows)
        if self.takes == "single":
            rounded = np.empty(features.shape)
            if not round_to_single(features, rounded):
                raise ValueError("a number is too large for single precision")
            return rounded
        if self.takes == "finite" and not are_within(features, LARGEST):
            raise ValueError("a number is missing or not finite")
        if self.recipe is not None and self.recipe.by_column and len(rows) > 1:
            return np.asfortranarray(features)
        return features
