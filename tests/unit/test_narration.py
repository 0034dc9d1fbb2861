"""What is told of a training while it goes on."""

import numpy as np
import pytest

from shared.evaluation.measuring import Evaluation
from shared.tables.columns import ColumnKind
from shared.training import narration
from shared.training.plan import RECIPE, Plan
from shared.training.split import Split
from shared.training.treatment import Treatment


def plan_with(treatments: dict[str, str]) -> Plan:
    return Plan(
        recipe=RECIPE,
        numeric=False,
        imputed=True,
        scaled=False,
        categorical=False,
        keeps_gaps=False,
        treatments=[
            Treatment(column=column, kind=ColumnKind.NUMBER, role="number", treatment=treatment)
            for column, treatment in treatments.items()
        ],
    )


def preparation(treatments: dict[str, str], *, note: str | None = None, without_target: int = 0) -> list[str]:
    said: list[str] = []
    rows = np.arange(4)
    split = Split(train=rows, test=rows, stratified=note is None, note=note)
    narration.of_preparation(said.append, plan_with(treatments), split, without_target=without_target)
    return said


@pytest.mark.parametrize(("count", "words"), [(1, "1 row"), (3, "3 rows"), (1024, "1,024 rows")])
def test_rows_are_told_in_words(count: int, words: str) -> None:
    assert narration.rows(count) == words


def test_columns_that_are_treated_alike_share_a_line() -> None:
    assert preparation({"a": "used", "b": "left out: it has no values", "c": "used"}) == [
        "columns 'a', 'c': used",
        "column 'b': left out: it has no values",
    ]


def test_rows_that_are_left_out_and_a_split_out_of_the_ordinary_are_told() -> None:
    said = preparation({"a": "used"}, note="The split is not stratified.", without_target=3)
    assert said == ["dropped 3 rows without a target", "column 'a': used", "The split is not stratified."]


def test_a_wide_table_takes_few_lines() -> None:
    alike = preparation({f"c{number}": "used" for number in range(5000)})
    assert alike == ["columns 'c0', 'c1', 'c2', 'c3', 'c4' and 4,995 more: used"]
    motley = preparation({f"c{number}": f"{number} values count as missing" for number in range(5000)})
    assert len(motley) == 21
    assert motley[-1] == "4,980 more columns: the model's report tells of each"


def test_what_was_measured_is_told_with_what_could_not_be() -> None:
    said: list[str] = []
    measured = Evaluation(metrics={"accuracy": 0.931234, "log_loss": 12.5}, notes=["roc_auc is not defined here."])
    narration.of_evaluation(said.append, measured, rows_measured=205)
    narration.of_evaluation(said.append, Evaluation(), rows_measured=1)
    assert said == [
        "measured on 205 rows: accuracy 0.9312, log_loss 12.5",
        "roc_auc is not defined here.",
        "measured on 1 row: nothing that is defined here",
    ]
