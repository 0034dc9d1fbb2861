"""Messages between the API and a predicting process: JSON and arrays of numbers, so that to read one runs nothing."""

import json
import math
import socket
import struct
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# The bytes of the head, which is JSON, and of all that comes behind these two numbers.
_LENGTHS = struct.Struct(">QQ")
# Arrays begin where a number of any type may stand.
_ALIGNED = 16
# What is smaller is put together first: each part of a message may wake the other side by itself.
_SMALL = 2**16
# Booleans, integers and floats.
NUMBERS = "biuf"


class Closed(Exception):
    """The other side is gone."""


class Garbled(Exception):
    """What came is no message, or a larger one than is taken."""


class Message(NamedTuple):
    """What is said, and arrays of numbers that belong to it."""

    said: dict[str, Any]
    arrays: list[NDArray[Any]]


def send(connection: socket.socket, said: dict[str, Any], arrays: Sequence[NDArray[Any]] = ()) -> None:
    """Send a message; moments are sent as ISO 8601.

    Raises:
        Closed: when the other side is gone.
        TimeoutError: when it does not take the message in the time that the socket has.
    """
    described = [{"type": array.dtype.str, "shape": array.shape} for array in arrays]
    head = json.dumps({"said": said, "arrays": described}, default=_plain).encode()
    parts = [_padded(head), *(_padded(array.tobytes()) for array in arrays)]
    size = sum(map(len, parts))
    parts.insert(0, _LENGTHS.pack(len(parts[0]), size))
    try:
        for part in [b"".join(parts)] if size <= _SMALL else parts:
            connection.sendall(part)
    except ConnectionError:
        raise Closed from None


def receive(connection: socket.socket, *, most_bytes: int, deadline: float | None = None) -> Message:
    """The next message; `deadline` is a moment of `time.monotonic`.

    Raises:
        Closed: when the other side is gone.
        Garbled: when what comes is no message, or one of more bytes.
        TimeoutError: when it has not come by the deadline.
    """
    length, size = _LENGTHS.unpack(_read(connection, _LENGTHS.size, deadline))
    if size > most_bytes:
        raise Garbled(f"what came has more than {most_bytes:,} bytes")
    content = memoryview(_read(connection, size, deadline))
    try:
        parsed = json.loads(bytes(content[:length]))
        said, described = parsed["said"], parsed["arrays"]
        kinds = [(np.dtype(str(each["type"])), tuple(map(int, each["shape"]))) for each in described]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise Garbled("what came is no message") from error
    if not isinstance(said, dict) or any(kind.kind not in NUMBERS or min((0, *shape)) < 0 for kind, shape in kinds):
        raise Garbled("what came is no message")
    sizes = [kind.itemsize * math.prod(shape) for kind, shape in kinds]
    if length + sum(each + _missing(each) for each in sizes) != size:
        raise Garbled("what came is no message")
    arrays, start = [], length
    for each, (kind, shape) in zip(sizes, kinds, strict=True):
        arrays.append(np.frombuffer(content[start : start + each], kind).reshape(shape))
        start += each + _missing(each)
    return Message(said, arrays)


def _missing(size: int) -> int:
    """How many bytes are missing to the place where a next part may begin."""
    return -size % _ALIGNED


def _padded(part: bytes) -> bytes:
    # Blanks behind JSON say nothing.
    return part + b" " * _missing(len(part))


def _read(connection: socket.socket, size: int, deadline: float | None) -> bytearray:
    found = bytearray(size)
    left = memoryview(found)
    while left:
        if deadline is not None:
            # Zero would mean not to wait, which ends in another error.
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            count = connection.recv_into(left)
        except ConnectionError:
            count = 0
        if not count:
            raise Closed
        left = left[count:]
    return found


def _plain(value: Any) -> Any:
    """What JSON does not know: moments of inputs, and numbers of NumPy among labels."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not sent")
