"""How well models do that learn from fewer rows: on which rows, for how long, and what becomes of errors."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.errors import FitFailed
from shared.evaluation.assessment import Assessment
from shared.evaluation.thresholds import relabelled
from shared.training import learning_curve
from shared.training.model_fit import fit_silently
from shared.training.preparing import Prepared
from shared.training.split import Positions
from shared.training.trainer import train
from tests.support.training_tables import numeric_amounts, numeric_classes, profile_of, quiet, spec_of, trained

TREE = "tree.DecisionTreeClassifier"


def assessed(estimator: str, table: pd.DataFrame, *, seconds: float = math.inf, **fields: Any) -> Assessment:
    spec = spec_of(estimator, learning_curve=True, **fields)
    columns = profile_of(table)
    result = train(spec, table, columns, threads=1, folds=3, seconds=seconds, on_step=quiet)
    assert result.facts.assessment is not None
    return result.facts.assessment


def test_the_sizes_grow_to_all_rows_of_a_fold() -> None:
    found = assessed(TREE, numeric_classes(rows=200), split={"folds": 3})
    curve = found.learning_curve
    assert curve is not None
    assert curve.metric == "accuracy"
    assert [each.rows for each in curve.points] == [11, 19, 34, 60, 106]
    assert {each.folds for each in curve.points} == {3}
    assert all(each.training.mean == 1.0 for each in curve.points)
    assert curve.points[0].validation.mean < curve.points[-1].validation.mean
    # All rows but one or none of each fold.
    assert curve.points[-1].validation.mean == pytest.approx(found.spread["accuracy"].mean, abs=0.03)


def test_numbers_have_one_too_and_nobody_gets_one_unasked() -> None:
    curve = assessed("linear_model.Ridge", numeric_amounts(), split={"folds": 0}).learning_curve
    assert curve is not None
    assert curve.metric == "mae"
    assert curve.points[0].validation.mean > curve.points[-1].validation.mean
    plain = trained(TREE, numeric_classes())
    assert plain.facts.assessment is not None
    assert plain.facts.assessment.learning_curve is None
    assert "learning_curve" not in spec_of(TREE).to_store()


@pytest.mark.parametrize("method", ["grouped", "time"])
def test_rows_are_chosen_in_the_manner_of_the_split(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    table = numeric_classes(rows=120).assign(by=np.arange(120) // 4)
    seen: list[list[int]] = []

    def watch(ready: Prepared, rows: Positions) -> Any:
        seen.append(sorted(table["by"].to_numpy()[rows].tolist()))
        return fit_silently(ready, rows)

    monkeypatch.setattr(learning_curve, "fit_silently", watch)
    found = assessed(TREE, table, split={"method": method, "by": "by", "folds": 3})
    assert found.learning_curve is not None
    counts = [each.folds for each in found.learning_curve.points]
    assert len(seen) == sum(counts)
    if method == "time":
        # Later folds have more rows, and each size ends just before what is measured.
        assert counts[-1] == 1
        assert [each[-1] for each in seen[:3]] == sorted(each[-1] for each in seen[:3])
        assert all(each == sorted(each) and each[-1] - each[0] <= len(each) / 4 + 1 for each in seen)
    else:
        assert counts[0] == 3


def test_a_size_that_cannot_be_fitted_is_left_out_and_the_training_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(ready: Prepared, rows: Positions) -> Any:
        if len(rows) == 11:
            raise FitFailed("eleven are too few")
        if len(rows) > 60:
            raise MemoryError
        return fit_silently(ready, rows)

    monkeypatch.setattr(learning_curve, "fit_silently", refuse)
    found = assessed(TREE, numeric_classes(rows=200), split={"folds": 3})
    assert found.learning_curve is not None
    assert [each.rows for each in found.learning_curve.points] == [19, 34, 60]
    told = [note for note in found.notes if "learning curve" in note]
    assert len(told) == 2
    assert "11 rows: eleven are too few" in told[0]
    assert "ends before 106 rows: they need more memory" in told[1]


def test_what_would_take_too_long_is_left_out_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[int] = []
    monkeypatch.setattr(learning_curve, "fit_silently", lambda _ready, rows: fits.append(len(rows)))
    found = assessed(TREE, numeric_classes(rows=200), seconds=0.0, split={"folds": 3})
    assert (found.learning_curve, fits) == (None, [])
    assert any("ends before 11 rows" in note and "'limits.seconds'" in note for note in found.notes)


def test_too_few_rows_have_none_and_a_note_says_so() -> None:
    found = assessed(TREE, numeric_classes(("no", "yes"), rows=18), split={"folds": 2})
    assert found.learning_curve is None
    assert any(note == "No learning curve: 14 rows are too few to learn from fewer." for note in found.notes)
    few = assessed(TREE, numeric_classes(("no", "yes"), rows=6))
    assert any(note.startswith("No learning curve: 3 folds of 4") for note in few.notes)


def test_its_models_say_what_the_threshold_says(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def watch(answers: Any, value: float, positive: Any) -> Any:
        asked.append(value)
        return relabelled(answers, value, positive)

    monkeypatch.setattr("shared.training.thresholding.relabelled", watch)
    table = numeric_classes(("no", "yes"))
    found = assessed("naive_bayes.GaussianNB", table, threshold={"value": 0.9}, split={"folds": 3})
    assert found.learning_curve is not None
    # The rows kept back, all folds together, and both parts of each fold of the curve.
    assert len(asked) == 2 + 2 * sum(each.folds for each in found.learning_curve.points)


def test_its_progress_is_told() -> None:
    heard: list[tuple[str, int]] = []

    def hear(step: str, percent: int, *, measured: bool = False) -> None:
        del measured
        heard.append((step, percent))

    table = numeric_classes(rows=200)
    train(spec_of(TREE, learning_curve=True), table, profile_of(table), threads=1, folds=2, on_step=hear)
    told = [percent for step, percent in heard if step == "learning curve"]
    assert told == [90, 90, 91, 92, 93, 94]
    assert [percent for _, percent in heard] == sorted(percent for _, percent in heard)
