"""The types of the protocol's tensors: which JSON values are of them, and how their bytes are laid out."""

import struct
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from shared.prediction.cells import shown

# fmt: off
Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
    "FP16", "BF16", "FP32", "FP64", "BYTES",
]
# fmt: on

# The letters of `struct` for one element; in binary data the bytes of numbers are in little-endian order.
_LETTERS = {
    "BOOL": "B",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "FP16": "e",
    "BF16": "H",
    "FP32": "f",
    "FP64": "d",
}
_LARGEST = {"FP16": 65504.0, "BF16": (2 - 2**-7) * 2.0**127, "FP32": (2 - 2**-23) * 2.0**127}


def is_float(datatype: str) -> bool:
    """Whether elements may be fractions."""
    return datatype in {"FP16", "BF16", "FP32", "FP64"}


def size_of(datatype: str) -> int:
    """The bytes of one element; not for BYTES, whose elements have sizes of their own."""
    return struct.calcsize("<" + _LETTERS[datatype])


def wrong_value(datatype: str, value: Any) -> str | None:
    """What is wrong with a JSON value as an element of a tensor; null is a missing value of any type."""
    if value is None:
        return None
    if datatype == "BOOL":
        return None if isinstance(value, bool) else f"{shown(value)} is neither true nor false"
    if datatype == "BYTES":
        return None if isinstance(value, str) else f"{shown(value)} is not a text"
    if is_float(datatype):
        return _wrong_float(datatype, value)
    if type(value) is not int:
        return f"{shown(value)} is not an integer"
    low, high = _range_of(datatype)
    return None if low <= value <= high else f"{shown(value)} is not between {low} and {high}"


def integer_type(values: Iterable[int]) -> Datatype | None:
    """The type that holds integers; None when there is none."""
    values = list(values)
    candidates: tuple[Datatype, ...] = ("INT64", "UINT64")
    for datatype in candidates:
        low, high = _range_of(datatype)
        if all(low <= value <= high for value in values):
            return datatype
    return None


def unpack(datatype: str, data: bytes) -> list[Any]:
    """The elements of binary data that has a whole number of them; NaN is a missing value.

    Raises:
        ValueError: saying what is wrong with an element.
    """
    if datatype == "BYTES":
        return _unpack_texts(data)
    values: list[Any] = list(struct.unpack(f"<{len(data) // size_of(datatype)}{_LETTERS[datatype]}", data))
    if datatype == "BOOL":
        return _truths(values)
    if datatype == "BF16":
        # The upper half of a number in single precision.
        values = list(struct.unpack(f"<{len(values)}f", struct.pack(f"<{len(values)}I", *(v << 16 for v in values))))
    if is_float(datatype):
        return [None if value != value else value for value in values]  # noqa: PLR0124 - only NaN differs from itself
    return values


def pack(datatype: str, values: Sequence[Any]) -> bytes:
    """The bytes of values of a type."""
    if datatype == "BYTES":
        encoded = (value.encode() for value in values)
        return b"".join(struct.pack("<I", len(each)) + each for each in encoded)
    return struct.pack(f"<{len(values)}{_LETTERS[datatype]}", *values)


def _wrong_float(datatype: str, value: Any) -> str | None:
    if type(value) not in {int, float}:
        return f"{shown(value)} is not a number"
    largest = _LARGEST.get(datatype)
    return f"{shown(value)} is too large" if largest is not None and abs(value) > largest else None


def _range_of(datatype: str) -> tuple[int, int]:
    bits = 8 * size_of(datatype)
    return (0, 2**bits - 1) if datatype.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _truths(values: list[int]) -> list[Any]:
    odd = next((at for at, value in enumerate(values) if value > 1), None)
    if odd is not None:
        raise ValueError(f"element {odd} is the byte {values[odd]}, but a BOOL is 0 or 1")
    return list(map(bool, values))


def _unpack_texts(data: bytes) -> list[Any]:
    texts: list[Any] = []
    place = 0
    while place < len(data):
        start = place + 4
        end = start + int.from_bytes(data[place:start], "little")
        if start > len(data) or end > len(data):
            raise ValueError(f"element {len(texts)} ends behind the data: each has 4 bytes with its length before it")
        try:
            texts.append(data[start:end].decode("utf-8"))
        except UnicodeDecodeError:
            raise ValueError(f"element {len(texts)} is not a text in UTF-8") from None
        place = end
    return texts
