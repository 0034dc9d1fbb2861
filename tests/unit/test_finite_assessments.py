"""What no document can hold is left out of an assessment, part by part, and told."""

import json

import numpy as np
import pytest

from shared.evaluation.answers import Predicted
from shared.evaluation.assessment import Assessment, Importance, MetricSpread, Promise, WorstRow
from shared.evaluation.finite import only_finite
from shared.evaluation.residuals import residuals
from shared.training.facts import ModelFacts
from tests.support.assessments import of_labels, of_numbers
from tests.support.training_tables import numeric_amounts, trained

NOT_FINITE = [float("inf"), float("-inf"), float("nan")]


@pytest.mark.parametrize("found", [of_numbers(), of_labels("a", "b"), Assessment()])
def test_what_is_finite_stays_as_it_is(found: Assessment) -> None:
    assert only_finite(found) is found


@pytest.mark.parametrize("number", NOT_FINITE)
def test_only_the_entries_that_are_not_finite_go_and_a_note_names_their_parts(number: float) -> None:
    whole = of_numbers()
    found = only_finite(
        whole.model_copy(
            update={
                "intervals": {**whole.intervals, "mse": (1.0, number)},
                "spread": {**whole.spread, "mse": MetricSpread(mean=1.0, std=number)},
                "importance": [*whole.importance, Importance(column="a", mean=number, std=0.0)],
                "uncertainty": Promise(level=0.9, margin=1.0, rows=9, coverage=1.0, size=number),
            }
        )
    )
    note = "Numbers that are too large are left out of intervals, spread, importance, uncertainty."
    assert found == whole.model_copy(update={"uncertainty": None, "notes": [note]})


@pytest.mark.parametrize("number", NOT_FINITE)
def test_a_row_for_which_the_model_says_no_number_is_told(number: float) -> None:
    row = WorstRow(row=1, actual=1.0, predicted=number, error=1e308, values={})
    found = only_finite(Assessment(worst_rows=[row]))
    assert json.loads(found.model_dump_json())["worst_rows"][0]["predicted"] is None
    assert Assessment.model_validate_json(found.model_dump_json()).worst_rows[0].error == 1e308


def test_numbers_whose_distance_is_no_float_have_no_residuals() -> None:
    largest = np.finfo(np.float64).max
    assert residuals(Predicted(np.array([-largest, 0.0]), None, None), np.array([largest, 0.0]), seed=1) is None


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("estimator", ["linear_model.LinearRegression", "tree.DecisionTreeRegressor"])
def test_a_training_on_numbers_whose_squares_are_no_floats_has_a_report(estimator: str) -> None:
    table = numeric_amounts()
    table["target"] = table["target"] * (1e300 / table["target"].abs().max())
    facts = trained(estimator, table).facts
    read = ModelFacts.model_validate_json(facts.model_dump_json()).assessment
    assert read is not None
    assert read.residuals is not None
    assert "Numbers that are too large are left out of" in read.notes[-1]
