"""The folds that the candidates of a search are measured on: in the way in which the rows kept back were chosen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import InvalidSplit
from shared.evaluation.folds import Parts
from shared.training.folding import NoFolds, folds_of
from shared.training.preparing import Prepared
from shared.training.search.bench import fair_order

# Where the request or the platform wants no folds: a search cannot do without.
FOLDS_OF_SEARCH = 3
_LEAST = 2


def parts_of(ready: Prepared, *, usual: int) -> Parts:
    """As many folds as the request says, else as are usual, or fewer where the rows allow no more.

    Raises:
        InvalidSplit: when there cannot be so many, or not even two.
    """
    asked = ready.spec.split.folds
    most = asked or (usual if asked is None and usual else FOLDS_OF_SEARCH)
    least = most if asked else _LEAST
    train = ready.split.train
    reason = ""
    for count in range(most, least - 1, -1):
        try:
            return folds_of(ready.target[train], ready.spec, count, task=ready.task, by=ready.deciding(train))
        except NoFolds as refused:
            reason = str(refused)
    sentence = f"A search measures candidates on folds of the rows to fit, and {reason}. Add rows, or choose"
    sentence += " fewer 'split.folds'." if asked else " a smaller 'test_size' or another 'split'."
    raise InvalidSplit(sentence, errors=[{"loc": ["body", "split", "folds"], "msg": sentence}])


def in_fair_order(parts: Parts, ready: Prepared) -> Parts:
    """The same with the rows to fit so ordered that the first ones stand for all; of a time, the latest come first."""
    return [(fitted[_order(ready, fitted)], measured) for fitted, measured in parts]


def _order(ready: Prepared, fitted: NDArray[np.intp]) -> NDArray[np.intp]:
    rows = ready.split.train[fitted]
    by: Any = ready.deciding(rows)
    if by is not None and ready.spec.split.method == "time":
        return np.argsort(by.to_numpy(), kind="stable")[::-1]
    return fair_order(ready.target[rows], classes=ready.task == "classification", seed=ready.spec.random_state)
