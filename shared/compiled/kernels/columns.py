"""Turns the columns of a table into the features that an estimator takes."""

import math

import numba
import numpy as np
from numpy.typing import NDArray

from shared.compiled.kernels.kernel import kernel

_FLOATS, _INTEGERS, _BYTES = numba.types.float64[::1], numba.types.int64[::1], numba.types.uint8[::1]
_TABLE = numba.types.float64[:, ::1]


@kernel(numba.types.void(_INTEGERS, _BYTES, _FLOATS, _FLOATS, _FLOATS, _TABLE, _TABLE))
def put_numbers(
    sources: NDArray[np.int64],
    indicates: NDArray[np.uint8],
    fills: NDArray[np.float64],
    shifts: NDArray[np.float64],
    scales: NDArray[np.float64],
    rows: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write the first features: a number, or 1 for a gap and 0 for none; then less the shift, divided by the scale.

    A number that is missing becomes the fill first.
    """
    for row in range(rows.shape[0]):
        for feature in range(sources.shape[0]):
            value = rows[row, sources[feature]]
            if indicates[feature]:
                value = 1.0 if math.isnan(value) else 0.0
            elif math.isnan(value):
                value = fills[feature]
            out[row, feature] = (value - shifts[feature]) / scales[feature]


@kernel(numba.types.void(_INTEGERS, _FLOATS, _FLOATS, _INTEGERS, numba.types.int64, _TABLE, _TABLE))
def put_bins(
    sources: NDArray[np.int64],
    fills: NDArray[np.float64],
    edges: NDArray[np.float64],
    starts: NDArray[np.int64],
    first: int,
    rows: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write, from the feature `first` on, how many of the edges of a feature are not above a number."""
    for row in range(rows.shape[0]):
        for feature in range(sources.shape[0]):
            value = rows[row, sources[feature]]
            if math.isnan(value):
                value = fills[feature]
            count = 0
            while count < starts[feature + 1] - starts[feature] and edges[starts[feature] + count] <= value:
                count += 1
            out[row, first + feature] = count


@kernel(numba.types.void(_INTEGERS, _INTEGERS, _INTEGERS, _FLOATS, numba.types.int64, _TABLE, _TABLE))
def put_tables(
    sources: NDArray[np.int64],
    widths: NDArray[np.int64],
    starts: NDArray[np.int64],
    entries: NDArray[np.float64],
    first: int,
    rows: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write, from the feature `first` on, what the table of a column says of a category: as many features as its width.

    A table has one line for a gap, one for each category in their order, and the last one for all others.
    """
    for row in range(rows.shape[0]):
        feature = first
        for column in range(sources.shape[0]):
            width = widths[column]
            lines = (starts[column + 1] - starts[column]) // width
            value = rows[row, sources[column]]
            line = 0 if math.isnan(value) else min(max(int(value), 0) + 1, lines - 1)
            for entry in range(width):
                out[row, feature + entry] = entries[starts[column] + line * width + entry]
            feature += width


@kernel(numba.types.void(_INTEGERS, _FLOATS, _FLOATS, _INTEGERS, _FLOATS, _FLOATS, numba.types.int64, _TABLE, _TABLE))
def put_waves(
    sources: NDArray[np.int64],
    fills: NDArray[np.float64],
    periods: NDArray[np.float64],
    starts: NDArray[np.int64],
    places: NDArray[np.float64],
    heights: NDArray[np.float64],
    first: int,
    rows: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Write, from the feature `first` on, the height of a line through points, where a number is in its period.

    As `numpy.interp` computes it, bit by bit. The first point of each line is not above 0, the last one not below its
    period.
    """
    for row in range(rows.shape[0]):
        for feature in range(sources.shape[0]):
            value = rows[row, sources[feature]]
            if math.isnan(value):
                value = fills[feature]
            value %= periods[feature]
            if not math.isfinite(value):
                out[row, first + feature] = math.nan
                continue
            point = starts[feature]
            while point + 2 < starts[feature + 1] and places[point + 1] <= value:
                point += 1
            slope = (heights[point + 1] - heights[point]) / (places[point + 1] - places[point])
            height = slope * (value - places[point]) + heights[point]
            # At a point, its own height: a sum could differ in its last digit.
            if places[point] == value:
                height = heights[point]
            elif places[point + 1] == value:
                height = heights[point + 1]
            out[row, first + feature] = height


@kernel(numba.types.boolean(_INTEGERS, _FLOATS, _FLOATS, _FLOATS, _FLOATS, _FLOATS, _FLOATS, _TABLE))
def bend_numbers(
    features: NDArray[np.int64],
    factors: NDArray[np.float64],
    offsets: NDArray[np.float64],
    middles: NDArray[np.float64],
    units: NDArray[np.float64],
    places: NDArray[np.float64],
    heights: NDArray[np.float64],
    out: NDArray[np.float64],
) -> bool:
    """Scale some features twice, and make them the height of a line through points there; False for infinite ones.

    As `numpy.interp` computes it, bit by bit.
    """
    last = places.shape[0] - 1
    for row in range(out.shape[0]):
        for each in range(features.shape[0]):
            value = out[row, features[each]]
            scaled = value * factors[each]
            scaled += offsets[each]
            if math.isinf(value) or math.isinf(scaled):
                return False
            place = (scaled - middles[each]) / units[each]
            if math.isnan(place):
                out[row, features[each]] = place
            elif place <= places[0]:
                out[row, features[each]] = heights[0]
            elif place >= places[last]:
                out[row, features[each]] = heights[last]
            else:
                point = 0
                while places[point + 1] <= place:
                    point += 1
                slope = (heights[point + 1] - heights[point]) / (places[point + 1] - places[point])
                height = slope * (place - places[point]) + heights[point]
                # At a point, its own height: a sum could differ in its last digit.
                out[row, features[each]] = heights[point] if places[point] == place else height
    return True


@kernel(numba.types.boolean(_TABLE, _TABLE))
def round_to_single(rows: NDArray[np.float64], out: NDArray[np.float64]) -> bool:
    """Write the numbers of single precision that are nearest; False when one of them is infinite."""
    finite = True
    for row in range(rows.shape[0]):
        for column in range(rows.shape[1]):
            value = np.float64(np.float32(rows[row, column]))
            finite = finite and not math.isinf(value)
            out[row, column] = value
    return finite


@kernel(numba.types.boolean(_TABLE, numba.types.float64))
def are_within(rows: NDArray[np.float64], most: float) -> bool:
    """Whether no number is missing, or further from 0 than `most`."""
    for row in range(rows.shape[0]):
        for column in range(rows.shape[1]):
            if not math.fabs(rows[row, column]) <= most:
                return False
    return True


@kernel(numba.types.void(_FLOATS, _TABLE))
def sigmoid_pairs(decisions: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write 1 - p and p for the logistic function p of each decision, with the exponential that SciPy's has, too."""
    for row in range(decisions.shape[0]):
        share = 1.0 / (1.0 + math.exp(-decisions[row]))
        out[row, 0] = 1.0 - share
        out[row, 1] = share
