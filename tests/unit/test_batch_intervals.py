"""Intervals in the output of a batch prediction: those that a request gets, in the form that the file has for them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from shared.errors import NoIntervals
from shared.estimators.signature import Uncertainty
from shared.prediction.computing import FittedModel
from tests.support.batches import MIXED, Learnt, learn, predict_by, predict_file, records_of
from tests.support.models import numeric_signature

RETURNED = [["interval"], ["interval", "label"], ["label", "probability", "interval"]]


def promising(path: Path, estimator: str, target: str, margin: float | None) -> Learnt:
    learnt = learn(path, estimator, target=target)
    promise = None if margin is None else Uncertainty(level=0.9, margin=margin)
    signature = learnt.fitted.signature.model_copy(update={"uncertainty": promise})
    return replace(learnt, fitted=FittedModel(learnt.fitted.model, signature))


def asked(learnt: Learnt, path: Path) -> list[list[Any]]:
    """The intervals of a request with all rows of the file."""
    names = [column.name for column in learnt.fitted.signature.inputs]
    records = records_of(path, learnt.found, names)
    answer = learnt.predictor.answer(
        features=None, records=records, probabilities=False, intervals=True, max_cells=100_000
    )
    assert answer.intervals is not None
    return answer.intervals


def write(folder: Path, content: str) -> Path:
    path = folder / "table.csv"
    path.write_text(content)
    return path


@pytest.mark.parametrize("returned", RETURNED, ids="-".join)
def test_the_labels_are_those_of_a_request(tmp_path: Path, returned: list[str]) -> None:
    path = write(tmp_path, MIXED)
    learnt = promising(path, "linear_model.LogisticRegression", "kind", 0.02)
    expected = asked(learnt, path)
    assert {len(each) for each in expected} == {1, 2}
    shares = ["probability_bad", "probability_good"] if "probability" in returned else []
    rows = predict_file(learnt, path, tmp_path, **{"return": returned}).rows
    assert list(rows[0]) == ["row", "prediction", *shares, "interval", "error"]
    assert [json.loads(row["interval"]) for row in rows] == expected
    outputs = predict_file(learnt, path, tmp_path, format="parquet", **{"return": returned})
    assert [row["interval"] for row in outputs.rows] == expected
    assert pyarrow.parquet.read_schema(outputs.path).field("interval").type == pa.list_(pa.string())


def test_numbers_have_both_ends(tmp_path: Path) -> None:
    path = write(tmp_path, MIXED)
    learnt = promising(path, "ensemble.RandomForestRegressor", "score", 0.5)
    expected = asked(learnt, path)
    for form in ("csv", "parquet"):
        rows = predict_file(learnt, path, tmp_path, format=form, **{"return": ["interval"]}).rows
        assert list(rows[0]) == ["row", "prediction", "interval_low", "interval_high", "error"]
        found = [[float(row["interval_low"]), float(row["interval_high"])] for row in rows]
        assert found == [pytest.approx(each, rel=1e-12) for each in expected]


def test_labels_that_are_integers_stay_integers_in_a_list(tmp_path: Path) -> None:
    path = write(tmp_path, MIXED.replace("good", "1").replace("bad", "2"))
    learnt = promising(path, "linear_model.LogisticRegression", "kind", 0.02)
    outputs = predict_file(learnt, path, tmp_path, format="parquet", **{"return": ["interval"]})
    assert pyarrow.parquet.read_schema(outputs.path).field("interval").type == pa.list_(pa.int64())
    assert [row["interval"] for row in outputs.rows] == asked(learnt, path)


@pytest.mark.parametrize(
    ("estimator", "target"), [("RandomForestClassifier", "kind"), ("RandomForestRegressor", "score")]
)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_row_with_an_error_has_no_interval(tmp_path: Path, estimator: str, target: str, form: str) -> None:
    learnt = promising(write(tmp_path, MIXED), f"ensemble.{estimator}", target, 0.15)
    path = tmp_path / "rows.csv"
    lines = MIXED.splitlines()[:4]
    path.write_text("\n".join([*lines, "003,old,Oslo,true,2024-01-01,1,good", *lines[3:]]) + "\n")
    outputs = predict_file(learnt, path, tmp_path, format=form, **{"return": ["interval"]})
    assert outputs.done.errors == 1
    missing = {"", None}
    for row in outputs.rows:
        cells = [value for name, value in row.items() if name.startswith("interval")]
        assert cells
        assert all((cell in missing) == bool(row["error"]) for cell in map(_hashable, cells)), row


def _hashable(cell: Any) -> Any:
    return tuple(cell) if isinstance(cell, list) else cell


class Repeating:
    """A model that says the number that it is given."""

    def predict(self, rows: Any) -> Any:
        return np.asarray(rows)[:, 0]


def test_an_interval_that_is_not_finite_is_the_error_of_its_row(tmp_path: Path) -> None:
    path = write(tmp_path, "x\n1\n1e308\n2\n")
    promise = Uncertainty(level=0.9, margin=1e308)
    signature = numeric_signature("x", task="regression").model_copy(update={"uncertainty": promise})
    for form in ("csv", "parquet"):
        outputs = predict_by(
            FittedModel(Repeating(), signature), path, tmp_path, format=form, **{"return": ["interval"]}
        )
        assert outputs.done.errors == 1
        first, second, third = outputs.rows
        assert "end of the interval is not a finite number" in second["error"]
        assert {second["prediction"], second["interval_low"]} <= {"", None}
        assert [float(row["interval_high"]) for row in (first, third)] == [1e308, 1e308]


def test_a_model_that_promises_nothing_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, MIXED)
    learnt = promising(path, "tree.DecisionTreeClassifier", "kind", None)
    with pytest.raises(NoIntervals, match="Version 1 has no intervals"):
        predict_file(learnt, path, tmp_path, **{"return": ["interval"]})
