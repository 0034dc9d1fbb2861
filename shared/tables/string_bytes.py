"""Looks at the bytes of many strings at once, several times as fast as at the strings themselves."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_NOT_ASCII = 0x80
_DELETE = 0x7F
_BLANK = ord(" ")


def first_bytes(cells: pa.Array, count: int) -> Iterator[NDArray[np.uint8]]:
    """The first byte of each string, the second one, and so on; 0 where it is shorter or missing."""
    offsets, codes = _offsets(cells), _codes(cells)
    lengths = np.diff(offsets)
    begins = offsets[:-1].astype(np.intp)
    for place in range(count):
        yield _taken(codes, begins + place, lengths > place)


def last_bytes(cells: pa.Array) -> NDArray[np.uint8]:
    """The last byte of each string, 0 where it is empty or missing."""
    offsets = _offsets(cells)
    return _taken(_codes(cells), offsets[1:].astype(np.intp) - 1, np.diff(offsets) > 0)


def is_ascii(cells: pa.Array) -> bool:
    """Whether all strings are ASCII."""
    offsets, codes = _offsets(cells), _codes(cells)
    own = codes[offsets[0] : offsets[-1]] if len(codes) else codes
    return not len(own) or int(own.max()) < _NOT_ASCII


def may_have_blanks_around(cells: pa.Array) -> bool:
    """Whether a string may begin or end with a blank of Unicode; if not, none does."""
    (first,) = first_bytes(cells, 1)
    return bool(may_be_blank(first).any() or may_be_blank(last_bytes(cells)).any())


def may_be_blank(codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which bytes are a blank, or part of a letter that may be one."""
    blank: NDArray[np.bool_] = ((codes > 0) & (codes <= _BLANK)) | (codes >= _DELETE)
    return blank


def _taken(codes: NDArray[np.uint8], at: NDArray[np.intp], there: NDArray[np.bool_]) -> NDArray[np.uint8]:
    if not len(codes):
        return np.zeros(len(at), np.uint8)
    # Several times as fast as brackets.
    found = codes.take(at, mode="clip")
    found *= there
    return found


def _offsets(cells: pa.Array) -> NDArray[np.int32]:
    ends = cells.buffers()[1]
    if ends is None or not len(ends):
        return np.zeros(1, np.int32)
    return np.frombuffer(ends, np.int32)[cells.offset : cells.offset + len(cells) + 1]


def _codes(cells: pa.Array) -> NDArray[np.uint8]:
    data = cells.buffers()[2]
    return np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
