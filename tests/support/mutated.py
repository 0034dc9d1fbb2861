"""Bytes and values near valid ones: what is cut, flipped, doubled or swapped gets further than what is random."""

import os
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# `make fuzz` looks at so many, again and again; otherwise there are a few, and always the same ones.
_LONG = os.environ.get("MLMINI_HYPOTHESIS_PROFILE") == "long"
_EXAMPLES = int(os.environ.get("MLMINI_CASES", "1000"))

JUNK = st.binary(max_size=12) | st.sampled_from(
    [
        *(
            b"\0",
            b"\xff",
            b"\xfe\xff",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
            b"\r",
            b"\n\n",
            b'"',
            b"'",
            b",",
            b";",
            b"\t",
            b"\x1a",
        ),
        *(b"\xc3\x28", b"\xed\xa0\x80", b"\xe2\x80\xae", b"NaN", b"1e999", b"-0", b"9" * 400, b"x" * 70_000, b'""""""'),
        *(
            b"../../etc/passwd",
            b"%00",
            b"%2f",
            b"{{7*7}}",
            b"${jndi:x}",
            b"'; DROP TABLE users;--",
            b"<script>",
            b"=1+1",
        ),
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 12)
    | st.sampled_from([2**31, 2**63, -(2**63), 2**64, 10**307, 1e-308, 1e308, -0.0])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["", " ", "a" * 300, "\u202e", "\u0301", "İ", "auto", "null", "true", "0", "__class__", "../x"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def effort(few: int) -> settings:
    """So few examples, or as many as a long search asks for."""
    return settings(
        deadline=None,
        database=None,
        derandomize=not _LONG,
        max_examples=_EXAMPLES if _LONG else few,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def bytes_near(draw: st.DrawFn, sources: Sequence[bytes], *, most: int = 3) -> bytes:
    """One of the sources with up to so many changes."""
    content = draw(st.sampled_from(sources))
    for _ in range(draw(st.integers(0, most))):
        first, last = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
        change = draw(st.sampled_from(["cut", "flip", "insert", "replace", "double", "swap"]))
        piece = content[first:last]
        if change == "cut":
            content = draw(st.sampled_from([content[:first], content[last:], content[:first] + content[last:]]))
        elif change == "flip" and first < len(content):
            content = content[:first] + bytes([content[first] ^ 1 << draw(st.integers(0, 7))]) + content[first + 1 :]
        elif change in {"insert", "replace"}:
            content = content[:first] + draw(JUNK) + content[first if change == "insert" else last :]
        elif change == "double":
            content = content[:last] + piece[:2_000] * draw(st.sampled_from([1, 2, 50])) + content[last:]
        elif change == "swap":
            other = draw(st.sampled_from(sources))
            content = content[:first] + other[draw(st.integers(0, len(other))) :]
    return content


@st.composite
def values_near(draw: st.DrawFn, sources: Sequence[Any], *, most: int = 3) -> Any:
    """One of the values of JSON with up to so many of its parts left out, replaced, doubled or wrapped."""
    value = draw(st.sampled_from(sources))
    for _ in range(draw(st.integers(0, most))):
        value = _changed(draw, value, sources)
    return value


def _changed(draw: st.DrawFn, value: Any, sources: Sequence[Any]) -> Any:
    """The value with one part of it changed, wherever that is."""
    if value and isinstance(value, dict | list) and draw(st.integers(0, 3)):
        places = list(value) if isinstance(value, dict) else range(len(value))
        place = draw(st.sampled_from(places))
        changed = _changed(draw, value[place], sources)
        if isinstance(value, dict):
            return value | {place: changed}
        return [*value[:place], changed, *value[place + 1 :]]
    return _replaced(draw, value, sources)


def _replaced(draw: st.DrawFn, value: Any, sources: Sequence[Any]) -> Any:
    how = draw(st.sampled_from(["new", "new", "leave out", "more", "wrap", "text", "nest"]))
    if how == "leave out" and value and isinstance(value, dict):
        left_out = draw(st.sampled_from(list(value)))
        return {name: each for name, each in value.items() if name != left_out}
    if how == "more" and isinstance(value, dict):
        return value | {draw(st.text(max_size=8)): draw(VALUES)}
    if how == "more" and isinstance(value, list):
        return value * draw(st.sampled_from([2, 30])) + [draw(VALUES)]
    if how == "wrap":
        return draw(st.sampled_from([[value], {"a": value}, [[value]]]))
    if how == "text":
        return str(value)[:300]
    return draw(st.sampled_from(sources)) if how == "nest" else draw(VALUES)
