"""Finds numbers and moments that are far from all others of their column.

They may stand for no value, as -999 and 9999-12-31 do, or be a mistake. In 2,400 public tables with 29,000 columns of
numbers, 30 columns have such a value, and in all but two of them (constants of physics) it is one or the other.
"""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shared.tables.findings import FindingCode
from shared.tables.notes import Note

_LEAST_VALUES = 10
_LEAST_DIFFERENT = 3
_SAMPLE = 256
# What is so many times as far from all others as these are from each other is no measure of the same thing.
_TOO_FAR = 100
_LEAST_NINES = 3
# What programs write for no value: the ends of their types, and the fill values of file formats.
_FILLS = (
    *(2.0**15 - 1, 2.0**15, 2.0**16 - 1, 2.0**31 - 1, 2.0**31, 2.0**32 - 1, 2.0**63, 2.0**64),
    *(1.70141e38, 3.4028234663852886e38, 1.7976931348623157e308, 9.969209968386869e36),
)
# Logs of wells have it.
_LOGS = -999.25
# Where calendars of programs begin and end.
_DAYS = {
    *(date(1, 1, 1), date(1601, 1, 1), date(1753, 1, 1), date(1899, 12, 30), date(1900, 1, 1), date(1904, 1, 1)),
    *(date(1970, 1, 1), date(2099, 12, 31), date(2999, 12, 31), date(9999, 12, 31)),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class _End:
    """A number at one end of a column: the first row with it, and how many rows have it."""

    number: float
    row: int
    count: int


class Ends:
    """Keeps the two smallest and the two largest values of a column, chunk by chunk; moments as whole seconds."""

    def __init__(self) -> None:
        self._moments = False
        self._values = 0
        self._ends: dict[float, _End] = {}
        self._spelled = False

    def add(self, values: pa.Array, *, row: int, spelled: bool) -> None:
        """Take a chunk with at least one value, of which the first is in `row`; `spelled` if the file has strings."""
        self._values += len(values) - values.null_count
        self._spelled = spelled
        self._moments = pa.types.is_timestamp(values.type)
        if self._moments:
            # Floats cannot tell the last microsecond of the year 9999 from the first one after it.
            values = pc.divide(values.cast(pa.int64()), 1_000_000)
        extremes = pc.min_max(values)
        low, high = float(extremes["min"].as_py()), float(extremes["max"].as_py())
        numbers = values.to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
        for end in _ordinary(numbers, low, high) or _ends(numbers, low, high):
            known = self._ends.setdefault(end.number, _End(end.number, row + end.row, 0))
            known.count += end.count
        kept = sorted(self._ends)
        self._ends = {number: self._ends[number] for number in {*kept[:2], *kept[-2:]}}

    @property
    def extremes(self) -> tuple[float, float] | None:
        """The smallest and the largest value; None before the first one."""
        return (min(self._ends), max(self._ends)) if self._ends else None

    def notes(self) -> list[Note]:
        """A note for each end that is far from all others."""
        ends = sorted(self._ends)
        if self._values < _LEAST_VALUES or len(ends) < _LEAST_DIFFERENT:
            return []
        far = [number for number in (ends[0], ends[-1]) if self._is_far(number, ends)]
        others = [number for number in ends if number not in far]
        return [self._note(self._ends[number], others[0], others[-1]) for number in far]

    def _is_far(self, number: float, ends: list[float]) -> bool:
        """Whether an end is farther from all others than these are from each other, and a code or much too far."""
        others = [other for other in ends if other != number]
        if len(others) > 2:
            # -999 and 999 may both stand for no value.
            others = [other for other in others if other in (ends[1], ends[-2]) or not self._is_known_code(other)]
        apart = others[-1] - others[0]
        gap = min(abs(number - other) for other in others)
        if gap <= apart:
            return False
        return (
            gap > _TOO_FAR * apart or self._is_known_code(number) or (self._is_negative_code(number) and others[0] >= 0)
        )

    def _is_known_code(self, number: float) -> bool:
        """Whether programs often write this value where there is none."""
        if self._moments:
            return _moment(number).date() in _DAYS
        if any(math.isclose(abs(number), fill, rel_tol=1e-6) for fill in _FILLS) or number == _LOGS:
            return True
        digits = repr(abs(number)).removesuffix(".0").replace(".", "")
        return len(digits) >= _LEAST_NINES and set(digits) == {"9"}

    def _is_negative_code(self, number: float) -> bool:
        return not self._moments and number in (-9, -99)

    def _note(self, end: _End, least: float, most: float) -> Note:
        value = self._written(end.number)
        if not self._moments:
            fix = (
                f"Send 'gap_words' with '{value}', and with all words that shall go on to count as missing, such as NA,"
            )
        elif self._spelled:
            fix = (
                "Send 'gap_words' with it as the file writes it, and with all words that shall go on to count as "
                "missing, such as NA,"
            )
        else:
            fix = "Leave its cells empty in the file"
        which = "cell has" if end.count == 1 else "cells have"
        detail = (
            f"{end.count:,} {which} {value}, which is far from all others ({self._written(least)} to "
            f"{self._written(most)}) and may stand for no value or be a mistake. It was kept. {fix} to read it as "
            "missing."
        )
        return Note(FindingCode.FAR_VALUE, end.row, end.count, detail)

    def _written(self, number: float) -> str:
        if not self._moments:
            return repr(number).removesuffix(".0")
        return _moment(number).replace(tzinfo=None).isoformat(" ").removesuffix(" 00:00:00")


def _moment(seconds: float) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)


def _ordinary(numbers: NDArray[np.float64], low: float, high: float) -> list[_End]:
    """Four numbers that show that neither end of a chunk is far from the rest; empty if a few samples do not show it.

    In nearly all columns they do, which saves a look at each number.
    """
    few = numbers[:: max(len(numbers) // _SAMPLE, 1)]
    few = few[(few > low) & (few < high)]
    if not few.size:
        return []
    least, most = float(few.min()), float(few.max())
    # What is skewed to one side needs a look at that side only.
    if high - most > most - least:
        most = float(numbers[numbers < high].max())
    if least - low > most - least:
        least = float(numbers[numbers > low].min())
    if max(high - most, least - low) > most - least:
        return []
    return [_End(number, 0, 0) for number in (low, least, most, high)]


def _ends(numbers: NDArray[np.float64], low: float, high: float) -> list[_End]:
    """The two smallest and the two largest numbers of a chunk; only the outer ones are counted."""
    found = [_counted(numbers, low), _counted(numbers, high)] if high > low else [_counted(numbers, low)]
    between = numbers[(numbers > low) & (numbers < high)]
    if between.size:
        found += [_End(float(between.min()), 0, 0), _End(float(between.max()), 0, 0)]
    return found


def _counted(numbers: NDArray[np.float64], number: float) -> _End:
    places = numbers == number
    return _End(number, int(places.argmax()), int(np.count_nonzero(places)))
