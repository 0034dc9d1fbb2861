"""Which columns a training of today's rules leaves out, and what it tells of the findings about its table."""

import json

import pandas as pd
import pytest

from shared.errors import TaskMismatch
from shared.prediction.input_warnings import InputWarnings
from shared.tables.columns import CellReading, Column, ColumnRole
from shared.tables.findings import Finding, FindingCode
from shared.training.narration import Say
from shared.training.trainer import Trained, train
from tests.support.inputs import read_input
from tests.support.training_tables import numeric_classes, profile_of, spec_of, treatment

LOGISTIC = "linear_model.LogisticRegression"


def columns_of(table: pd.DataFrame, **roles: ColumnRole) -> list[Column]:
    """The columns as today's inspection describes them."""
    return [
        column.model_copy(update={"cells": CellReading(kind=column.kind), "role": roles.get(column.name)})
        for column in profile_of(table)
    ]


def learned(
    table: pd.DataFrame,
    columns: list[Column],
    *,
    findings: tuple[Finding, ...] = (),
    features: list[str] | None = None,
    say: Say = lambda _line: None,
) -> Trained:
    spec = spec_of(LOGISTIC, features=features)
    return train(
        spec,
        table,
        columns,
        findings=findings,
        threads=1,
        folds=0,
        on_step=lambda _step, _percent, **_measured: None,
        say=say,
    )


def numbered(*, mixed: bool) -> pd.DataFrame:
    """A table whose first column numbers the rows; a `mixed` one has words, too."""
    table = numeric_classes()
    table.insert(0, "Id", range(1, len(table) + 1))
    if mixed:
        table["word"] = pd.Series(["oak", "elm"] * (len(table) // 2), dtype="str")
    return table


@pytest.mark.parametrize("mixed", [False, True], ids=["numbers only", "mixed"])
def test_a_column_that_numbers_the_rows_is_left_out_of_every_table(mixed: bool) -> None:
    table = numbered(mixed=mixed)
    result = learned(table, columns_of(table, Id="identifier"))
    assert treatment(result, "Id")["treatment"] == (
        "left out: it numbers or names the rows; name it in 'features' to use it"
    )
    assert [column.name for column in result.facts.signature.inputs if not column.used] == ["Id"]
    assert "Id" not in getattr(result.model, "feature_names_in_", result.model[0].feature_names_in_ if mixed else [])
    names = [name for name in table.columns if name != "target"]
    brought_back = learned(table, columns_of(table, Id="identifier"), features=names)
    assert all(column.used for column in brought_back.facts.signature.inputs)


def test_a_constant_is_left_out_of_a_table_of_numbers() -> None:
    table = numeric_classes().assign(year=2026)
    result = learned(table, columns_of(table, year="constant"))
    assert treatment(result, "year")["treatment"] == "left out: it has the same value in every row"
    assert result.facts.signature.numeric


def test_tables_of_older_releases_keep_the_rule_of_their_time() -> None:
    table = numbered(mixed=False)
    old = [column.model_copy(update={"cells": None}) for column in columns_of(table, Id="identifier")]
    assert all(column.used for column in learned(table, old).facts.signature.inputs)
    # A name decides nothing today: the inspection has looked at the cells.
    assert all(column.used for column in learned(table, columns_of(table)).facts.signature.inputs)


def test_rows_by_position_hold_the_columns_that_are_left_out_too() -> None:
    table = numbered(mixed=False)
    result = learned(table, columns_of(table, Id="identifier"))
    rows = table.drop(columns="target").to_numpy().tolist()
    assert len(rows[0]) == 4
    expected = result.model.predict(table.drop(columns=["target", "Id"])).tolist()
    anything = [["a word", *row[1:]] for row in rows]
    nothing = [[None, *row[1:]] for row in rows]
    for features in (rows, anything, nothing):
        taken = read_input(
            result.facts.signature,
            version=1,
            features=features,
            records=None,
            max_cells=1_000,
            warnings=InputWarnings(),
        )
        assert taken.tolist() == [row[1:] for row in rows]
        assert result.model.predict(pd.DataFrame(taken, columns=["width", "height", "count"])).tolist() == expected


def test_a_single_used_column_of_numbers_is_taken_by_position() -> None:
    table = numbered(mixed=False)[["Id", "width", "target"]]
    signature = learned(table, columns_of(table, Id="identifier")).facts.signature
    taken = read_input(
        signature, version=1, features=[[1, 2], [2, 3.5]], records=None, max_cells=9, warnings=InputWarnings()
    )
    assert taken.tolist() == [[2.0], [3.5]]


def finding(code: FindingCode, detail: str, *, column: str | None = None, count: int | None = None) -> Finding:
    return Finding(code=code, column=column, count=count, detail=detail)


FINDINGS = (
    finding(FindingCode.DUPLICATE_ROWS, "2 rows are equal to others.", count=2),
    finding(FindingCode.INDEX_COLUMN, "Id numbers the rows.", column="Id"),
    finding(FindingCode.TRIMMED, "3 cells have blanks around them.", column="width", count=3),
    finding(FindingCode.GAP_WORD, "'None' (20) counts as missing.", column="target", count=20),
)


def test_findings_about_target_used_columns_and_the_whole_table_are_notes_and_lost_rows_come_first() -> None:
    table = numbered(mixed=False)
    said: list[str] = []
    result = learned(table, columns_of(table, Id="identifier"), findings=FINDINGS, say=said.append)
    notes = result.facts.report["notes"]
    assert notes[:3] == said[:3]
    assert notes[:3] == [
        "20 rows are left out, because the target counts as missing there. 'None' (20) counts as missing.",
        "2 rows are equal to others.",
        "Column 'width': 3 cells have blanks around them.",
    ]
    assert not any("numbers the rows" in note for note in notes)


def test_of_very_many_findings_the_first_are_notes() -> None:
    table = numbered(mixed=False)
    many = tuple(finding(FindingCode.TRIMMED, f"Number {number}.", column="width") for number in range(30))
    notes = learned(table, columns_of(table), findings=many).facts.report["notes"]
    assert notes[19:21] == ["Column 'width': Number 19.", "There are 10 more findings: the dataset has them."]


NEARLY = finding(
    FindingCode.NEARLY_NUMERIC, "Line 7 of 'ratio' holds 'n.b.', which is no number. Send 'kinds'.", column="ratio"
)


def test_a_column_of_text_that_nearly_holds_numbers_says_so_where_it_is_left_out() -> None:
    table = numeric_classes()
    table["ratio"] = pd.Series([f"{number}.5" for number in range(len(table))], dtype="str")
    told = treatment(learned(table, columns_of(table), findings=(NEARLY,)), "ratio")["treatment"]
    assert told == (
        "left out: each row has its own text; line 7 of 'ratio' holds 'n.b.', which is no number. Send 'kinds'"
    )
    # The examples of the profile are not guessed at any more.
    assert "holds values such as" not in treatment(learned(table, columns_of(table)), "ratio")["treatment"]


def test_a_target_of_text_that_nearly_holds_numbers_says_so_where_it_is_refused() -> None:
    table = numeric_classes()
    table["target"] = pd.Series([f"{number}.5" for number in range(len(table))], dtype="str")
    nearly = NEARLY.model_copy(update={"column": "target"})
    with pytest.raises(TaskMismatch) as refused:
        learned(table, columns_of(table), findings=(nearly,))
    said = "; line 7 of 'ratio' holds 'n.b.', which is no number. Send 'kinds'. Or choose a target with fewer classes."
    assert said in refused.value.detail


def test_the_signature_keeps_how_cells_are_read_in_few_bytes() -> None:
    table = numeric_classes()
    columns = columns_of(table)
    columns[0].cells = CellReading(kind=columns[0].kind, decimal=",", gap_words=("NA",))
    signature = learned(table, columns).facts.signature
    stored = json.loads(signature.model_dump_json())
    assert stored["inputs"][0]["cells"] == {"rules": 3, "kind": "number", "decimal": ",", "gap_words": ["NA"]}
    assert stored["inputs"][1]["cells"] == {"rules": 3, "kind": "number"}
    assert type(signature).model_validate(stored) == signature
    old = learned(table, profile_of(table)).facts.signature
    assert "cells" not in json.loads(old.model_dump_json())["inputs"][0]
