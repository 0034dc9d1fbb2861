"""How well one column alone predicts another: a table of its values, made from half of the rows."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Codes = NDArray[np.intp]

_BINS = 20
_LEAST_IN_HALF = 15
_MOST_CLASSES = 1_000
_SEED = 7


def halves_of(rows: int) -> NDArray[np.bool_]:
    """Which rows the rules are made from: half of them by chance, always the same ones."""
    chosen = np.zeros(rows, dtype=bool)
    chosen[np.random.default_rng(_SEED).permutation(rows)[: rows // 2]] = True
    return chosen


def binned_by(numbers: Numbers, learnt: NDArray[np.bool_]) -> Codes:
    """The bin of each number, between quantiles of those that are learnt from; gaps have one of their own."""
    there = np.isfinite(numbers)
    known = numbers[there & learnt]
    shares = np.arange(1, _BINS) / _BINS
    edges = np.unique(np.quantile(known, shares, method="inverted_cdf")) if len(known) else np.empty(0)
    # Both sides of an edge, so that a number that comes often is alone in its bin.
    edges = np.unique(np.concatenate([edges, np.nextafter(edges, -np.inf)]))
    codes: Codes = np.searchsorted(edges, numbers)
    return np.where(there, codes, len(edges) + 1)


def score_of_classes(codes: Codes, classes: Codes, learnt: NDArray[np.bool_]) -> float | None:
    """How many of the errors of the most frequent class a table from codes to classes takes away."""
    asked = ~learnt
    if min(learnt.sum(), asked.sum()) < _LEAST_IN_HALF or classes.max() >= _MOST_CLASSES:
        return None
    usual = int(np.bincount(classes[learnt]).argmax())
    many = int(classes.max()) + 1
    pairs, counts = np.unique(codes[learnt] * many + classes[learnt], return_counts=True)
    pairs = pairs[np.argsort(counts, kind="stable")]
    said = np.full(codes.max() + 1, usual)
    # Of several classes of a code, the last one stays, which is the most frequent.
    said[pairs // many] = pairs % many
    wrong, usually = np.mean(said[codes[asked]] != classes[asked]), np.mean(classes[asked] != usual)
    return None if usually == 0 else max(0.0, float(1 - wrong / usually))


def score_of_numbers(codes: Codes, numbers: Numbers | None, target: Numbers, learnt: NDArray[np.bool_]) -> float | None:
    """The share of the target's variance that the means of the bins explain, or a line through the numbers."""
    asked = ~learnt
    if min(learnt.sum(), asked.sum()) < _LEAST_IN_HALF:
        return None
    rows = np.bincount(codes[learnt], minlength=codes.max() + 1)
    sums = np.bincount(codes[learnt], weights=target[learnt], minlength=codes.max() + 1)
    mean = target[learnt].mean()
    said = np.where(rows > 0, sums / np.maximum(rows, 1), mean)[codes]
    total = np.sum((target[asked] - mean) ** 2)
    if not total > 0 or not np.isfinite(total):
        return None
    errors = [np.sum((target[asked] - said[asked]) ** 2)]
    if numbers is not None and np.isfinite(numbers).all():
        line = _line(numbers, target, learnt)
        if line is not None:
            errors.append(np.sum((target[asked] - line[asked]) ** 2))
    return max(0.0, float(1 - min(errors) / total))


def _line(numbers: Numbers, target: Numbers, learnt: NDArray[np.bool_]) -> Numbers | None:
    """What a straight line says that is fitted to the rows that are learnt from."""
    centre, spread = numbers[learnt].mean(), numbers[learnt].std()
    if not spread > 0 or not np.isfinite(spread):
        return None
    scaled = (numbers - centre) / spread
    slope = np.mean(scaled[learnt] * (target[learnt] - target[learnt].mean()))
    line: Numbers = target[learnt].mean() + slope * scaled
    return line
