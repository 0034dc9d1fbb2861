"""Scores of trees: what one tree says, the sum or mean of many, or their weighted median."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from shared.compiled.kernels.trees import CATEGORIES, LEAF, NODE, SET_WORDS, add_trees, value_of_each_tree
from shared.compiled.parts import ArrayType, Flags, Floats, FormDamaged, Integers, Score, Table, Vector

Nodes = Annotated[NDArray[np.void], ArrayType(NODE, 1)]
Sets = Annotated[NDArray[np.uint32], ArrayType(np.uint32, 2)]


@dataclass(frozen=True)
class _Trees(Score):
    """Trees as `kernels.trees` walks them, over `width` features."""

    nodes: Nodes
    gaps_left: Flags
    sets: Sets
    roots: Integers
    leaves: Table
    features: int

    def check(self) -> None:
        """See that each node leads to nodes further on, and that all numbers are those of something.

        Raises:
            FormDamaged: when that is not so.
        """
        feature, left = self.nodes["feature"], self.nodes["left"]
        is_leaf, of_sets = feature == LEAF, feature < LEAF
        used = np.where(of_sets, CATEGORIES - feature, feature)
        sets = self.nodes["threshold"][of_sets]
        inner = ~is_leaf
        fits = (
            len(self.gaps_left) == len(self.nodes)
            and (self.gaps_left <= 1).all()
            and self.sets.shape[1] == SET_WORDS
            and self.leaves.shape[1] > 0
            and _within(self.roots, len(self.nodes))
            and _within(left[is_leaf], len(self.leaves))
            and _within(left[inner], len(self.nodes) - 1)
            # So that a walk ends.
            and bool((left[inner] > np.flatnonzero(inner)).all())
            and _within(used[inner], self.features)
            and bool(((sets >= 0) & (sets < len(self.sets))).all())
        )
        if not fits:
            raise FormDamaged("a tree leads out of its arrays")


@dataclass(frozen=True)
class SumOfTrees(_Trees):
    """The sum of what the trees say, each times `scale`, from `start` on, divided by `divisor`.

    A tree adds to the outputs from its number in `columns` on.
    """

    columns: Integers
    start: Vector
    scale: float
    divisor: float

    def check(self) -> None:
        """As for all trees; and that the outputs are there.

        Raises:
            FormDamaged: when that is not so.
        """
        super().check()
        last = len(self.start) - self.leaves.shape[1]
        if len(self.columns) != len(self.roots) or not _within(self.columns, last + 1):
            raise FormDamaged("a tree adds to an output that is not there")

    def values(self, features: Floats) -> Floats:
        """The sums, of shape (rows, outputs)."""
        out = np.empty((len(features), len(self.start)))
        out[:] = self.start
        add_trees(
            self.nodes,
            self.gaps_left,
            self.sets,
            self.roots,
            self.columns,
            self.leaves,
            self.scale,
            features,
            out,
        )
        if self.divisor != 1:
            out /= self.divisor
        return out


@dataclass(frozen=True)
class SumOverCategories(SumOfTrees):
    """A sum of trees some of whose features are categories that are written as numbers.

    The feature `encoded[c]` has the sorted categories from starts[c] on in `known`, and the trees see their places.
    """

    encoded: Integers
    known: Vector
    starts: Integers

    def values(self, features: Floats) -> Floats:
        """The sums, of shape (rows, outputs).

        Raises:
            ValueError: for an infinite number where there should be a category.
        """
        if np.isinf(features[:, self.encoded]).any():
            raise ValueError("a category is infinite")
        features = features.copy()
        for place, column in enumerate(self.encoded):
            known = self.known[self.starts[place] : self.starts[place + 1]]
            given = features[:, column]
            codes = np.minimum(np.searchsorted(known, given), len(known) - 1)
            features[:, column] = np.where(known[codes] == given, codes, np.nan)
        return super().values(features)


@dataclass(frozen=True)
class MedianOfTrees(_Trees):
    """The weighted median of what the trees say, as scikit-learn's AdaBoostRegressor finds it."""

    weights: Vector

    def check(self) -> None:
        """As for all trees; and that each has a weight.

        Raises:
            FormDamaged: when that is not so.
        """
        super().check()
        if len(self.weights) != len(self.roots):
            raise FormDamaged("a tree has no weight")

    def values(self, features: Floats) -> Floats:
        """The median of each row."""
        said = np.empty((len(features), len(self.roots)))
        value_of_each_tree(self.nodes, self.gaps_left, self.sets, self.roots, self.leaves, features, said)
        order = np.argsort(said, axis=1)
        reached = np.cumsum(self.weights[order], axis=1)
        middle = (reached >= 0.5 * reached[:, -1:]).argmax(axis=1)
        each = np.arange(len(features))
        found: Floats = said[each, order[each, middle]]
        return found


def _within(numbers: NDArray[np.integer], end: int) -> bool:
    return bool(((numbers >= 0) & (numbers < end)).all())
