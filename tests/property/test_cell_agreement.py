"""What the command line makes of a cell is what the catalog made of such cells in training."""

from typing import Any

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cli.tables.cells import WrongCell, converter
from shared.datasets.columns import ColumnKind
from shared.datasets.missing import MISSING
from shared.datasets.values import convert

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
    """What the command line makes of it."""
    column = {"name": "x", "kind": kind.value, "missing_allowed": True, "categories": None, "used": True}
    return converter(column, decimal_comma=decimal_comma)(text)


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
