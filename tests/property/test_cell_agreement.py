"""What a prediction makes of a cell of CSV is what the catalog made of such cells in training."""

import sys
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.estimators.signature import InputColumn
from shared.prediction.written_cells import NotFinite, WrongCell, converter
from shared.tables.columns import ColumnKind
from shared.tables.missing import MISSING
from shared.tables.values import convert, has_codes

NUMBERS = st.one_of(
    st.text(alphabet="0123456789.,+-eE_ xaINnif", max_size=12),
    st.floats().map(repr),
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(MISSING),
)
WORDS = st.one_of(st.sampled_from([*MISSING, "true", "False", " TRUE ", "yes", "1", " a "]), st.text(max_size=8))


def cataloged(text: str, kind: ColumnKind, *, decimal_comma: bool = False) -> Any:
    """What the catalog makes of a cell.

    Raises:
        pa.ArrowInvalid: when it is not of that kind.
    """
    return convert(pa.array([text], pa.string()), kind, typed=False, decimal_comma=decimal_comma)[0].as_py()


def sent(text: str, kind: ColumnKind, *, decimal_comma: bool = False) -> Any:
    """What a prediction makes of it, where an infinite number is taken as missing."""
    column = InputColumn(name="x", kind=kind.value, missing_allowed=True)
    try:
        return converter(column, decimal_comma=decimal_comma)(text)
    except NotFinite:
        return None


@settings(deadline=None)
@given(text=NUMBERS, decimal_comma=st.booleans())
@example(text="1_000", decimal_comma=False)
@example(text="-1,5", decimal_comma=True)
@example(text="0x10", decimal_comma=False)
@example(text="1e400", decimal_comma=False)
def test_a_number_in_training_is_the_same_number_in_prediction(text: str, decimal_comma: bool) -> None:
    try:
        expected = cataloged(text, ColumnKind.NUMBER, decimal_comma=decimal_comma)
    except pa.ArrowInvalid:
        return
    found = sent(text, ColumnKind.NUMBER, decimal_comma=decimal_comma)
    assert (found is None) == (expected is None)
    assert found is None or float(found) == expected


BLANKS = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]
# What looks like a blank and is none: a mark of the byte order, widths of zero, a filler, a control that separates.
LOOK_ALIKE = ["\ufeff", "\u200b", "\u2060", "\u180e", "\u3164", "\u2800", "\x08"]


@pytest.mark.parametrize("blank", [*BLANKS, *LOOK_ALIKE], ids=lambda blank: f"U+{ord(blank):04X}")
def test_a_blank_in_training_is_a_blank_in_prediction(blank: str) -> None:
    for text in (blank, 2 * blank, f"{blank}NA", f"a{blank}", f"{blank}a b"):
        assert sent(text, ColumnKind.TEXT) == cataloged(text, ColumnKind.TEXT)
    for text, kind in ((f"{blank}1.5{blank}", ColumnKind.NUMBER), (f"{blank}TRUE{blank}", ColumnKind.BOOLEAN)):
        assert outcome(sent, text, kind) == outcome(cataloged, text, kind)
    assert (cataloged(blank, ColumnKind.TEXT) is None) == (blank in BLANKS)
    assert has_codes(pa.array([f"{blank}007"])) == (blank in BLANKS)


def outcome(read: Callable[[str, ColumnKind], Any], text: str, kind: ColumnKind) -> Any:
    """What a cell is read as, or that it is not of the kind."""
    try:
        return read(text, kind)
    except (pa.ArrowInvalid, WrongCell):
        return WrongCell


@settings(deadline=None)
@given(WORDS)
def test_a_text_in_training_is_the_same_text_in_prediction(text: str) -> None:
    assert sent(text, ColumnKind.TEXT) == cataloged(text, ColumnKind.TEXT)


@settings(deadline=None)
@given(WORDS)
def test_a_truth_in_training_is_the_same_truth_in_prediction(text: str) -> None:
    try:
        expected = cataloged(text, ColumnKind.BOOLEAN)
    except pa.ArrowInvalid:
        expected = WrongCell
    try:
        found = sent(text, ColumnKind.BOOLEAN)
    except WrongCell:
        found = WrongCell
    assert found == expected
