"""Excel workbooks: the first sheet is read as it is meant, and what is not sure is told with the row of the sheet."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from shared.tables.findings import Finding, FindingCode
from shared.tables.inspected import Inspection, TableLimits
from shared.tables.inspection import inspect
from shared.tables.loading import first_rows, read_table
from shared.tables.options import ReadingOptions
from tests.support.tables import check, column, kinds, load
from tests.support.workbooks import with_part, workbook

ROWS: list[list[Any]] = [["size", "word"], [1, "a"], [2, "b"], [3, "a"]]
SHEET = "xl/worksheets/sheet1.xml"


def found(inspection: Inspection, code: str) -> list[Finding]:
    return [finding for finding in inspection.findings if finding.code == code]


def only(inspection: Inspection, code: str) -> Finding:
    (finding,) = found(inspection, code)
    return finding


def with_options(folder: Path, content: bytes, **options: Any) -> Inspection:
    path = folder / "upload"
    path.write_bytes(content)
    return inspect(path, TableLimits(), ReadingOptions(**options))


def test_values_keep_the_types_that_their_cells_have(tmp_path: Path) -> None:
    day, moment = dt.date(2024, 5, 6), dt.datetime.fromisoformat("2024-05-06T07:08:09")
    inspection, table = load(
        tmp_path,
        workbook(
            [
                ["whole", "number", "truth", "day", "moment", "code", "huge", "empty cells"],
                [1, 0.5, True, day, moment, "007", 1e300, None],
                [2**53, 2, False, day, day, "1e5", 7, ""],
                [-3, None, None, None, None, None, None, "x"],
            ]
        ),
    )
    assert inspection.reading.model_dump(exclude_defaults=True) == {"format": "xlsx", "sheet": "Data", "header_line": 1}
    assert kinds(inspection) == {
        "whole": "integer", "number": "number", "truth": "boolean", "day": "datetime", "moment": "datetime",
        "code": "category", "huge": "number", "empty cells": "category",
    }  # fmt: skip
    assert table["whole"].tolist() == [1, 2**53, -3]
    assert table["code"].tolist()[:2] == ["007", "1e5"]
    assert table["day"].tolist()[:2] == [pd.Timestamp(day)] * 2
    assert table["moment"].tolist()[:2] == [pd.Timestamp(moment), pd.Timestamp(day)]
    assert table["huge"].tolist()[:2] == [1e300, 7]
    assert column(inspection, "empty cells").missing == 2


def test_a_fraction_far_down_makes_a_column_one_of_numbers(tmp_path: Path) -> None:
    inspection, table = load(tmp_path, workbook([["a", "b"], *([n, str(n)] for n in range(3000)), [0.5, "x"]]))
    assert kinds(inspection) == {"a": "number", "b": "text"}
    assert table["a"].tolist()[-2:] == [2999.0, 0.5]


def test_dates_that_count_from_1904_are_the_days_that_they_show(tmp_path: Path) -> None:
    def count_from_1904(sheet: Any) -> None:
        sheet.parent.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904

    day = dt.date(2024, 5, 6)
    _, table = load(tmp_path, workbook([["day", "n"], [day, 1], [day, 2]], count_from_1904))
    assert table["day"].tolist() == [pd.Timestamp(day)] * 2


def test_empty_rows_and_columns_around_and_within_are_no_cells(tmp_path: Path) -> None:
    rows = [[], [], [None, "size", None, "word"], [], [None, 1, None, "a"], [None, None, " "], [None, 2, None, "b"]]
    inspection, table = load(tmp_path, workbook([*rows, [None, None, None, "  "]]))
    assert inspection.reading.header_line == 3
    assert table.to_dict("list") == {"size": [1, 2], "word": ["a", "b"]}
    assert inspection.findings == []


def test_rows_of_findings_are_those_of_the_sheet(tmp_path: Path) -> None:
    cells = [[n, "a"] for n in range(60)]
    rows = [[], ["size", "word"], [], *cells[:30], [], [], *cells[30:], ["tall", "b"]]
    inspection, table = load(tmp_path, workbook(rows))
    told = only(inspection, "nearly_numeric")
    assert (told.column, told.line, told.count) == ("size", len(rows), 1)
    assert kinds(inspection)["size"] == "integer"
    assert table["size"].isna().sum() == 1


def test_a_title_above_the_names_is_told_and_skipped(tmp_path: Path) -> None:
    for place in (["Sales"], [None, None, "Sales"]):
        inspection = check(
            tmp_path, workbook([place, [], [None, "size", "n", "word"], [None, 1, 5, "a"], [None, 2, 5, "b"]])
        )
        assert (inspection.reading.header_line, inspection.reading.skipped_lines) == (3, [1])
        told = only(inspection, "header_doubtful")
        assert told.line == 1
        assert "'Sales'" in told.detail
        assert kinds(inspection) == {"size": "integer", "n": "integer", "word": "category"}


def test_a_row_of_units_is_told_and_skipped(tmp_path: Path) -> None:
    inspection = check(tmp_path, workbook([["height", "word"], ["cm", None], [1, "a"], [2, "b"], [3, "a"]]))
    assert only(inspection, "units_row").line == 2
    assert (kinds(inspection)["height"], inspection.rows) == ("integer", 3)


def test_names_that_are_repeated_are_told_and_skipped(tmp_path: Path) -> None:
    inspection, table = load(tmp_path, workbook([*ROWS, ["size ", "word"], [4, "b"], [0.5, "c"]]))
    assert (only(inspection, "repeated_header").line, only(inspection, "repeated_header").count) == (5, 1)
    assert table["size"].tolist() == [1, 2, 3, 4, 0.5]


def test_a_row_that_is_like_names_which_are_numbers_is_kept(tmp_path: Path) -> None:
    inspection, table = load(tmp_path, workbook([[0, 1], [5, 6], [0, 1], [7, 8]]))
    assert found(inspection, "repeated_header") == []
    assert table["0"].tolist() == [5, 0, 7]


def test_numbers_and_years_may_be_names(tmp_path: Path) -> None:
    assert list(kinds(check(tmp_path, workbook([["city", 2020, 2021], ["x", 1.5, 2.5], ["y", 3.5, 4.5]])))) == [
        "city", "2020", "2021",
    ]  # fmt: skip


def test_the_row_of_the_names_and_the_names_can_be_said(tmp_path: Path) -> None:
    data = workbook([[None, 5.1, "x"], [None, 4.9, "y"], [None, 4.5, "y"]])
    given = with_options(tmp_path, data, header="none", names=["length", "kind"])
    assert (kinds(given), given.rows) == ({"length": "number", "kind": "category"}, 3)
    titled = workbook([["a", "b", "c"], ["d", "e", "f"], ["size", "word", "n"], [1, "a", 1], [2, "b", 2]])
    assert list(kinds(with_options(tmp_path, titled, header=3))) == ["size", "word", "n"]


@pytest.mark.parametrize(
    ("words", "said"), [(["NA"], "'NA'"), (["-", "n/a"], "'-'"), (["unknown"], "'unknown'"), ([" NA "], "NA")]
)
def test_words_for_a_gap_among_numbers_are_gaps_that_are_told(tmp_path: Path, words: list[str], said: str) -> None:
    inspection, table = load(tmp_path, workbook([["x", "n"], [1.125, 1], *([word, 2] for word in words), [999, 3]]))
    told = only(inspection, "gap_word")
    assert (told.column, told.line, told.count) == ("x", 3, len(words))
    assert said in told.detail
    assert table["x"].dropna().tolist() == [1.125, 999]
    # A number of a sheet has no mark that may be one of thousands.
    assert found(inspection, "thousands_ambiguous") == []


@pytest.mark.parametrize("marks", [{"decimal": ","}, {"thousands": "."}, {"decimal": ",", "thousands": "."}])
def test_numbers_keep_their_value_beside_texts_with_a_decimal_comma(tmp_path: Path, marks: dict[str, str]) -> None:
    data = workbook([["x", "n"], [1.234, 1], ["NA", 2], [1e-07, 3], ["2.500,75", 4], [-1234567.125, 5], [8, 6]])
    inspection = with_options(tmp_path, data, **marks)
    table = read_table(tmp_path / "upload", inspection.reading, columns=inspection.columns)
    assert table["x"].dropna().tolist() == [1.234, 1e-07, 2500.75, -1234567.125, 8]
    assert inspection.reading.decimal == ","


def test_texts_with_a_decimal_comma_beside_numbers_are_told_with_what_reads_them(tmp_path: Path) -> None:
    data = workbook([["x", "n"], [1.25, 1], ["2,75", 2], [3.5, 3]])
    told = only(check(tmp_path, data), "nearly_numeric")
    assert (told.column, told.line, "'2,75'" in told.detail, "'decimal'" in told.detail) == ("x", 3, True, True)
    assert kinds(with_options(tmp_path, data, decimal=","))["x"] == "number"


def test_gap_words_that_are_said_are_gaps_among_numbers(tmp_path: Path) -> None:
    inspection = with_options(tmp_path, workbook([["x", "n"], [1, 1], ["lost", 2], [3, 3]]), gap_words=["lost"])
    assert (kinds(inspection)["x"], column(inspection, "x").missing) == ("integer", 1)


def test_a_number_may_be_said_to_stand_for_a_gap(tmp_path: Path) -> None:
    rows = [["x", "n", "y"], [1.5, 1, -999], [-999, 2, 3], [2.5, -999.5, 4]]
    inspection = with_options(tmp_path, workbook(rows), gap_words=["-999"])
    assert [(each.missing, each.kind) for each in inspection.columns] == [(1, "number"), (0, "number"), (1, "integer")]
    assert [column(inspection, name).min for name in "xny"] == [1.5, -999.5, 3]


def test_a_column_that_mixes_types_is_told_and_kept_as_it_shows(tmp_path: Path) -> None:
    inspection, table = load(
        tmp_path, workbook([["x", "n"], [1, 1], [0.5, 2], ["one", 3], [True, 4], [dt.date(2024, 5, 6), 5]])
    )
    assert only(inspection, "mixed_types").line == 4
    assert table["x"].tolist() == ["1", "0.5", "one", "TRUE", "2024-05-06"]


def test_strings_that_spell_numbers_stay_strings_and_are_told(tmp_path: Path) -> None:
    content = workbook([["x", "n"], ["1", 1], ["2", 2], ["2", 3]])
    inspection = check(tmp_path, content)
    assert kinds(inspection)["x"] == "category"
    assert (only(inspection, "nearly_numeric").line, only(inspection, "nearly_numeric").count) == (2, 3)
    assert kinds(with_options(tmp_path, content, kinds={"x": "integer"}))["x"] == "integer"


def test_times_of_day_and_durations_are_words_that_are_told(tmp_path: Path) -> None:
    hours = dt.timedelta(hours=30, minutes=5)
    inspection, table = load(tmp_path, workbook([["t", "n"], [dt.time(7, 8), 1], [hours, 2], [dt.time(9), 3]]))
    assert table["t"].tolist() == ["07:08:00", "30:05:00", "09:00:00"]
    assert only(inspection, "nearly_dates").column == "t"


def test_more_digits_than_excel_keeps_are_told(tmp_path: Path) -> None:
    inspection, table = load(tmp_path, workbook([["id", "n"], [1, 1], [1234567890123450, 2], [999999999999999, 3]]))
    told = only(inspection, "digits_lost")
    assert (told.column, told.line, told.count) == ("id", 3, 1)
    assert table["id"].tolist() == [1, 1234567890123450, 999999999999999]


def test_cells_with_an_error_are_gaps_that_are_told(tmp_path: Path) -> None:
    names = ["word", "ratio", "n"]
    cells = [["a", 1, 1], ["#N/A", "#DIV/0!", 2], ["b", "#DIV/0!", 3], ["b", 2, 4]]
    content = workbook([[None, *names], *([None, *row] for row in cells)])
    inspection = check(tmp_path, content)
    told = {finding.column: (finding.line, finding.count) for finding in found(inspection, "gap_word")}
    assert told == {"word": (3, 1), "ratio": (3, 2)}
    assert [column(inspection, name).missing for name in ("word", "ratio")] == [1, 2]
    assert kinds(inspection)["ratio"] == "integer"


def test_formulas_whose_value_is_not_in_the_file_are_gaps_that_are_told(tmp_path: Path) -> None:
    inspection = check(tmp_path, workbook([["a", "b"], [1, 1], [2, "=A3*2"], [3, "=A4*2"]]))
    told = only(inspection, "formula_without_value")
    assert (told.line, told.count, column(inspection, "b").missing) == (3, 2, 2)
    assert "B3" in told.detail


def test_the_value_of_a_formula_is_read(tmp_path: Path) -> None:
    content = workbook([["a", "b", "c"], [1, "=A2*2", "=A2"], [2, 5, "x"]])
    computed = with_part(content, SHEET, lambda xml: xml.replace(b"<f>A2*2</f><v />", b"<f>A2*2</f><v>2</v>"))
    computed = with_part(
        computed, SHEET, lambda xml: xml.replace(b'<c r="C2"><f>A2</f><v />', b'<c r="C2" t="str"><f>A2</f><v></v>')
    )
    inspection, table = load(tmp_path, computed)
    assert found(inspection, "formula_without_value") == []
    assert table["b"].tolist() == [2, 5]


def test_merged_cells_are_told_unless_they_are_a_title(tmp_path: Path) -> None:
    def merge(sheet: Any) -> None:
        for cells in ("A1:B1", "B4:B5"):
            sheet.merge_cells(cells)

    inspection = check(tmp_path, workbook([["Title"], ["n", "group"], [1, "a"], [2, "b"], [3, None]], merge))
    told = only(inspection, "merged_cells")
    assert (told.line, told.count, column(inspection, "group").missing) == (4, 1, 1)
    assert "B4:B5" in told.detail


def test_sheets_that_are_not_read_are_named(tmp_path: Path) -> None:
    def hide(sheet: Any) -> None:
        sheet.parent.create_sheet("Blank", 0)
        hidden = sheet.parent.create_sheet("Notes", 1)
        hidden.append(["secret"])
        hidden.sheet_state = "hidden"
        sheet.parent.create_chartsheet("Chart", 0)

    inspection = check(tmp_path, workbook(ROWS, hide, More=[["x"], [1]]))
    assert (inspection.reading.sheet, inspection.rows) == ("Data", 3)
    told = only(inspection, "other_sheets")
    assert told.count == 3
    assert "'Blank', 'Notes', 'More'" in told.detail


def test_names_with_marks_of_another_program_are_read(tmp_path: Path) -> None:
    def prefixed(xml: bytes) -> bytes:
        for name in (b"worksheet", b"sheetData", b"row", b"c", b"v", b"is", b"t", b"f"):
            for before, after in ((b"<", b"<x:"), (b"</", b"</x:")):
                for end in (b">", b" "):
                    xml = xml.replace(before + name + end, after + name + end)
        return xml.replace(b"xmlns=", b"xmlns:x=")

    content = workbook([["a", "b"], [1, "#N/A"], [2, "=A3"], [3, "x"]])
    inspection = check(tmp_path, with_part(content, SHEET, prefixed))
    assert inspection.rows == 3
    assert (only(inspection, "gap_word").line, only(inspection, "formula_without_value").line) == (2, 3)


def test_cells_without_a_place_follow_each_other(tmp_path: Path) -> None:
    inspection = check(tmp_path, with_part(workbook(ROWS), SHEET, lambda xml: re.sub(rb' r="[A-Z]*\d+"', b"", xml)))
    assert (kinds(inspection), inspection.rows) == ({"size": "integer", "word": "category"}, 3)


def test_the_first_rows_are_shown_as_json_says_them(tmp_path: Path) -> None:
    inspection = check(tmp_path, workbook([["day", "n"], [dt.date(2024, 5, 6), 1], [None, 2]]))
    shown = first_rows(tmp_path / "upload", inspection.reading, columns=inspection.columns, rows=5, partial=False)
    assert shown.rows == [["2024-05-06T00:00:00", 1], [None, 2]] == inspection.profile.first_rows.rows


def test_a_table_of_one_column_is_told_without_a_word_of_delimiters(tmp_path: Path) -> None:
    assert "delimiter" not in only(check(tmp_path, workbook([["n"], [1], [2]])), FindingCode.ONE_COLUMN).detail
