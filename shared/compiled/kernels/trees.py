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
