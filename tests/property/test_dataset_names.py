"""Whatever a file is called, its dataset has a name that is safe everywhere, or none."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from shared.datasets.naming import nearest_name, normalise_name
from shared.errors import InvalidName

NAMES = st.text() | st.text(alphabet="ab.csvgz/\\ _-%\u0301", max_size=80)


@given(NAMES)
@example("x.csv.csv")
@example("a.gz.gz")
@example("\ud800")
@example("İ")
def test_a_name_is_safe_and_its_own_name_or_it_is_refused(raw: str) -> None:
    try:
        name = normalise_name(raw)
    except InvalidName:
        assert nearest_name(raw) is None
        return
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", name)
    assert 1 <= len(name) <= 64
    assert normalise_name(name) == name
    assert normalise_name(f"{name}.csv.gz") == name
    assert nearest_name(raw) == name
