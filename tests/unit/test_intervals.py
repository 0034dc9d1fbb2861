"""The intervals of predictions: plain arithmetic on what the model says and on what it promises."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.errors import InvalidInput, NoIntervals, NoProbabilities
from shared.estimators.signature import Signature, Uncertainty
from shared.prediction.computing import FittedModel
from shared.prediction.intervals import interval_cells
from shared.prediction.predictor import Prediction, Predictor
from tests.support.models import numeric_signature

LABELS = ["a", 'b, "c"', "c|d"]
SHARES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.9, 1.0]), min_size=3, max_size=3)


class Saying:
    """A model that says what it was made with, whatever it is asked; a label is the likeliest one."""

    def __init__(self, values: Any) -> None:
        self._values = np.asarray(values)

    def predict(self, _rows: object) -> NDArray[Any]:
        if self._values.ndim == 1 or self._values.shape[1] == 1:
            return self._values
        likeliest: NDArray[Any] = np.array(LABELS, dtype=object)[self._values.argmax(axis=1)]
        return likeliest


class SayingShares(Saying):
    """The same with probabilities."""

    def predict_proba(self, _rows: object) -> NDArray[Any]:
        return self._values


def promising(model: Saying, margin: float | None, **fields: Any) -> Predictor:
    promise = None if margin is None else Uncertainty(level=0.9, margin=margin)
    signature = numeric_signature("x", **fields).model_copy(update={"uncertainty": promise})
    return Predictor(7, FittedModel(model, signature), 1)


def regressor(numbers: Any, margin: float | None) -> Predictor:
    return promising(Saying(numbers), margin, task="regression")


def classifier(shares: Any, margin: float | None) -> Predictor:
    return promising(SayingShares(shares), margin, classes=LABELS)


def ask(predictor: Predictor, rows: int, *, probabilities: bool = False) -> Prediction:
    features = [[float(row)] for row in range(rows)]
    return predictor.answer(
        features=features, records=None, probabilities=probabilities, intervals=True, max_cells=1000
    )


@given(
    st.lists(st.floats(-1e300, 1e300, allow_nan=False), min_size=1, max_size=9),
    st.floats(0, 1e300),
    st.sampled_from([np.float64, np.float32]),
)
def test_a_number_has_the_margin_to_either_side(numbers: list[float], margin: float, kind: Any) -> None:
    with np.errstate(over="ignore"):
        said = np.array(numbers, dtype=kind)
    if np.isfinite(said).all():
        found = ask(regressor(said, margin), len(numbers))
        assert found.intervals == [[number - margin, number + margin] for number in found.predictions]
        assert found.probabilities is found.classes is None


@given(st.lists(SHARES, min_size=1, max_size=9), st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.9, 1.0, 1.5]))
def test_a_set_has_all_labels_that_are_likely_enough_and_always_the_likeliest(
    shares: list[list[float]], margin: float
) -> None:
    found = ask(classifier(shares, margin), len(shares))
    expected = [
        [label for label, share in zip(LABELS, row, strict=True) if share >= margin or share == max(row)]
        for row in shares
    ]
    assert found.intervals == expected
    # They were computed, but not asked for.
    assert found.probabilities is found.classes is None
    both = ask(classifier(shares, margin), len(shares), probabilities=True)
    assert (both.probabilities, both.classes, both.intervals) == (shares, LABELS, expected)


def test_probabilities_in_single_precision_are_compared_as_they_are_answered() -> None:
    shares = np.array([[0.1, 0.2, 0.7]], dtype=np.float32)
    # Rounded to single precision, the margin would be the same number.
    margin = float(np.nextafter(np.float64(np.float32(0.2)), 1))
    assert ask(classifier(shares, margin), 1).intervals == [["c|d"]]


def test_numbers_in_one_column_have_one_interval_each() -> None:
    assert ask(regressor([[1.0], [2.0]], 0.5), 2).intervals == [[0.5, 1.5], [1.5, 2.5]]


@pytest.mark.parametrize(
    ("predictor", "said"),
    [
        (regressor([1.0, 1.7e308], 1e308), "Row 1: an end of the interval is not a finite number"),
        (regressor([1.0, np.inf], 1.0), "Row 1: the prediction is not a finite number"),
        (classifier([[1, 0, 0], [np.nan, 0, 0]], 0.5), "Row 1: an end of the interval is not a finite number"),
    ],
)
def test_what_is_not_finite_is_refused_with_its_row(predictor: Predictor, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        ask(predictor, 2)


@pytest.mark.parametrize("predictor", [regressor([1.0], None), classifier([[0.5, 0.5, 0.0]], None)])
def test_a_model_that_promises_nothing_says_how_to_mend_it(predictor: Predictor) -> None:
    with pytest.raises(NoIntervals, match=r"Version 7 has no intervals.*older release, train it again") as refused:
        ask(predictor, 1)
    assert refused.value.errors == [{"loc": ["body", "return"], "msg": "has no intervals"}]


def test_a_promise_about_labels_is_nothing_without_probabilities() -> None:
    with pytest.raises(NoIntervals):
        ask(promising(Saying([[0.5, 0.5, 0.0]]), 0.5, classes=LABELS), 1)


def test_a_number_with_an_interval_has_no_probabilities_all_the_same() -> None:
    with pytest.raises(NoProbabilities):
        ask(regressor([1.0], 0.5), 1, probabilities=True)


def test_the_signature_of_an_older_release_promises_nothing() -> None:
    stored = numeric_signature("x", task="regression").model_dump(mode="json")
    assert "uncertainty" not in stored
    assert Signature.model_validate(stored).uncertainty is None


@given(st.lists(st.text(), max_size=4))
def test_the_labels_of_a_cell_can_be_told_apart(labels: list[str]) -> None:
    (cell,) = interval_cells(numeric_signature("x", classes=LABELS), labels)
    assert json.loads(cell) == labels
