"""How far a regressor's numbers are off."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.evaluation.answers import Predicted
from shared.evaluation.assessment import Residuals

_QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
_MOST_BINS = 30
_MOST_POINTS = 500


def residuals(answers: Predicted, target: NDArray[Any], *, seed: int) -> Residuals | None:
    """Actual less predicted numbers: quantiles, a histogram, and some rows to draw; None where one is not finite."""
    predicted = answers.labels
    with np.errstate(over="ignore"):
        off = target - predicted
    if not np.isfinite(off).all():
        return None
    distances = np.quantile(np.abs(off), _QUANTILES)
    bins = int(min(max(np.sqrt(len(off)), 1), _MOST_BINS))
    counts, edges = _counted(off, bins)
    chosen = np.arange(len(off))
    if len(off) > _MOST_POINTS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(off), _MOST_POINTS, replace=False))
    return Residuals(
        mean=float(off.mean()),
        quantiles={f"{share:g}": float(distance) for share, distance in zip(_QUANTILES, distances, strict=True)},
        edges=edges.tolist(),
        counts=counts.tolist(),
        points=list(zip(predicted[chosen].tolist(), target[chosen].tolist(), strict=True)),
    )


def _counted(off: NDArray[np.float64], bins: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    try:
        return np.histogram(off, bins=bins)
    except ValueError:
        # All residuals lie closer together than so many edges could.
        return np.histogram(off, bins=1)
