"""The targets that a model learns from, for whoever needs no more than how many rows have which."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Targets:
    """Targets; `rows` says of how many rows each is, None where each is of one.

    Of numbers that are not in memory, there is their mean alone.
    """

    values: NDArray[Any]
    rows: NDArray[np.int64] | None = None

    @property
    def count(self) -> int:
        """How many rows these are."""
        return len(self.values) if self.rows is None else int(self.rows.sum())
