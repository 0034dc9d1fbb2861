"""Compares numbers as they are written with the floats that are kept for them."""

from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

# Below it, every whole number is exact as a float.
EXACT = 2**53

_WHOLE = r"^[+-]?\d+$"
_FRACTION = r"^\s*[+-]?\d*\.\d+\s*$"
# Python and most programs write no float with more characters, unless it is very small.
_LONGEST_FLOAT = 20


def is_rounded(written: Decimal, number: float) -> bool:
    """Whether the float differs from the number as written, and is printed differently too."""
    return written != Decimal(number) and written != Decimal(repr(number))


def count_rounded(spelled: pa.Array, numbers: pa.Array) -> int:
    """How many of the floats are not what their spellings say."""
    pairs = zip(spelled.to_pylist(), numbers.to_pylist(), strict=True)
    return sum(1 for text, number in pairs if is_rounded(Decimal(text), number))


def count_rounded_wholes(cells: pa.Array, values: pa.Array) -> int:
    """How many of the integers, or strings that spell whole numbers, are not kept to the last digit as floats.

    `values` are the numbers that the cells were converted to.
    """
    written = values if pa.types.is_integer(values.type) else cells
    if pa.types.is_floating(written.type):
        return 0
    numbers = pc.cast(values, pa.float64(), safe=False)
    large = pc.greater_equal(pc.abs(numbers), float(EXACT))
    if not pc.any(large).as_py():
        return 0
    if pa.types.is_string(written.type):
        large = pc.and_(large, pc.match_substring_regex(pc.utf8_trim_whitespace(written), _WHOLE))
    large = pc.fill_null(large, False)
    return count_rounded(pc.cast(written.filter(large), pa.string()), numbers.filter(large))


def count_rounded_decimals(cells: pa.Array, values: pa.Array) -> int:
    """How many strings spell fractions of so many digits that their floats do not have them all."""
    lengths = pc.binary_length(cells)
    if (pc.max(lengths).as_py() or 0) <= _LONGEST_FLOAT:
        return 0
    long = pc.and_(pc.greater(lengths, _LONGEST_FLOAT), pc.match_substring_regex(cells, _FRACTION))
    long = pc.fill_null(pc.and_(long, pc.is_valid(values)), False)
    return count_rounded(pc.utf8_trim_whitespace(cells.filter(long)), values.filter(long))
