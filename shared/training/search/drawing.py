"""The candidates of a search that are known before any is tried: drawn from its space, or all of a grid."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler

from shared.training.search.space import Choices, Range, Space, key_of, size_of

Values = dict[str, Any]

# So many draws for each candidate: in a small space, most are of one that was drawn before.
_DRAWS = 20
# Of more combinations than these, none is likely to be drawn twice, and scikit-learn cannot number them.
_MOST_COUNTED = 10**6


def drawn(space: Space, trials: int, *, seed: int) -> list[Values]:
    """So many different candidates, or all if there are fewer."""
    size = size_of(space)
    wanted = trials if size is None else min(trials, size)
    ranges = any(isinstance(entry, Range) for entry in space.values())
    if ranges or size is None or size > _MOST_COUNTED:
        sources = {name: _Drawn(entry) for name, entry in space.items()}
        return list(islice(_different(ParameterSampler(sources, trials * _DRAWS, random_state=seed)), wanted))
    # From lists alone, scikit-learn draws nothing twice.
    lists = {name: list(entry) for name, entry in space.items() if not isinstance(entry, Range)}
    return [dict(values) for values in ParameterSampler(lists, wanted, random_state=seed)]


def whole_grid(space: Space) -> list[Values]:
    """All combinations of the choices."""
    lists = {name: list(entry) for name, entry in space.items() if not isinstance(entry, Range)}
    return [dict(values) for values in ParameterGrid(lists)]


class _Drawn:
    """An entry of a space as scikit-learn draws from it."""

    def __init__(self, entry: Choices | Range) -> None:
        self._entry = entry

    def rvs(self, random_state: np.random.RandomState) -> Any:
        """A choice, or a number of the range."""
        if isinstance(self._entry, Range):
            return self._entry.number_at(float(random_state.uniform()))
        return self._entry[random_state.randint(len(self._entry))]


def _different(sampler: ParameterSampler) -> Iterator[Values]:
    seen = set()
    for values in sampler:
        if (key := key_of(values)) not in seen:
            seen.add(key)
            yield dict(values)
