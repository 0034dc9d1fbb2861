"""Tables as people really have them are read with their right values, or it is told, or they are refused."""

from pathlib import Path

import pytest

from shared.errors import PlatformError
from shared.tables.findings import FindingCode
from shared.tables.inspected import TableLimits
from shared.tables.inspection import inspect
from shared.tables.loading import read_table
from tests.support.table_cases import CASES, EXPECTED, FOLDER, TableCase, cases_table, findings_table
from tests.support.tables import described

# Findings that say nothing of how the table is read.
QUIET = {FindingCode.DUPLICATE_ROWS, FindingCode.CONSTANT, FindingCode.INDEX_COLUMN, FindingCode.DIGITS_LOST}
FILES = [(case, file) for case in CASES for file in case.files]


@pytest.mark.parametrize(("case", "file"), FILES, ids=[file for _, file in FILES])
def test_a_table_as_people_have_it_is_read_with_its_right_values_or_told_or_refused(case: TableCase, file: str) -> None:
    path = FOLDER / file
    if "refused" in EXPECTED[file]:
        with pytest.raises(PlatformError) as refused:
            inspect(path, TableLimits())
        assert case.outcome == refused.value.code == EXPECTED[file]["refused"]
        assert [problem["loc"][1] for problem in refused.value.errors] == EXPECTED[file]["lines"]
        return
    found = inspect(path, TableLimits())
    assert described(found) == EXPECTED[file]
    told = {finding.code.value for finding in found.findings}
    assert case.outcome in told or (case.outcome == "read" and not told - QUIET)
    table = read_table(path, found.reading, columns=found.columns)
    assert len(table) == found.rows
    for column in found.columns:
        assert table[column.name].isna().sum() == column.missing


def test_each_file_belongs_to_a_case() -> None:
    listed = [file for _, file in FILES]
    assert sorted(listed) == sorted(path.name for path in FOLDER.iterdir() if path.name != "expected.json")
    assert len(listed) == len(set(listed)) == len(EXPECTED)


@pytest.mark.parametrize(("name", "lines"), [("cases", cases_table()), ("findings", findings_table())])
def test_the_page_about_reading_lists_all_cases_and_findings(name: str, lines: list[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reading.md").read_text()
    between = page.split(f"<!-- {name} -->\n")[1].split(f"\n<!-- /{name} -->")[0]
    assert between.splitlines() == lines
