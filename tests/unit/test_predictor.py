"""Predictions of a loaded model: original labels, JSON values, and clear errors."""

import json
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC

from shared.errors import InvalidInput, NoProbabilities
from shared.prediction.computing import FittedModel
from shared.prediction.predictor import Prediction, Predictor
from tests.support.models import IRIS_COLUMNS, Fitted, doubling, iris_forest, numeric_signature

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]


def ready(fitted: Fitted) -> Predictor:
    return Predictor(1, FittedModel(fitted.model, fitted.signature), 1)


def ask(predictor: Predictor, features: Any, *, probabilities: bool = False) -> Prediction:
    return predictor.answer(features=features, records=None, probabilities=probabilities, max_cells=1000)


def classifier(labels: list[Any]) -> Predictor:
    model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], labels)
    return Predictor(1, FittedModel(model, numeric_signature("x", classes=model.classes_.tolist())), 1)


def test_labels_are_those_of_the_dataset() -> None:
    assert ask(ready(iris_forest()), ROWS) == Prediction(["setosa", "virginica"], None, None, [])


@pytest.mark.parametrize("labels", [["no", "yes"], [0, 1], [False, True], [1.0, 2.0]])
def test_labels_of_every_kind_are_plain_json_values(labels: list[Any]) -> None:
    prediction = ask(classifier([labels[0], labels[0], labels[1], labels[1]]), [[0], [3]])
    assert [(type(label), label) for label in prediction.predictions] == [(type(label), label) for label in labels]
    json.dumps(prediction.predictions)


def test_probabilities_come_in_the_order_of_the_classes() -> None:
    prediction = ask(ready(iris_forest()), ROWS, probabilities=True)
    assert prediction.classes == ["setosa", "versicolor", "virginica"]
    assert prediction.probabilities is not None
    assert [sum(row) for row in prediction.probabilities] == pytest.approx([1, 1])
    assert prediction.probabilities[1][2] > 0.5


def test_a_regression_answers_with_numbers() -> None:
    assert ask(ready(doubling()), [[4], [0.5]]).predictions == pytest.approx([8.0, 1.0])


def test_a_regression_with_one_column_of_targets_answers_with_one_number_per_row() -> None:
    model = LinearRegression().fit([[0.0], [1.0]], [[0.0], [2.0]])
    predictor = Predictor(1, FittedModel(model, numeric_signature("x", task="regression")), 1)
    assert ask(predictor, [[1], [2]]).predictions == pytest.approx([2.0, 4.0])


def test_a_regression_has_no_probabilities() -> None:
    with pytest.raises(NoProbabilities, match="predicts numbers") as refused:
        ask(ready(doubling()), [[1]], probabilities=True)
    assert refused.value.errors[0]["loc"] == ["body", "return"]


def test_a_classifier_without_probabilities_says_so() -> None:
    model = LinearSVC().fit([[0.0], [1.0]], [0, 1])
    predictor = Predictor(1, FittedModel(model, numeric_signature("x", classes=[0, 1])), 1)
    assert ask(predictor, [[0.0]]).predictions == [0]
    with pytest.raises(NoProbabilities, match="labels only"):
        ask(predictor, [[0.0]], probabilities=True)


class Broken:
    """A model whose every prediction raises an error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def predict(self, _rows: object) -> None:
        raise self._error


def broken(error: Exception) -> Predictor:
    return Predictor(1, FittedModel(Broken(error), numeric_signature("x", "y")), 1)


def test_cells_that_are_too_large_for_the_model_are_named() -> None:
    with pytest.raises(InvalidInput, match="2 problems") as refused:
        ask(ready(iris_forest()), [[1, 1, 1, 1], [1e300, 1, 1, -(10**39)]])
    assert [problem["loc"] for problem in refused.value.errors] == [
        ["body", "input_data", "features", 1, 0],
        ["body", "input_data", "features", 1, 3],
    ]
    assert "'sepal_length' (number), row 1: 1e+300 is too large" in refused.value.errors[0]["msg"]


def test_cells_of_records_that_are_too_large_are_named_by_their_columns() -> None:
    record = dict.fromkeys(IRIS_COLUMNS, 1.0) | {"petal_width": 3.5e38}
    with pytest.raises(InvalidInput) as refused:
        ready(iris_forest()).answer(features=None, records=[record], probabilities=True, max_cells=9)
    assert [problem["loc"] for problem in refused.value.errors] == [["body", "input_data", "records", 0, "petal_width"]]


def test_the_largest_number_of_single_precision_is_not_too_large() -> None:
    largest, next_beyond = float(np.finfo(np.float32).max), 2.0**128 - 2.0**103
    with pytest.raises(InvalidInput) as refused:
        ask(ready(iris_forest()), [[largest, next_beyond, 1, 1]])
    assert [problem["loc"] for problem in refused.value.errors] == [["body", "input_data", "features", 0, 1]]


def test_cells_of_a_column_that_the_model_leaves_aside_are_not_too_large() -> None:
    signature = numeric_signature("x", "y")
    unused = signature.inputs[0].model_copy(update={"used": False})
    changed = signature.model_copy(update={"inputs": [unused, signature.inputs[1]]})
    predictor = Predictor(1, FittedModel(Broken(ValueError()), changed), 1)
    with pytest.raises(InvalidInput) as refused:
        ask(predictor, [[1e300, 1e300]])
    assert [problem["loc"] for problem in refused.value.errors] == [["body", "input_data", "features", 0, 1]]


def test_large_cells_are_fine_for_a_model_that_can_take_them() -> None:
    assert ask(ready(doubling()), [[1e300]]).predictions == pytest.approx([2e300])


@pytest.mark.parametrize("error", [ValueError("no"), FloatingPointError("no"), OverflowError("no")])
def test_values_that_the_model_refuses_are_a_problem_of_the_input(error: Exception) -> None:
    with pytest.raises(InvalidInput, match="such as those it was trained on") as refused:
        ask(broken(error), [[1, 2]])
    assert refused.value.errors[0]["loc"] == ["body", "input_data"]


@pytest.mark.parametrize("error", [AttributeError("gone"), TypeError("odd"), MemoryError(), RuntimeError("bug")])
def test_any_other_error_of_the_model_is_not_a_problem_of_the_input(error: Exception) -> None:
    with pytest.raises(type(error)):
        ask(broken(error), [[1, 2]])


def test_rows_whose_prediction_is_no_finite_number_are_named() -> None:
    with pytest.raises(InvalidInput, match="Row 1: the prediction is not a finite number") as refused:
        ask(ready(doubling()), [[1], [1.7e308], [2]])
    assert [problem["loc"] for problem in refused.value.errors] == [["body", "input_data", "features", 1]]
    with pytest.raises(InvalidInput) as refused:
        ready(doubling()).answer(features=None, records=[{"x": 1.7e308}], probabilities=False, max_cells=9)
    assert [problem["loc"] for problem in refused.value.errors] == [["body", "input_data", "records", 0]]
