"""What a search draws from: of each parameter a list of choices, or a range. Imports no scikit-learn."""

import json
import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from shared.estimators.json_schema import is_number

MOST_NAMES: Final = 30
MOST_CHOICES: Final = 100
# What is drawn from a range of numbers keeps so many digits, so that people can read and repeat it.
_DIGITS = 6
_GRID_POINTS = 4
_SHOWN = 60
_MEMBERS = frozenset({"low", "high", "log", "int"})

Choices = tuple[Any, ...]


class UnreadableSpace(Exception):
    """An entry of a space is not of a form that is known; the message says how to write it."""


class Range(NamedTuple):
    """All numbers from `low` to `high`, both among them; with `log`, each power of ten gets as many draws."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def number_at(self, share: float) -> float:
        """The number so far on the way from `low`, for 0, to `high`, for 1; each whole one has its part of the way."""
        low, high = (self.low - 0.5, self.high + 0.5) if self.whole else (self.low, self.high)
        return self.rounded(self._between(low, high, share))

    def rounded(self, value: float) -> float:
        """The number, as short as people write numbers and within the range."""
        near = round(value) if self.whole else float(f"{value:.{_DIGITS}g}")
        return min(max(near, self.low), self.high)

    def points(self, count: int = _GRID_POINTS) -> list[float]:
        """Some of its numbers, its ends among them."""
        between = [self._between(self.low, self.high, at / (count - 1)) for at in range(1, count - 1)]
        return list(dict.fromkeys([self.low, *(self.rounded(float(f"{each:.3g}")) for each in between), self.high]))

    def _between(self, low: float, high: float, share: float) -> float:
        if self.log:
            return math.exp(math.log(low) * (1 - share) + math.log(high) * share)
        # Not their difference, which may be beyond all floats.
        return low * (1 - share) + high * share

    def written(self) -> dict[str, Any]:
        """As JSON, with nothing left open."""
        return {"low": self.low, "high": self.high, "log": self.log, "int": self.whole}


Space = dict[str, Choices | Range]


def read_entry(name: str, written: Any) -> Choices | Range:
    """A list of choices or a range of a space. A range without `int` is of whole numbers if both its ends are.

    Raises:
        UnreadableSpace: when it is neither, is empty, or has wrong ends.
    """
    if isinstance(written, list):
        return _read_choices(name, written)
    if not isinstance(written, Mapping):
        raise UnreadableSpace(
            f"'{_shown(name)}' has {_shown(written)}. Write a list of choices, such as [{_shown(written)}], or a "
            'range, such as {"low": 1, "high": 10}.'
        )
    unknown = sorted(written.keys() - _MEMBERS)
    missing = [member for member in ("low", "high") if member not in written]
    if unknown or missing:
        wrong = f"has no '{missing[0]}'" if missing else f"has '{_shown(unknown[0])}', which is no part of one"
        raise UnreadableSpace(
            f'The range of \'{_shown(name)}\' {wrong}. Write {{"low": …, "high": …}}, with "log": true or "int": '
            "true where that is meant."
        )
    return _read_range(name, written)


def size_of(space: Space) -> int | None:
    """How many different candidates there are; None where some parameter has endlessly many values."""
    sizes = [_size(entry) for entry in space.values()]
    return None if None in sizes else math.prod(size for size in sizes if size is not None)


def as_grid(space: Space) -> Space:
    """The same with some points in the place of each range."""
    return {name: tuple(entry.points()) if isinstance(entry, Range) else entry for name, entry in space.items()}


def written_space(space: Space) -> dict[str, Any]:
    """The space as JSON."""
    return {name: entry.written() if isinstance(entry, Range) else list(entry) for name, entry in space.items()}


def key_of(values: Mapping[str, Any]) -> str:
    """The same for equal values only, as the estimator tells them apart: 1 and 1.0 are two."""
    return json.dumps(values, sort_keys=True)


def _read_choices(name: str, written: list[Any]) -> Choices:
    if not written:
        raise UnreadableSpace(f"'{_shown(name)}' has an empty list. Write what may be chosen into it, or leave it out.")
    if len(written) > MOST_CHOICES:
        raise UnreadableSpace(
            f"'{_shown(name)}' has {len(written):,} choices; {MOST_CHOICES} are the most. Write fewer, or a range."
        )
    return tuple({key_of({"": value}): value for value in written}.values())


def _read_range(name: str, written: Mapping[str, Any]) -> Range:
    low, high = written["low"], written["high"]
    for member in ("low", "high"):
        if not (is_number(written[member]) and _is_finite(written[member])):
            raise UnreadableSpace(
                f"'{member}' of '{_shown(name)}' must be a number, not {_shown(written[member])}. For other values, "
                "write a list of choices."
            )
    for member in ("log", "int"):
        if not isinstance(written.get(member, False), bool):
            raise UnreadableSpace(f"'{member}' of '{_shown(name)}' must be true or false.")
    if low > high:
        raise UnreadableSpace(
            f"The range of '{_shown(name)}' goes from {low} to {high}: 'low' must not be above 'high'. Swap them."
        )
    log, both_whole = written.get("log", False), isinstance(low, int) and isinstance(high, int)
    whole = written.get("int", both_whole)
    if log and low <= 0:
        raise UnreadableSpace(
            f"The range of '{_shown(name)}' begins at {low}: with 'log', 'low' must be above 0. Raise it, or leave out "
            "'log'."
        )
    if whole and not (low == int(low) and high == int(high)):
        raise UnreadableSpace(
            f"The range of '{_shown(name)}' goes from {low} to {high}: with 'int', both must be whole numbers. Round "
            "them, or leave out 'int'."
        )
    return Range(int(low), int(high), log, True) if whole else Range(float(low), float(high), log, False)


def _is_finite(value: float) -> bool:
    # A whole number of JSON may be larger than any float.
    return abs(value) <= 1e300


def _size(entry: Choices | Range) -> int | None:
    if not isinstance(entry, Range):
        return len(entry)
    if entry.whole:
        return int(entry.high) - int(entry.low) + 1
    return 1 if entry.low == entry.high else None


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
