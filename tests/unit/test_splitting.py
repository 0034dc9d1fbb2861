"""Which rows are measured on, by chance, by groups and by time, and the folds of the others."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.errors import InvalidSplit
from shared.estimators.signature import Task
from shared.training.folding import NoFolds, folds_of
from shared.training.spec import SplitChoice
from shared.training.split import Split, split_rows
from tests.support.training_tables import spec_of

LABELS = np.array(["no", "yes"] * 30, dtype=object)
AMOUNTS = np.arange(60.0)


def split(by: Any, method: str, *, target: Any = LABELS, task: Task = "classification", **fields: Any) -> Split:
    choice = SplitChoice(method=method, by="by")
    spec = spec_of("tree.DecisionTreeClassifier", split=choice, **fields)
    return split_rows(target, spec, task=task, by=pd.Series(by, name="by"))


def test_all_rows_of_a_group_are_in_the_same_part() -> None:
    patients = np.repeat(np.arange(12), 5)
    parts = split(patients, "grouped", test_size=0.25)
    assert set(patients[parts.train]) & set(patients[parts.test]) == set()
    assert len(set(patients[parts.test])) == 3
    assert sorted([*parts.train, *parts.test]) == list(range(60))


def test_the_groups_to_measure_on_follow_from_the_seed() -> None:
    patients = np.repeat(np.arange(12), 5)
    first, again, other = (split(patients, "grouped", random_state=seed).test.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_one_group_cannot_be_split() -> None:
    with pytest.raises(InvalidSplit, match=r"'by' has 1 group, of which a 'test_size' of 0.2 leaves none to fit"):
        split(["a"] * 60, "grouped")


def test_the_last_rows_in_time_are_measured_on_whatever_their_order_is() -> None:
    days = np.random.default_rng(3).permutation(60)
    parts = split(pd.to_datetime("2026-01-01") + pd.to_timedelta(days, unit="D"), "time", test_size=0.25)
    assert sorted(days[parts.test]) == list(range(45, 60))
    assert days[parts.train].max() < days[parts.test].min()
    assert not parts.stratified


def test_rows_of_one_moment_stay_together() -> None:
    months = np.repeat(np.arange(4), 15)
    parts = split(months, "time", test_size=0.3)
    assert set(months[parts.test]) == {2, 3}
    assert set(months[parts.train]) == {0, 1}


def test_where_most_rows_are_of_one_early_moment_the_later_ones_are_measured_on() -> None:
    months = np.array([0] * 55 + [1] * 5)
    assert months[split(months, "time", test_size=0.5).test].tolist() == [1] * 5


def test_rows_without_order_cannot_be_split_by_time() -> None:
    with pytest.raises(InvalidSplit, match="All rows have the same value in 'by'"):
        split([7] * 60, "time")


def test_a_gap_where_the_split_is_decided_is_told_with_its_row() -> None:
    with pytest.raises(InvalidSplit, match="it has no value in 2 rows, first in row 4"):
        split([1, 2, 3, None, None, *range(55)], "time")


def test_a_part_to_fit_of_one_class_is_refused() -> None:
    labels = np.array(["no"] * 50 + ["yes"] * 10, dtype=object)
    with pytest.raises(InvalidSplit, match="another way to split"):
        split(np.arange(60), "time", target=labels)


@pytest.mark.parametrize("method", ["random", "grouped", "time"])
@pytest.mark.parametrize(("target", "task"), [(LABELS, "classification"), (AMOUNTS, "regression")])
def test_no_fold_measures_rows_that_it_is_fitted_on(method: str, target: Any, task: Task) -> None:
    by = pd.Series(np.repeat(np.arange(20), 3), name="by")
    spec = spec_of("tree.DecisionTreeClassifier", split=SplitChoice(method=method, by="by"))
    parts = folds_of(target, spec, 4, task=task, by=by)
    assert len(parts) == 4
    for fitted, measured in parts:
        assert set(fitted) & set(measured) == set()
    together = sorted(np.concatenate([measured for _, measured in parts]).tolist())
    # In time, the first rows are fitted on only.
    assert together == list(range(12 if method == "time" else 0, 60))
    if method == "grouped":
        assert all(set(by[fitted]) & set(by[measured]) == set() for fitted, measured in parts)
    if method == "time":
        assert all(by[fitted].max() < by[measured].min() for fitted, measured in parts)


def test_each_fold_has_its_share_of_a_rare_class() -> None:
    labels = np.array(["no"] * 55 + ["yes"] * 5, dtype=object)
    parts = folds_of(labels, spec_of("tree.DecisionTreeClassifier"), 5, task="classification", by=None)
    assert [(labels[measured] == "yes").sum() for _, measured in parts] == [1] * 5


@pytest.mark.parametrize(
    ("rows", "method", "by", "why"),
    [
        (8, "random", range(8), "5 folds of 8 rows would have less than two rows each"),
        (60, "grouped", [0, 1, 2] * 20, "'by' has 3 groups in the rows to fit, fewer than 5 folds"),
        (60, "time", [0, 1, 2, 3, 4] * 12, "'by' has 5 different moments in the rows to fit, too few for 5 folds"),
    ],
)
def test_rows_that_are_too_few_for_folds_are_told(rows: int, method: str, by: Any, why: str) -> None:
    spec = spec_of("tree.DecisionTreeClassifier", split=SplitChoice(method=method, by="by"))
    with pytest.raises(NoFolds, match=why):
        folds_of(AMOUNTS[:rows], spec, 5, task="regression", by=pd.Series(by, name="by"))


def test_a_fold_that_would_meet_one_class_only_is_told() -> None:
    labels = np.array(["no"] * 30 + ["yes"] * 30, dtype=object)
    spec = spec_of("tree.DecisionTreeClassifier", split=SplitChoice(method="time", by="by"))
    with pytest.raises(NoFolds, match="one class only"):
        folds_of(labels, spec, 5, task="classification", by=pd.Series(range(60), name="by"))
