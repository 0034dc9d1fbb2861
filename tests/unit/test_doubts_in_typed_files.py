"""Doubts about JSON and Parquet are told in words that fit these files, and the fields that they name help."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from shared.errors import ReadingRefused
from shared.tables.inspected import Inspection, TableLimits
from shared.tables.inspection import inspect
from shared.tables.loading import read_table
from shared.tables.options import ReadingOptions
from tests.support.tables import kinds, parquet


def found_in(folder: Path, content: bytes | str, **options: Any) -> Inspection:
    path = folder / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return inspect(path, TableLimits(), ReadingOptions(**options))


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_names_that_only_look_different_are_one_name_also_when_they_are_escaped(tmp_path: Path) -> None:
    found = found_in(tmp_path, lines({"e\u0301": 1, "x": 1}, {"\u00e9": 2, "x": 2}))
    assert kinds(found) == {"\u00e9": "integer", "x": "integer"}


def test_one_column_is_told_without_a_field_that_the_file_has_no_use_for(tmp_path: Path) -> None:
    found = found_in(tmp_path, lines({"a": 1}, {"a": 2}))
    assert [finding.code for finding in found.findings] == ["one_column"]
    assert "delimiter" not in found.findings[0].detail
    assert "'delimiter'" in found_in(tmp_path, "a\n1\n2\n").findings[0].detail


def test_the_number_that_is_too_long_is_shown_and_not_the_first_one(tmp_path: Path) -> None:
    rows = [{"a": row, "b": 1} for row in range(30_000)]
    found = found_in(tmp_path, lines(*rows, {"a": 2**70, "b": 2}))
    finding = found.findings[0]
    assert (finding.code, finding.line, finding.count) == ("nearly_numeric", 30_001, 1)
    assert str(2**70) in finding.detail


def test_a_kind_that_values_do_not_have_is_refused_with_their_rows(tmp_path: Path) -> None:
    with pytest.raises(ReadingRefused) as refused:
        found_in(tmp_path, parquet({"a": [1.5, 2.5], "b": [1, 2]}), kinds={"a": "integer"})
    assert "'1.5' (row 1)" in refused.value.detail
    assert "gap_words" not in refused.value.detail


@pytest.mark.parametrize("typed", [True, False])
def test_strings_with_marks_become_numbers_as_it_is_said(tmp_path: Path, *, typed: bool) -> None:
    cells = ["1,234", "5,678"]
    content = parquet({"a": cells, "b": [1, 2]}) if typed else lines(*({"a": cell, "b": 1} for cell in cells))
    for option, values in (({"thousands": ","}, [1234, 5678]), ({"decimal": ","}, [1.234, 5.678])):
        found = found_in(tmp_path, content, kinds={"a": "number"}, **option)
        assert read_table(tmp_path / "upload", found.reading, columns=found.columns)["a"].tolist() == values
        assert "thousands_ambiguous" not in {finding.code for finding in found.findings}
    doubtful = found_in(tmp_path, content, kinds={"a": "number"})
    assert doubtful.findings[0].code == "thousands_ambiguous"


def test_a_doubtful_mark_is_told_also_where_the_kind_was_said(tmp_path: Path) -> None:
    found = found_in(tmp_path, "a;b\n1,234;x\n5,678;y\n", kinds={"a": "number"})
    assert [finding.code for finding in found.findings] == ["thousands_ambiguous"]


def test_days_that_may_be_read_two_ways_are_refused_with_the_kinds_that_settle_it(tmp_path: Path) -> None:
    with pytest.raises(ReadingRefused, match="Send datetime:dmy"):
        found_in(tmp_path, "a;b\n01/02/2024;x\n03/04/2024;y\n", kinds={"a": "datetime"})


@pytest.mark.parametrize("cells", [["inf", "-Infinity", "1e999", "5"], [float("inf"), -float("inf"), 5.0]])
def test_infinite_numbers_are_told(tmp_path: Path, cells: list[Any]) -> None:
    text = "a,b\n" + "".join(f"{cell},{row}\n" for row, cell in enumerate(cells))
    content = text if isinstance(cells[0], str) else parquet({"a": pa.array(cells), "b": [1, 2, 3]})
    finding = found_in(tmp_path, content).findings[0]
    assert (finding.code, finding.column, finding.count) == ("gap_word", "a", len(cells) - 1)
