"""Finds leading zeros among many cells, as codes have them and numbers do not."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# After any blanks of Unicode and a sign; the letter makes a hexadecimal number, which Arrow would take for an integer.
_CODE = r"^[\x{09}-\x{0D}\x{1C}-\x{20}\x{85}\pZ]*[+-]?0[\dxX]"

_ZERO = ord("0")
_SIGNS = (ord("+"), ord("-"))
_DELETE = 0x7F


def has_codes(cells: pa.Array) -> bool:
    """Whether a string has a leading zero before a digit or an x: 007 and 0x10, but not 0.7."""
    first, second, third = (_bytes_at(cells, place) for place in range(3))
    signed = (first == _SIGNS[0]) | (first == _SIGNS[1])
    after = np.where(signed, third, second)
    zero = np.where(signed, second, first) == _ZERO
    if (zero & (((after >= _ZERO) & (after <= ord("9"))) | (after == ord("x")) | (after == ord("X")))).any():
        return True
    # Blanks before a number are rare, so looking at them closely costs little.
    blanks = ((first > 0) & (first <= ord(" "))) | (first >= _DELETE)
    if not blanks.any():
        return False
    return bool(pc.any(pc.match_substring_regex(cells.filter(pa.array(blanks)), _CODE)).as_py())


def _bytes_at(cells: pa.Array, place: int) -> NDArray[np.uint8]:
    """One byte of each string, 0 where it is shorter or missing."""
    _, ends, data = cells.buffers()
    offsets = np.frombuffer(ends, np.int32)[cells.offset : cells.offset + len(cells) + 1]
    if data is None or not len(data):
        return np.zeros(len(cells), np.uint8)
    codes = np.frombuffer(data, np.uint8)
    at = offsets[:-1] + place
    found = codes[np.minimum(at, len(codes) - 1)]
    found[at >= offsets[1:]] = 0
    return found
