"""Labels and cells as JSON has them."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd


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
