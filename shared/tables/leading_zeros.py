"""Finds leading zeros among many cells, as codes have them and numbers do not."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shared.tables.string_bytes import first_bytes, may_be_blank

# After any blanks of Unicode and a sign; the letter makes a hexadecimal number, which Arrow would take for an integer.
_CODE = r"^[\x{09}-\x{0D}\x{1C}-\x{20}\x{85}\pZ]*[+-]?0[\dxX]"

_ZERO, _NINE = ord("0"), ord("9")


def has_codes(cells: pa.Array) -> bool:
    """Whether a string has a leading zero before a digit or an x: 007 and 0x10, but not 0.7."""
    first, second, third = first_bytes(cells, 3)
    signed = (first == ord("+")) | (first == ord("-"))
    if ((first == _ZERO) & _goes_on(second)).any() or (signed & (second == _ZERO) & _goes_on(third)).any():
        return True
    # Blanks before a number are rare, so looking at them closely costs little.
    blanks = may_be_blank(first)
    if not blanks.any():
        return False
    return bool(pc.any(pc.match_substring_regex(cells.filter(pa.array(blanks)), _CODE)).as_py())


def _goes_on(letters: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where a code goes on after its zero."""
    on: NDArray[np.bool_] = ((letters >= _ZERO) & (letters <= _NINE)) | (letters == ord("x")) | (letters == ord("X"))
    return on
