"""Where a person sees numbers and the table has words, it is told."""

from pathlib import Path

import pytest

from tests.support.tables import load

KEPT = "such as {!r} are kept as they are written: each is a number with something around it."


@pytest.mark.parametrize(
    "cell",
    [
        "70 kg",
        "1.5k",
        "1,234元",
        "12‰",
        "1 234,50 \u0440\u0443\u0431.",
        "Rs. 1,234",
        "0.5 p",
        "1'000.--",
        "- 5",
        "5-",
        "$ (1,234.50)",
    ],
)
def test_numbers_with_something_around_them_are_told(tmp_path: Path, cell: str) -> None:
    found, _ = load(tmp_path, f'x;y\n"{cell}";1\n"{cell}";2\n')
    finding = next(each for each in found.findings if each.column == "x")
    assert (finding.code, finding.line, finding.count) == ("nearly_numeric", 2, 2)
    assert KEPT.format(cell) in finding.detail.replace(f"'{cell}'", repr(cell))


@pytest.mark.parametrize("cell", ["\u0661\u0662", "\uff11\uff12", "\u0967\u0968", "\u0661\u066b\u0665"])
def test_numbers_in_other_digits_are_told(tmp_path: Path, cell: str) -> None:
    found, _ = load(tmp_path, f"x,y\n{cell},1\n{cell},2\n")
    assert "in other digits than 0 to 9" in found.findings[0].detail


def test_codes_are_no_measures(tmp_path: Path) -> None:
    found, _ = load(tmp_path, "seat,item,y\n12A,item 1,1\n13B,item 2,2\n14C,item 3,3\n15D,item 4,4\n")
    assert found.findings == []


def test_a_word_that_counts_as_missing_is_told_with_its_own_line(tmp_path: Path) -> None:
    found, _ = load(tmp_path, "x,y\n" + "1,a\n" * 60 + "-,b\n?,c\n")
    assert [(each.code, each.line, each.count) for each in found.findings if each.column == "x"] == [
        ("gap_word", 62, 2)
    ]
