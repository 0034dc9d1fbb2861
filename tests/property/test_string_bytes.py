"""What is seen of strings by their bytes is what Python sees of them."""

import re

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import example, given
from hypothesis import strategies as st

from shared.tables.controls import CONTROLS
from shared.tables.leading_zeros import has_codes
from shared.tables.string_bytes import first_bytes, is_ascii, last_bytes, may_have_blanks_around
from shared.tables.text_bytes import count_line_feeds, has_controls

LETTERS = st.sampled_from("01x9-+. a\u00a0\u2003\u200b\u0085\x1cé年")
STRINGS = st.lists(st.none() | st.text(LETTERS, max_size=5), max_size=8)
CODE = re.compile(r"\s*[+-]?0[0-9xX]")


@given(STRINGS, st.integers(0, 8))
@example([None, "", "7"], 0)
@example(["0", "07"], 1)
def test_bytes_of_strings_are_those_that_python_sees(texts: list[str | None], start: int) -> None:
    cells = pa.array(texts, pa.string())[start:]
    encoded = [(text or "").encode() for text in texts[start:]]
    for place, found in enumerate(first_bytes(cells, 3)):
        assert found.tolist() == [text[place] if len(text) > place else 0 for text in encoded]
    assert last_bytes(cells).tolist() == [text[-1] if text else 0 for text in encoded]
    assert is_ascii(cells) == all(text.isascii() for text in encoded)


@given(STRINGS, st.integers(0, 8))
def test_no_blank_around_a_string_is_missed(texts: list[str | None], start: int) -> None:
    cells = pa.array(texts, pa.string())[start:]
    if not may_have_blanks_around(cells):
        assert cells.equals(pc.utf8_trim_whitespace(cells))


@given(STRINGS, st.integers(0, 8))
def test_a_code_is_found_wherever_it_is(texts: list[str | None], start: int) -> None:
    cells = pa.array(texts, pa.string())[start:]
    assert has_codes(cells) == any(CODE.match(text) is not None for text in texts[start:] if text is not None)


@given(st.binary(max_size=40), st.integers(0, 2**17))
def test_a_control_character_is_found_wherever_it_is(text: bytes, before: int) -> None:
    long = b"x" * before + text
    assert has_controls(long) == any(code in CONTROLS for code in text)
    assert count_line_feeds(long) == text.count(b"\n")
