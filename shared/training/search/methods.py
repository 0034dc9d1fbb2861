"""The ways of searching: which candidates are measured, in which order, and on how many rows."""

import math
from collections.abc import Sequence
from typing import Protocol

from shared.training.search.bench import Candidates, Tried
from shared.training.search.drawing import Values

# Of the candidates of a round, halving keeps a third for the next one, which has three times as many rows.
FACTOR = 3
# A round on fewer rows tells nothing.
_LEAST_ROWS = 20
_ROWS_PER_CLASS = 5


class Measure(Protocol):
    """Measures candidates, and remembers them."""

    def __call__(self, candidates: Candidates, *, share: float = 1.0) -> list[Tried]:
        """What the bench found, in their order; raises OutOfTime when the time is over."""


def rounds_of(candidates: int, rows: int, classes: int) -> list[tuple[int, float]]:
    """Of each round of halving, how many candidates it measures and on which share of `rows`; the last one has all."""
    least = max(_LEAST_ROWS, _ROWS_PER_CLASS * classes)
    count = 1 + min(_powers(candidates), _powers(max(rows // least, 1)))
    left, found = candidates, []
    for at in range(count):
        found.append((left, FACTOR ** (at + 1.0 - count)))
        left = math.ceil(left / FACTOR)
    return found


def try_all(candidates: Sequence[Values], measure: Measure) -> None:
    """Measure each on all rows."""
    measure(list(enumerate(candidates, start=1)))


def halve(candidates: Sequence[Values], rounds: Sequence[tuple[int, float]], measure: Measure, *, rises: bool) -> None:
    """Measure all on few rows, and the best ones again on more."""
    alive = list(enumerate(candidates, start=1))
    for count, share in rounds:
        measured = measure(alive[:count], share=share)
        alive = [(tried.number, dict(tried.values)) for tried in best_first(measured, rises=rises)]


def best_first(tried: Sequence[Tried], *, rises: bool) -> list[Tried]:
    """Those that did not fail, by the share of rows that they were measured with and then by their score."""
    sign = -1 if rises else 1
    sound = [each for each in tried if each.failure is None]
    return sorted(sound, key=lambda each: (-each.share, sign * each.mean, each.number))


def _powers(number: int) -> int:
    """How often the factor goes into a number."""
    found = 0
    while number >= FACTOR:
        number //= FACTOR
        found += 1
    return found
