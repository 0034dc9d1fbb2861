"""Labels and cells as JSON has them."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def coded(labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The different labels in their order, and the place of each row's among them: as `numpy.unique` tells both.

    Texts are not sorted, but looked up, which takes a small part of the time.
    """
    if labels.dtype != object:
        found, places = np.unique(labels, return_inverse=True)
        return found, places
    # With a place of its own, a label that is missing ends in an error below, and not as the last one of the others.
    codes, different = pd.factorize(labels, use_na_sentinel=False)
    order = np.argsort(different, kind="stable")
    ranks = np.empty(len(order), dtype=np.intp)
    ranks[order] = np.arange(len(order))
    return different[order], ranks[codes]


def plain(label: Any) -> Any:
    """A label as JSON has it: numpy's integers, booleans and texts as Python's."""
    return label.item() if isinstance(label, np.generic) else label


def plain_cell(cell: Any) -> Any:
    """A cell of a table as JSON has it: null for a gap, a moment as text."""
    if pd.isna(cell):
        return None
    if isinstance(cell, datetime):
        return cell.isoformat()
    return plain(cell)
