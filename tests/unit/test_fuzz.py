"""`make fuzz`: its areas are tests that there are, and its figures are what Hypothesis looked at."""

from pathlib import Path
from random import Random

import pytest

from tests.support import fuzz

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("area", fuzz.AREAS)
def test_every_area_is_tests_that_there_are(area: str) -> None:
    for test in fuzz.AREAS[area]:
        assert "@given(" in (ROOT / test).read_text()


@pytest.mark.thorough
def test_a_search_counts_what_hypothesis_looked_at_and_tells_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_own.py").write_text(
        "from hypothesis import given, settings, strategies as st\n"
        "def test_fails():\n    assert 1 == 2\n"
        "@settings(max_examples=30)\n@given(st.integers())\ndef test_passes(number):\n    pass\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(fuzz.AREAS, "own", ["test_own.py"])
    # A round is looked at to its end, however late it is.
    tally = fuzz.search("own", 0.001, Random(1))  # noqa: S311 (a search, not a secret)
    assert tally == fuzz.Tally(rounds=1, examples=30, failed=1)
    said = capsys.readouterr().out
    assert "own, --hypothesis-seed=" in said
    assert "assert 1 == 2" in said
