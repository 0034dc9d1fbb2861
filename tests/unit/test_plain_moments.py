"""Few plain moments are read one by one, many by Arrow: both ways read the same."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from shared.prediction import texts
from shared.prediction.texts import read_texts
from shared.tables.columns import CellReading, ColumnKind
from shared.tables.missing import NO_DAY

MANY = 65
READINGS = {
    "plain": CellReading(kind=ColumnKind.DATETIME),
    "another form": CellReading(kind=ColumnKind.DATETIME, format="dmy"),
    "a day for a gap": CellReading(kind=ColumnKind.DATETIME, gap_words=("2024-05-01",)),
    "an odd word": CellReading(kind=ColumnKind.DATETIME, odd_words=("2024-05-02",)),
    "typed": CellReading(kind=ColumnKind.DATETIME, typed=True),
    "an older release": CellReading(kind=ColumnKind.DATETIME, rules=1),
}


def both(text: str, reading: CellReading) -> tuple[Any, Any]:
    """What a text alone is read as, and what it is among many of the same."""
    one, many = read_texts([text], reading), read_texts([text] * MANY, reading)
    assert many.values == many.values[:1] * MANY
    assert many.wrong in ([], list(range(MANY)))
    return (one.values[0], bool(one.wrong), one.not_finite), (many.values[0], bool(many.wrong), many.not_finite)


numbers = st.integers(0, 9999)
days = st.one_of(
    st.dates().map(str),
    st.builds("{:04}-{:02}-{:02}".format, numbers, st.integers(0, 13), st.integers(0, 32)),
    st.sampled_from([*NO_DAY, "2024-05-01", "2024-05-02", "0000-01-01", "2023-02-29", "2024-02-29", "9999-12-31"]),
)
times = st.builds("{}{:02}:{:02}:{:02}".format, st.sampled_from("T tx"), *[st.integers(0, 61)] * 3)


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
@effort(deadline=None, max_examples=100)
@example(day="2024-05-01", time="", around="")
@example(day="2024-05-02", time="", around="")
@given(day=days, time=st.one_of(st.just(""), times), around=st.sampled_from(["", " "]))
def test_a_moment_alone_is_read_as_among_many(reading: CellReading, day: str, time: str, around: str) -> None:
    one, many = both(f"{around}{day}{time}{around}", reading)
    assert one == many


def test_a_plain_moment_alone_is_read_without_arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(texts, "read_cells")
    assert str(read_texts(["2024-05-01"], READINGS["plain"]).values[0]) == "2024-05-01 00:00:00"
