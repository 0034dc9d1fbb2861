"""What parts rows within a fit, without regard to the column that decides the split, is told."""

from typing import Any

import numpy as np
import pytest

from tests.support.training_tables import numeric_classes, trained

GROUPED = {"method": "grouped", "by": "patient"}
BAYES = {"module": "naive_bayes", "class": "GaussianNB"}
STACK = {"estimators": [["bayes", BAYES]]}
TABLE = numeric_classes(rows=120).assign(patient=np.arange(120) // 4, clinic=[f"c{row % 60}" for row in range(120)])

TOLD: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "stacking": ("ensemble.StackingClassifier", STACK, "StackingClassifier (cv)"),
    "stopping": ("ensemble.HistGradientBoostingClassifier", {"early_stopping": True}, "(early_stopping)"),
    "few rows": ("ensemble.HistGradientBoostingClassifier", {}, None),
    "rounds": ("ensemble.GradientBoostingClassifier", {"n_iter_no_change": 3}, "(n_iter_no_change)"),
    "nothing": ("tree.DecisionTreeClassifier", {}, None),
}


def inner_notes(estimator: str, params: dict[str, Any], **fields: Any) -> list[str]:
    notes: list[str] = trained(estimator, TABLE, params=params, **fields).facts.report["notes"]
    return [note for note in notes if "parted once more" in note]


@pytest.mark.parametrize(("estimator", "params", "told"), TOLD.values(), ids=TOLD.keys())
def test_a_note_names_what_parts_groups_once_more(estimator: str, params: dict[str, Any], told: str | None) -> None:
    notes = inner_notes(estimator, params, split=GROUPED, features=["width", "height"])
    assert len(notes) == (0 if told is None else 1)
    assert all("'patient' keeps its groups together; within the fit" in note and told in note for note in notes if told)


def test_the_encoding_by_the_target_is_told_for_a_split_by_time() -> None:
    (note,) = inner_notes(
        "tree.DecisionTreeClassifier", {}, split={"method": "time", "by": "patient"},
        preprocessing={"clinic": {"encode": "target"}}, features=["width", "clinic"],
    )  # fmt: skip
    assert "keeps what is later apart" in note
    assert "by the encoding of categories by the target." in note


def test_where_chance_splits_there_is_nothing_to_tell() -> None:
    assert inner_notes("ensemble.StackingClassifier", STACK, features=["width", "height"]) == []
