"""Moments: which ones a table can hold, and how those of other units become ones.

A table keeps microseconds, from the year 1 to 9999: what JSON, Python and ISO 8601 can say.
"""

import pyarrow as pa
import pyarrow.compute as pc

MOMENT = pa.timestamp("us")

# Seconds since 1970-01-01: the first moment of the year 1, and the first one after the year 9999.
_FIRST = -62_135_596_800
_END = 253_402_300_800
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY_SECONDS = 86_400
_FINER = r"\.\d{6}\d*[1-9]"


def in_microseconds(cells: pa.Array) -> pa.Array:
    """Dates or timestamps as moments in UTC. What is finer than a microsecond is left out, also before 1970.

    Raises:
        pa.ArrowInvalid: for a moment outside of the years 1 to 9999, see `first_outside`.
    """
    if first_outside(cells) is not None:
        raise pa.ArrowInvalid("outside of the years 1 to 9999")
    if _is_in_nanoseconds(cells):
        return _whole_microseconds(cells).view(MOMENT)
    return pc.cast(cells, MOMENT)


def first_outside(cells: pa.Array) -> int | None:
    """Where the first date or timestamp is that is outside of the years 1 to 9999."""
    if _is_in_nanoseconds(cells):
        # Nanoseconds cannot say a moment after the year 2262.
        return None
    if pa.types.is_date32(cells.type):
        first, end, counts = _FIRST // _DAY_SECONDS, _END // _DAY_SECONDS, cells.view(pa.int32())
    else:
        per_second = _PER_SECOND["ms" if pa.types.is_date64(cells.type) else cells.type.unit]
        first, end, counts = _FIRST * per_second, _END * per_second, cells.view(pa.int64())
    outside = pc.or_(pc.less(counts, first), pc.greater_equal(counts, end))
    position = int(pc.index(outside, True).as_py())
    return None if position < 0 else position


def count_finer(cells: pa.Array) -> int:
    """How many timestamps are finer than a microsecond."""
    if not _is_in_nanoseconds(cells):
        return 0
    counts = cells.view(pa.int64())
    return int(pc.sum(pc.not_equal(pc.multiply(pc.divide(counts, 1000), 1000), counts)).as_py() or 0)


def count_finer_spelled(cells: pa.Array) -> int:
    """How many strings that spell moments name more than microseconds."""
    return int(pc.sum(pc.match_substring_regex(cells, _FINER)).as_py() or 0)


def _is_in_nanoseconds(cells: pa.Array) -> bool:
    return bool(pa.types.is_timestamp(cells.type)) and cells.type.unit == "ns"


def _whole_microseconds(nanoseconds: pa.Array) -> pa.Array:
    """How many microseconds since 1970, cut towards the past, as neither a cast nor a division of integers would.

    `floor_temporal` of pyarrow wraps for the first moment that nanoseconds have.
    """
    counts = nanoseconds.view(pa.int64())
    towards_1970 = pc.divide(counts, 1000)
    is_cut = pc.less(counts, pc.multiply(towards_1970, 1000))
    return pc.subtract(towards_1970, pc.cast(is_cut, pa.int64()))
