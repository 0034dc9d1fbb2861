"""What a finding advises has the effect that it says, and the cell that it shows is one that it is about."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from shared.tables.findings import Finding, FindingCode
from shared.tables.inspected import Inspection, TableLimits
from shared.tables.inspection import inspect
from shared.tables.options import ReadingOptions
from tests.support.tables import column, parquet


def read(folder: Path, content: bytes | str, options: Mapping[str, Any] | None = None) -> Inspection:
    """What is found in a file with this content, where that is said of it."""
    path = folder / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return inspect(path, TableLimits(), ReadingOptions(**(options or {})))


def told(found: Inspection, code: FindingCode) -> list[Finding]:
    """The findings with this code."""
    return [finding for finding in found.findings if finding.code is code]


def test_a_word_that_counts_as_missing_in_any_column_is_kept_by_both_fields_that_are_named(tmp_path: Path) -> None:
    table = "x,y\n" + "1.5,a\nNaN,b\n2.5,a\n-,b\n" * 15
    (finding,) = told(read(tmp_path, table), FindingCode.GAP_WORD)
    assert "'kinds' with category for the column, and 'gap_words' with the words" in finding.detail
    kept = column(read(tmp_path, table, {"kinds": {"x": "category"}, "gap_words": []}), "x")
    assert (kept.missing, kept.unique) == (0, 4)


def test_a_word_that_counts_as_missing_among_numbers_only_is_kept_by_the_kind_alone(tmp_path: Path) -> None:
    table = "x,y\n" + "1.5,a\n#DIV/0!,b\n2.5,a\n" * 15
    (finding,) = told(read(tmp_path, table), FindingCode.GAP_WORD)
    assert finding.detail.endswith("Send 'kinds' with category for the column to keep such cells.")
    assert column(read(tmp_path, table, {"kinds": {"x": "category"}}), "x").missing == 0


@pytest.mark.parametrize(
    ("cells", "word", "code", "line"),
    [
        ([*["1.5", "<0.5", "7"] * 20, ">2420", ">2420"], "<0.5", FindingCode.NEARLY_NUMERIC, None),
        ([*["1.5", "<0.5", "7"] * 20, "n x", "n x"], "<0.5", FindingCode.NEARLY_NUMERIC, 62),
        ([*["2026-01-31", "soon", "2026-02-28"] * 40, "later"], "soon", FindingCode.NEARLY_DATES, None),
        ([*["a bit", "70 kg", "80 kg"] * 20], "a bit", FindingCode.NEARLY_NUMERIC, None),
        ([*["70 kg", "80 kg", "81 kg"] * 20], "70 kg", FindingCode.NEARLY_NUMERIC, None),
    ],
)
def test_a_word_that_was_named_is_no_example_of_what_stands_in_the_way(
    tmp_path: Path, cells: list[str], word: str, code: FindingCode, line: int | None
) -> None:
    table = "x,y\n" + "".join(f"{cell},{'ab'[at % 2]}\n" for at, cell in enumerate(cells))
    (finding,) = told(read(tmp_path, table, {"gap_words": [word]}), code)
    assert f"'{word}'" not in finding.detail
    assert finding.line == line


MOMENTS = parquet({"x": pa.array([1, 1_001], pa.timestamp("ns")), "y": ["a", "b"]})


def test_digits_that_a_typed_file_loses_are_kept_by_strings(tmp_path: Path) -> None:
    (finding,) = told(read(tmp_path, MOMENTS), FindingCode.DIGITS_LOST)
    assert finding.detail.startswith("2 values have more digits than are kept, and are rounded. Write them as strings")
    as_said = read(tmp_path, MOMENTS, {"kinds": {"x": "category"}})
    assert told(as_said, FindingCode.DIGITS_LOST), "the kind alone does not keep them"
    strings = parquet({"x": ["1970-01-01 00:00:00.000000001", "1970-01-01 00:00:00.000001001"], "y": ["a", "b"]})
    found = read(tmp_path, strings, {"kinds": {"x": "category"}})
    assert (column(found, "x").unique, told(found, FindingCode.DIGITS_LOST)) == (2, [])


def test_digits_that_a_text_loses_are_kept_by_the_kind(tmp_path: Path) -> None:
    table = "x,y\n0.1234567890123456789012,a\n2.5,b\n"
    (finding,) = told(read(tmp_path, table), FindingCode.DIGITS_LOST)
    assert finding.detail.startswith("1 value has more digits than are kept, and is rounded. Send 'kinds'")
    assert told(read(tmp_path, table, {"kinds": {"x": "category"}}), FindingCode.DIGITS_LOST) == []


def test_strings_that_are_read_as_numbers_because_somebody_said_so_tell_what_counts_as_missing(tmp_path: Path) -> None:
    table = '{"x": "1.5", "y": "a"}\n{"x": "n/a", "y": "b"}\n'
    (finding,) = told(read(tmp_path, table, {"kinds": {"x": "number"}}), FindingCode.GAP_WORD)
    assert (finding.column, finding.line, finding.count) == ("x", 2, 1)
    assert told(read(tmp_path, table), FindingCode.GAP_WORD) == []
