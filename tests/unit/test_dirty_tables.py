"""Training on tables as they are in reality."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.training.frame import model_input
from shared.training.trainer import Trained
from tests.support.training_tables import dirty, trained, treatment

FOREST = "ensemble.RandomForestClassifier"
LOGISTIC = "linear_model.LogisticRegression"


def predicted(result: Trained, rows: list[list[Any]]) -> list[Any]:
    """Raw rows in the order of the signature, as a client sends them."""
    names = [column.name for column in result.facts.signature.inputs]
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    taken = model_input(columns, result.facts.signature.inputs, numeric=False)
    labels: list[Any] = result.model.predict(taken).tolist()
    return labels


def test_a_dirty_table_tells_what_was_done_to_which_column() -> None:
    result = trained(LOGISTIC, dirty())
    assert {entry["column"]: entry["role"] for entry in result.facts.report["columns"]} == {
        "customer_id": "left_out",
        "age": "number",
        "city": "category",
        "member": "boolean",
        "since": "number",
        "remark": "left_out",
        "currency": "left_out",
        "empty": "left_out",
    }
    assert "identifies the row" in treatment(result, "customer_id")["treatment"]
    assert "its own text" in treatment(result, "remark")["treatment"]
    assert "same value in every row" in treatment(result, "currency")["treatment"]
    assert "no values" in treatment(result, "empty")["treatment"]
    assert treatment(result, "since")["treatment"].startswith("days since 1970-01-01 UTC, missing values become")
    assert result.facts.report["rows"] == {"total": 200, "without_target": 1, "training": 159, "test": 40}
    assert sum(entry["training"] + entry["test"] for entry in result.facts.report["classes"]) == 199
    inputs = {column.name: column for column in result.facts.signature.inputs}
    assert list(inputs) == [name for name in dirty().columns if name != "target"]
    assert all(column.missing_allowed for column in inputs.values())
    assert inputs["city"].categories == ["Berlin", "Lyon", "Oslo"]
    assert not inputs["remark"].used


@pytest.mark.parametrize(
    "estimator",
    [
        LOGISTIC,
        FOREST,
        "ensemble.HistGradientBoostingClassifier",
        "neighbors.KNeighborsClassifier",
        "naive_bayes.CategoricalNB",
    ],
)
def test_a_model_of_a_dirty_table_predicts_raw_rows_with_gaps_and_new_categories(estimator: str) -> None:
    result = trained(estimator, dirty(rows=400))
    assert result.facts.metrics["balanced_accuracy"] > 0.6
    rows: list[list[Any]] = [
        [1, 60, "Oslo", True, "2024-05-01", "words", "EUR", None],
        [2, 30.5, "Atlantis", False, "2024-05-01T12:00:00Z", None, "USD", None],
        [None, None, None, None, None, None, None, None],
        [None, 200, "Lyon", None, "1950-01-01T00:00:00+02:00", "", None, 5],
    ]
    assert set(predicted(result, rows)) <= {"buys", "leaves"}


def test_a_regressor_learns_a_dirty_table() -> None:
    table = dirty()
    # Where there is no age, there is no target.
    table["target"] = 3 * table["age"] + 50 * (table["city"] == "Oslo") - 20 * table["member"].eq(other=True)
    for estimator in ("linear_model.Ridge", "ensemble.RandomForestRegressor"):
        result = trained(estimator, table)
        assert result.facts.report["rows"]["without_target"] == 19
        baseline = result.facts.report["baseline"]["metrics"]
        assert result.facts.metrics["rmse"] < baseline["rmse"] / 3
        assert result.facts.metrics["r2"] > 0.9


def test_columns_that_the_request_names_are_used_even_if_they_would_be_left_out() -> None:
    result = trained(LOGISTIC, dirty(), features=["remark", "customer_id", "currency", "age"])
    assert [entry["role"] for entry in result.facts.report["columns"]] == ["category", "number", "category", "number"]
    assert [column.name for column in result.facts.signature.inputs] == ["remark", "customer_id", "currency", "age"]


def test_more_categories_than_fifty_share_a_column() -> None:
    generator = np.random.default_rng(3)
    table = pd.DataFrame({"code": pd.Series([f"c{n}" for n in generator.integers(0, 80, 600)], dtype="str")})
    table["target"] = table["code"].str.len()
    result = trained(FOREST, table, params={"n_estimators": 3})
    assert "the rarest beyond 50 together" in treatment(result, "code")["treatment"]
    assert result.model[-1].n_features_in_ == 50


def test_the_signature_names_the_hundred_most_frequent_categories() -> None:
    # The later ones in the alphabet are the more frequent ones.
    codes = [f"c{number:03}" for number in range(120) for _ in range(2 if number < 20 else 3)]
    table = pd.DataFrame({"code": pd.Series(codes, dtype="str"), "target": np.arange(len(codes)) % 2})
    result = trained(FOREST, table, params={"n_estimators": 1})
    assert result.facts.signature.inputs[0].categories == [f"c{number:03}" for number in range(20, 120)]


def test_downloaded_models_load_where_only_scikit_learn_is(tmp_path: Path) -> None:
    paths = [tmp_path / f"{estimator}.pkl" for estimator in (LOGISTIC, FOREST, "naive_bayes.CategoricalNB")]
    for path in paths:
        path.write_bytes(pickle.dumps(trained(path.stem, dirty()).model))
        assert b"shared.training" not in path.read_bytes()
    program = (
        "import pickle, sys; models = [pickle.load(open(path, 'rb')) for path in sys.argv[1:]];"
        "assert not [name for name in sys.modules if name.split('.')[0] in ('shared', 'worker', 'api')];"
        "print(*{type(model).__module__ for model in models})"
    )
    # In a folder and with a path that do not hold this project.
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, *map(str, paths)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "sklearn.pipeline"
