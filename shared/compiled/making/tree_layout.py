"""Lays fitted trees out as the kernels walk them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.compiled.kernels.trees import CATEGORIES, LEAF, NODE, SET_WORDS
from shared.compiled.parts import Floats


class FittedTree(NamedTuple):
    """One tree as scikit-learn has it; children are negative for leaves, and `says` has what each node says.

    `categorical` numbers the set of categories that go left, among `sets`; it is negative where numbers are compared.
    """

    left: NDArray[np.integer]
    right: NDArray[np.integer]
    feature: NDArray[np.integer]
    threshold: Floats
    gaps_left: NDArray[np.integer]
    says: Floats
    categorical: NDArray[np.integer] | None = None
    sets: NDArray[np.uint32] | None = None


class TreeArrays(NamedTuple):
    """The arrays of many trees, by the names that scores of trees have for them."""

    nodes: NDArray[np.void]
    gaps_left: NDArray[np.uint8]
    sets: NDArray[np.uint32]
    roots: NDArray[np.int64]
    leaves: Floats


def layout_of(trees: Iterable[FittedTree]) -> TreeArrays:
    """Put trees one after the other, each level by level with siblings side by side."""
    nodes: list[NDArray[np.void]] = []
    gaps_left: list[NDArray[np.uint8]] = []
    sets = [np.zeros((0, SET_WORDS), dtype=np.uint32)]
    roots: list[int] = []
    leaves: list[Floats] = []
    node_count = leaf_count = set_count = 0
    for tree in trees:
        order = _order(tree.left, tree.right)
        is_leaf = tree.left[order] < 0
        laid = np.empty(len(order), dtype=NODE)
        laid["threshold"] = np.where(is_leaf, 0.0, tree.threshold[order])
        laid["feature"] = np.where(is_leaf, LEAF, tree.feature[order])
        # Each inner node's children come right after those of the inner nodes before it.
        laid["left"][~is_leaf] = node_count + 1 + 2 * np.arange(np.count_nonzero(~is_leaf))
        laid["left"][is_leaf] = leaf_count + np.arange(np.count_nonzero(is_leaf))
        if tree.categorical is not None and tree.sets is not None:
            of_sets = ~is_leaf & (tree.categorical[order] >= 0)
            laid["feature"][of_sets] = CATEGORIES - laid["feature"][of_sets]
            laid["threshold"][of_sets] = set_count + tree.categorical[order][of_sets]
            sets.append(tree.sets)
            set_count += len(tree.sets)
        nodes.append(laid)
        gaps_left.append(np.where(is_leaf, 0, tree.gaps_left[order] != 0).astype(np.uint8))
        leaves.append(tree.says[order][is_leaf])
        roots.append(node_count)
        node_count += len(laid)
        leaf_count += len(leaves[-1])
    return TreeArrays(
        np.concatenate(nodes),
        np.concatenate(gaps_left),
        np.concatenate(sets),
        np.array(roots, dtype=np.int64),
        np.ascontiguousarray(np.concatenate(leaves), dtype=np.float64),
    )


def tree_of(estimator: Any, says: Callable[[Any], Floats], features: Sequence[int] | None = None) -> FittedTree:
    """A fitted decision tree; `features` are the columns that it was shown, where it was not shown all of them."""
    tree = estimator.tree_
    # Leaves have a negative number there.
    feature = tree.feature if features is None else np.asarray(features)[np.maximum(tree.feature, 0)]
    return FittedTree(
        left=tree.children_left,
        right=tree.children_right,
        feature=feature,
        threshold=tree.threshold,
        gaps_left=tree.missing_go_to_left,
        says=says(estimator),
    )


def _order(left: NDArray[np.integer], right: NDArray[np.integer]) -> NDArray[np.intp]:
    """The nodes level by level, each node's children side by side."""
    levels = [np.zeros(1, dtype=np.intp)]
    while True:
        inner = levels[-1][left[levels[-1]] >= 0]
        if not len(inner):
            return np.concatenate(levels)
        levels.append(np.stack([left[inner], right[inner]], axis=1).reshape(-1).astype(np.intp))
