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


def test_lakhs_and_crores_are_numbers(tmp_path: Path) -> None:
    found, table = load(tmp_path, "a;b\n1,23,456;x\n12,34,567.50;y\n1,000;z\n")
    assert (table["a"].tolist(), found.reading.thousands) == ([123456.0, 1234567.5, 1000.0], ",")


@pytest.mark.parametrize("word", [":", "#NV", "#WERT!", "#N/D", "#VALEUR!", "#\u041d/\u0414", "\u2026"])
def test_words_for_no_value_in_the_spreadsheets_of_other_countries_are_gaps_among_numbers(
    tmp_path: Path, word: str
) -> None:
    found, table = load(tmp_path, f"a,b\n1,x\n{word},y\n{word},y\n")
    assert (table["a"].isna().sum(), next(each.code for each in found.findings)) == (2, "gap_word")


@pytest.mark.parametrize("cell", ["12 Main St", "decade 80", "octane 95", "Class 1", "20-30", "4/5", "v1.2", "10x20"])
def test_words_with_a_number_in_them_are_only_words(tmp_path: Path, cell: str) -> None:
    found, _ = load(tmp_path, f"x,y\n{cell},1\nother,2\n{cell},3\n")
    assert found.findings == []
