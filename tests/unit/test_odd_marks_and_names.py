"""Names, marks and encodings that a library trips over are read, or refused with what to send instead."""

from pathlib import Path

import pytest

from shared.errors import ReadingRefused
from shared.tables.inspected import TableLimits
from shared.tables.inspection import inspect
from shared.tables.options import ReadingOptions
from tests.support.tables import check, kinds, load, parquet


@pytest.mark.parametrize("name", [".x", "[0]", ".a.b", "a.b[", "..", "*", "$.x"])
def test_a_name_may_look_like_a_path(tmp_path: Path, name: str) -> None:
    for content in (f"{name};b\n1;x\n2;y\n", f'{{"{name}":1,"b":"x"}}\n{{"{name}":2,"b":"y"}}\n'):
        found, table = load(tmp_path, content)
        assert (kinds(found), table[name].tolist()) == ({name: "integer", "b": "category"}, [1, 2])
    assert kinds(load(tmp_path, parquet({name: [1, 2], "b": ["x", "y"]}))[0])[name] == "integer"


def test_each_name_that_was_cleaned_is_told_in_a_sentence_of_its_own(tmp_path: Path) -> None:
    found, _ = load(tmp_path, "size\u200b;cafe\u0301;b\n1;x;2\n2;y;3\n")
    told = {finding.column: finding.detail for finding in found.findings if finding.code == "look_alike"}
    assert list(told) == ["size", "café"]
    assert all(f"The name '{name}' had characters" in detail for name, detail in told.items())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_text_without_the_mark_of_its_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "upload"
    for content in (b"a,b\n1,2\n3,4\n", "a,b\n1,2\n".encode(f"{encoding}-le")):
        path.write_bytes(content)
        with pytest.raises(ReadingRefused, match="Send another 'encoding'"):
            inspect(path, TableLimits(), ReadingOptions(encoding=encoding))


@pytest.mark.parametrize("mark", ["é", "¬", "§", "x", "5", "\\", "'"])
def test_a_line_that_names_no_delimiter_is_a_line_of_the_table(tmp_path: Path, mark: str) -> None:
    found, _ = load(tmp_path, f"sep={mark}\n" + "1\n2\n3\n")
    assert (found.rows, found.columns[0].name, found.reading.skipped_lines) == (3, f"sep={mark}", [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a;b\n1.234;x\n5.678;y\n", ["thousands_ambiguous"]),
        ("a,b\n1.234,x\n5.678,y\n", []),
        ("a;b\n1.234;x\n0.678;y\n", []),
        ("a;b\n1.234;0.5\n5.678;0.25\n", []),
        ("a;b\n1.234;0,5\n5.678;0,25\n", []),
    ],
)
def test_points_before_three_digits_are_doubtful_between_semicolons(tmp_path: Path, text: str, told: list[str]) -> None:
    assert [finding.code for finding in check(tmp_path, text).findings] == told
