"""Rows that are kept with a model tell whether it still says the same, also of gaps, words and dates."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.training.golden import compare_rows, inputs_of, keep_rows
from shared.training.pin import GoldenRows, installed_instead, pinned_libraries
from tests.support.training_tables import dirty, numeric_amounts, numeric_classes, trained_once

TABLES = {
    "linear_model.LogisticRegression": numeric_classes,
    "linear_model.RidgeClassifier": numeric_classes,
    "linear_model.Ridge": numeric_amounts,
    "tree.DecisionTreeClassifier": dirty,
}


def golden_of(estimator: str) -> tuple[Any, GoldenRows]:
    made = trained_once(estimator, TABLES[estimator]())
    assert made.facts.pin is not None
    assert made.facts.pin.golden is not None
    # As the registry gives them back.
    return made.model, GoldenRows.model_validate(json.loads(json.dumps(made.facts.pin.golden.model_dump(mode="json"))))


@pytest.mark.parametrize("estimator", TABLES)
def test_a_model_says_of_its_rows_what_it_said(estimator: str) -> None:
    model, golden = golden_of(estimator)
    compared = compare_rows(golden, model)
    assert (compared.compared, compared.different) == (golden.count, 0)
    without = estimator.endswith("RidgeClassifier")
    assert compared.largest_difference == (None if without else 0.0)
    assert golden.count == (20 if estimator.startswith("tree") else 12)


def test_an_answer_that_is_another_one_is_counted_with_its_distance() -> None:
    model, golden = golden_of("linear_model.Ridge")
    kept = np.array(golden.numbers, dtype=np.float64)
    numbers = kept + 0.25 * (np.arange(len(kept)) == 3)[:, np.newaxis]
    compared = compare_rows(golden.model_copy(update={"numbers": numbers.tolist()}), model)
    assert compared.different == 1
    assert compared.largest_difference == pytest.approx(0.25)
    rounded = (kept * (1 + 1e-13)).tolist()
    compared = compare_rows(golden.model_copy(update={"numbers": rounded}), model)
    assert compared.different == 0
    assert compared.largest_difference


@pytest.mark.parametrize("estimator", ["linear_model.LogisticRegression", "linear_model.RidgeClassifier"])
def test_another_label_is_counted_also_without_probabilities(estimator: str) -> None:
    model, golden = golden_of(estimator)
    labels = ["other", *(golden.labels or [])[1:]]
    assert compare_rows(golden.model_copy(update={"labels": labels}), model).different == 1


def test_a_model_of_other_labels_says_something_else_of_all_rows() -> None:
    model, golden = golden_of("linear_model.LogisticRegression")
    fewer = [row[:2] for row in golden.numbers or []]
    compared = compare_rows(golden.model_copy(update={"numbers": fewer}), model)
    assert (compared.different, compared.largest_difference) == (golden.count, None)


def test_a_number_that_is_missing_is_not_one_that_is_there() -> None:
    model, golden = golden_of("linear_model.Ridge")
    numbers = [[None], *(golden.numbers or [])[1:]]
    assert compare_rows(golden.model_copy(update={"numbers": numbers}), model).different == 1


def test_gaps_words_and_dates_come_back_as_the_model_takes_them() -> None:
    _, golden = golden_of("tree.DecisionTreeClassifier")
    inputs = inputs_of(golden)
    assert {"age", "city", "since"} <= set(inputs)
    assert inputs["city"].dtype == object
    assert inputs["age"].dtype == inputs["since"].dtype == np.float64
    assert inputs["city"].isna().any() or inputs["age"].isna().any()


def test_of_rows_that_are_too_large_fewer_are_kept_and_maybe_none() -> None:
    class Silent:
        def predict(self, rows: pd.DataFrame) -> Any:
            return np.zeros(len(rows))

    def kept(length: int) -> GoldenRows | None:
        return keep_rows(Silent(), pd.DataFrame({"text": ["a" * length] * 50}, dtype=object))

    few = kept(2**16)
    assert few is not None
    assert few.count == 2
    assert kept(2**18) is None


def test_libraries_that_are_others_now_are_named() -> None:
    here = pinned_libraries()
    assert {"python", "scikit-learn", "numpy", "pandas", "scipy", "ml-mini-platform"} == set(here)
    assert installed_instead(here) == {}
    then = here | {"scipy": "0.1", "a-package-of-nobody": "3.0"}
    assert installed_instead(then) == {
        "scipy": {"then": "0.1", "now": here["scipy"]},
        "a-package-of-nobody": {"then": "3.0", "now": ""},
    }
