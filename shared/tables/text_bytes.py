"""Looks at all bytes of a long text, several times as fast as the methods of `bytes`."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# What is made of a piece fits into the cache, and needs no fresh memory of the system.
_PIECE_BYTES = 2**16
_LINE_FEED = ord("\n")
_TAB, _AFTER_RETURN, _BLANK, _DELETE = np.array([0x09, 0x0E, 0x20, 0x7F], np.uint8)


def has_controls(text: bytes) -> bool:
    """Whether `find_control` would find one."""
    # Below 14 numbers wrap around, so that one comparison has both ends.
    return any(
        bool(((codes - _AFTER_RETURN < _BLANK - _AFTER_RETURN) | (codes < _TAB) | (codes == _DELETE)).any())
        for codes in _pieces(text)
    )


def count_line_feeds(text: bytes) -> int:
    """How many lines end in a text."""
    return sum(int(np.count_nonzero(codes == _LINE_FEED)) for codes in _pieces(text))


def _pieces(text: bytes) -> Iterator[NDArray[np.uint8]]:
    codes = np.frombuffer(text, np.uint8)
    for first in range(0, len(codes), _PIECE_BYTES):
        yield codes[first : first + _PIECE_BYTES]
