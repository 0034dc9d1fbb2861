"""Dates as people and programs write them are read as the moment that is meant, or it is told that they are not."""

from pathlib import Path

import pytest

from tests.support.tables import column, load

A_DAY = "2024-01-05T00:00:00"


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("05JAN2024", A_DAY),
        ("05JAN2024:10:11:12", "2024-01-05T10:11:12"),
        ("05/Jan/2024", A_DAY),
        ("05/Jan/2024:10:11:12 +0200", "2024-01-05T08:11:12"),
        ("Fri, 05 Jan 2024 10:11:12 GMT", "2024-01-05T10:11:12"),
        ("Friday, January 5, 2024", A_DAY),
        ("2024. 1. 5.", A_DAY),
        ("2024年1月5日", A_DAY),
        ("2024년 1월 5일", A_DAY),
        ("2024-01-05t10:11:12z", "2024-01-05T10:11:12"),
        ("2024-01-05 10:11:12 UTC", "2024-01-05T10:11:12"),
        ("2024-01-05T10:11:12+02", "2024-01-05T08:11:12"),
        ("2024-01-05 10:11:12 -0330", "2024-01-05T13:41:12"),
    ],
)
def test_a_date_in_a_form_of_its_own_is_read(tmp_path: Path, cell: str, moment: str) -> None:
    found, table = load(tmp_path, f'x,y\n"{cell}",1\n"{cell}",2\n')
    assert (column(found, "x").kind, table["x"][1].isoformat()) == ("datetime", moment)


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "2024Q1",
            "Q1 2024",
            "2024-W05",
            "Jan-24",
            "Jan 2024",
            "5. Januar 2024",
            "5 de enero de 2024",
            "1 settembre 2024",
        ),
        *("31 déc. 2024", "20240131T120000Z", "2024-01-05 10:11:12 CET", "1 days 02:03:04", "PT1H30M", "26:15"),
        "05.01.24",
    ],
)
def test_it_is_told_where_dates_and_times_are_not_read(tmp_path: Path, cell: str) -> None:
    found, _ = load(tmp_path, f"x,y\n{cell},1\n{cell},2\n")
    assert [(each.code, each.column, each.line, each.count) for each in found.findings if each.column == "x"][:1] == [
        ("nearly_dates", "x", 2, 2)
    ]


def test_one_word_among_many_different_days_is_missing_and_told_with_its_line(tmp_path: Path) -> None:
    days = [f"2024-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    found, table = load(tmp_path, "x\n" + "\n".join([*days, "soon"]) + "\n")
    finding = next(each for each in found.findings if each.code == "nearly_dates")
    assert (finding.line, finding.count) == (338, 1)
    assert finding.detail.startswith("1 cell is no date, such as 'soon'. It counts as missing.")
    assert (column(found, "x").kind, table["x"].isna().sum()) == ("datetime", 1)


def test_moments_with_and_without_a_zone_are_told_in_whatever_form_the_zone_is(tmp_path: Path) -> None:
    for zone in ("Z", " UTC", "+02", " -0330"):
        found, _ = load(tmp_path, "x,y\n" + "2024-01-05T10:11:12,1\n" * 70_000 + f"2024-01-05T10:11:12{zone},2\n")
        assert "some name a time zone" in found.findings[0].detail, zone
