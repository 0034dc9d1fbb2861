"""Walks rows down decision trees."""

import math

import numba
import numpy as np
from numpy.typing import NDArray

from shared.compiled.kernels.kernel import kernel

# One node. Its children lie side by side: the left one at `left`, the right one after it. A leaf has the feature LEAF
# and its number in `left`. A feature that is not negative is compared with the threshold. Any other is a feature of
# categories, written as CATEGORIES - feature, and its threshold is the number of the set of those that go left.
NODE = np.dtype([("threshold", np.float64), ("feature", np.int32), ("left", np.int32)])
LEAF = -1
CATEGORIES = -2
# A set of categories is this many words of 32 bits; scikit-learn has categories below 256.
SET_WORDS = 8
MOST_CATEGORIES = 32 * SET_WORDS

_NODES = numba.types.Array(numba.from_dtype(NODE), 1, "C")
_BYTES, _INTEGERS = numba.types.uint8[::1], numba.types.int64[::1]
_SETS, _TABLE = numba.types.uint32[:, ::1], numba.types.float64[:, ::1]


@numba.njit(nogil=True)
def _leaf(
    nodes: NDArray[np.void],
    gaps_left: NDArray[np.uint8],
    sets: NDArray[np.uint32],
    place: int,
    row: NDArray[np.float64],
) -> int:
    """The number of the leaf that a row comes to from the root at `place`."""
    while True:
        feature = nodes[place].feature
        if feature == LEAF:
            return int(nodes[place].left)
        if feature >= 0:
            value = row[feature]
            if math.isnan(value):
                right = 1 - gaps_left[place]
            elif value <= nodes[place].threshold:
                right = 0
            else:
                right = 1
        else:
            value = row[CATEGORIES - feature]
            if math.isnan(value) or value < 0 or value >= MOST_CATEGORIES:
                right = 1 - gaps_left[place]
            else:
                word = sets[int(nodes[place].threshold), int(value) >> 5]
                right = 1 - ((word >> (int(value) & 31)) & 1)
        place = nodes[place].left + right


@numba.njit(nogil=True, inline="always")
def _next(nodes: NDArray[np.void], place: np.uint64, row: NDArray[np.float64]) -> np.uint64:
    """One step of a row without gaps down a tree without categories; a leaf leads to itself.

    The processor has nothing to guess: which way a row goes is a number that is added.
    """
    node = nodes[place]
    after = np.uint64(node.left) + np.uint64(0 if row[np.uint64(max(node.feature, 0))] <= node.threshold else 1)
    return place if node.feature < 0 else after


@numba.njit(nogil=True, inline="always")
def _four_leaves(
    nodes: NDArray[np.void],
    a: np.uint64,
    b: np.uint64,
    c: np.uint64,
    d: np.uint64,
    row_a: NDArray[np.float64],
    row_b: NDArray[np.float64],
    row_c: NDArray[np.float64],
    row_d: NDArray[np.float64],
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """The leaves of four walks, each from its place: while one waits for the memory, the others go on."""
    while True:
        next_a, next_b = _next(nodes, a, row_a), _next(nodes, b, row_b)
        next_c, next_d = _next(nodes, c, row_c), _next(nodes, d, row_d)
        if next_a == a and next_b == b and next_c == c and next_d == d:
            return (
                np.uint64(nodes[a].left),
                np.uint64(nodes[b].left),
                np.uint64(nodes[c].left),
                np.uint64(nodes[d].left),
            )
        a, b, c, d = next_a, next_b, next_c, next_d


@numba.njit(nogil=True, inline="always")
def _add_leaf(
    leaves: NDArray[np.float64],
    leaf: np.uint64,
    scale: float,
    out: NDArray[np.float64],
    row: np.uint64,
    column: np.uint64,
) -> None:
    for output in range(np.uint64(leaves.shape[1])):
        out[row, column + np.uint64(output)] += scale * leaves[leaf, np.uint64(output)]


@numba.njit(nogil=True)
def _add_plain_row(
    nodes: NDArray[np.void],
    roots: NDArray[np.int64],
    columns: NDArray[np.int64],
    leaves: NDArray[np.float64],
    scale: float,
    row: NDArray[np.float64],
    out: NDArray[np.float64],
    at: np.uint64,
) -> None:
    """Add what plain trees say of one row, which goes down four of them at once."""
    whole = roots.shape[0] - roots.shape[0] % 4
    for first in range(0, whole, 4):
        root_a, root_b = np.uint64(roots[first]), np.uint64(roots[first + 1])
        root_c, root_d = np.uint64(roots[first + 2]), np.uint64(roots[first + 3])
        a, b, c, d = _four_leaves(nodes, root_a, root_b, root_c, root_d, row, row, row, row)
        _add_leaf(leaves, a, scale, out, at, np.uint64(columns[first]))
        _add_leaf(leaves, b, scale, out, at, np.uint64(columns[first + 1]))
        _add_leaf(leaves, c, scale, out, at, np.uint64(columns[first + 2]))
        _add_leaf(leaves, d, scale, out, at, np.uint64(columns[first + 3]))
    for tree in range(whole, roots.shape[0]):
        place = np.uint64(roots[tree])
        while nodes[place].feature >= 0:
            place = _next(nodes, place, row)
        _add_leaf(leaves, np.uint64(nodes[place].left), scale, out, at, np.uint64(columns[tree]))


@numba.njit(nogil=True)
def _add_plain_trees(
    nodes: NDArray[np.void],
    roots: NDArray[np.int64],
    columns: NDArray[np.int64],
    leaves: NDArray[np.float64],
    scale: float,
    rows: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """What `add_trees` does, for rows without gaps and trees without categories; four rows go down a tree at once.

    Indexes without a sign are not looked at for being negative.
    """
    whole = rows.shape[0] - rows.shape[0] % 4
    one, two, three = np.uint64(1), np.uint64(2), np.uint64(3)
    for tree in range(roots.shape[0]):
        root, column = np.uint64(roots[tree]), np.uint64(columns[tree])
        for first in range(0, whole, 4):
            at = np.uint64(first)
            a, b, c, d = rows[at], rows[at + one], rows[at + two], rows[at + three]
            leaf_a, leaf_b, leaf_c, leaf_d = _four_leaves(nodes, root, root, root, root, a, b, c, d)
            _add_leaf(leaves, leaf_a, scale, out, at, column)
            _add_leaf(leaves, leaf_b, scale, out, at + one, column)
            _add_leaf(leaves, leaf_c, scale, out, at + two, column)
            _add_leaf(leaves, leaf_d, scale, out, at + three, column)
    for left_over in range(whole, rows.shape[0]):
        at = np.uint64(left_over)
        _add_plain_row(nodes, roots, columns, leaves, scale, rows[at], out, at)


@kernel(numba.types.void(_NODES, _BYTES, _SETS, _INTEGERS, _INTEGERS, _TABLE, numba.types.float64, _TABLE, _TABLE))
def add_trees(
    nodes: NDArray[np.void],
    gaps_left: NDArray[np.uint8],
    sets: NDArray[np.uint32],
    roots: NDArray[np.int64],
    columns: NDArray[np.int64],
    leaves: NDArray[np.float64],
    scale: float,
    rows: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Add to each row of `out` (rows, outputs) what each tree says of it, times `scale`, one tree after the other.

    `leaves` (leaves, width) has what a leaf says; a tree adds it from its column of `out` on. `gaps_left` tells for
    each node whether a gap goes left.
    """
    if sets.shape[0] == 0 and not np.isnan(rows).any():
        _add_plain_trees(nodes, roots, columns, leaves, scale, rows, out)
        return
    width = leaves.shape[1]
    for tree in range(roots.shape[0]):
        column = columns[tree]
        for row in range(rows.shape[0]):
            leaf = _leaf(nodes, gaps_left, sets, roots[tree], rows[row])
            for output in range(width):
                out[row, column + output] += scale * leaves[leaf, output]


@kernel(numba.types.void(_NODES, _BYTES, _SETS, _INTEGERS, _TABLE, _TABLE, _TABLE))
def value_of_each_tree(
    nodes: NDArray[np.void],
    gaps_left: NDArray[np.uint8],
    sets: NDArray[np.uint32],
    roots: NDArray[np.int64],
    leaves: NDArray[np.float64],
    rows: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write into `out` (rows, trees) what each tree says of each row."""
    for tree in range(roots.shape[0]):
        for row in range(rows.shape[0]):
            out[row, tree] = leaves[_leaf(nodes, gaps_left, sets, roots[tree], rows[row]), 0]
