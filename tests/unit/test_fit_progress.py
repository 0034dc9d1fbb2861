"""The progress inside a fit: it rises, and it changes nothing of the model."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from shared.training import fit_progress
from shared.training.fitting import share_of_cores
from shared.training.steps import FITTING, percent_of_fit
from tests.support.training_tables import heard_steps, numeric_classes

INPUTS, TARGET = make_classification(300, 6, random_state=0)

SEEN = [
    RandomForestClassifier(30, random_state=3, oob_score=True),
    RandomForestClassifier(30, random_state=3, class_weight={0: 2, 1: 1}, max_features=0.5),
    RandomForestRegressor(30, random_state=3, max_samples=0.5),
    ExtraTreesRegressor(30, random_state=3),
    GradientBoostingClassifier(n_estimators=30, random_state=3, subsample=0.6),
    GradientBoostingClassifier(n_estimators=60, random_state=3, n_iter_no_change=3),
    GradientBoostingRegressor(n_estimators=30, random_state=3),
    HistGradientBoostingClassifier(max_iter=30, random_state=3, max_features=0.5),
    AdaBoostClassifier(n_estimators=30, random_state=3),
    LogisticRegression(max_iter=30),
    MLPClassifier(random_state=3, max_iter=150, tol=0),
]
UNSEEN = [
    # Slices would give another forest each time, or a warning, or forget what the first of them drew.
    RandomForestClassifier(30, random_state=None),
    RandomForestClassifier(30, random_state=3, class_weight="balanced"),
    BaggingClassifier(random_state=3),
    MLPClassifier(solver="lbfgs", max_iter=5, random_state=3),
    LogisticRegression(solver="liblinear"),
    SVC(),
    Ridge(),
]


def parts_of(thing: Any) -> Any:
    """All values of which an object is made, in a form that can be compared.

    As a pickle has them, but without the gaps between the fields of a tree's nodes, which hold whatever was there.
    """
    match thing:
        case np.ndarray() if thing.dtype.names:
            found: Any = {name: parts_of(thing[name]) for name in thing.dtype.names}
        case np.ndarray() if thing.dtype != object:
            found = (thing.dtype.str, thing.shape, thing.tobytes())
        case None | bool() | int() | float() | str() | bytes() | np.generic():
            # No NaN is equal to another.
            found = repr(thing)
        case dict():
            found = {name: parts_of(value) for name, value in thing.items()}
        case list() | tuple() | np.ndarray() | Iterator():
            found = [parts_of(each) for each in thing]
        case _ if hasattr(thing, "__qualname__"):
            found = f"{thing.__module__}.{thing.__qualname__}"
        case _:
            found = parts_of(thing.__reduce_ex__(5))
    return found


@pytest.fixture(autouse=True)
def one_core() -> Iterator[None]:
    """On a machine that is busy, threads wait for each other for most of the time."""
    with share_of_cores(1):
        yield


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest slices and the shortest pauses."""
    monkeypatch.setattr(fit_progress, "_SLICE_SECONDS", 0.0)
    monkeypatch.setattr(fit_progress, "_LOOK_SECONDS", 0.001)


@pytest.mark.parametrize("piped", [False, True], ids=["alone", "in a pipeline"])
@pytest.mark.parametrize("estimator", SEEN, ids=lambda estimator: str(estimator)[:60])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_that_is_seen_gives_the_very_model_of_a_plain_fit(estimator: Any, piped: bool) -> None:
    plain, seen = ((make_pipeline(StandardScaler(), clone(estimator)) if piped else clone(estimator)) for _ in range(2))
    shares: list[float] = []
    plain.fit(INPUTS, TARGET)
    fit_progress.fit(seen, INPUTS, TARGET, told=shares.append)
    assert parts_of(seen) == parts_of(plain)
    assert fit_progress.can_be_seen(clone(estimator))
    assert shares == sorted(shares)
    assert len(set(shares)) > 1
    assert 0 <= shares[0] <= shares[-1] <= 1


@pytest.mark.parametrize("estimator", UNSEEN, ids=lambda estimator: str(estimator)[:60])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:lbfgs failed")
def test_a_fit_that_cannot_be_seen_is_a_plain_fit(estimator: Any) -> None:
    shares: list[float] = []
    model = clone(estimator)
    fit_progress.fit(model, INPUTS, TARGET, told=shares.append)
    assert not fit_progress.can_be_seen(estimator)
    assert (shares, len(model.predict(INPUTS))) == ([], len(INPUTS))


def test_a_forest_whose_fit_fails_keeps_what_was_asked_of_it() -> None:
    forest = RandomForestClassifier(30, random_state=3, max_features=0.5)
    asked = forest.get_params()
    with pytest.raises(ValueError, match="infinity"):
        fit_progress.fit(forest, np.full((4, 2), np.inf), [0, 1, 0, 1], told=lambda _share: None)
    assert forest.get_params() == asked


def test_the_percent_of_a_fit_stays_between_its_own_step_and_the_next() -> None:
    assert percent_of_fit(-1) == percent_of_fit(0) == FITTING == 20
    assert percent_of_fit(0.5) == 35
    assert percent_of_fit(1) == percent_of_fit(7) == 49


@pytest.mark.parametrize(
    ("estimator", "steps"),
    [("ensemble.RandomForestClassifier", 40), ("ensemble.GradientBoostingClassifier", 100)],
    ids=["fewer steps than percents", "more"],
)
def test_a_training_tells_of_its_steps_in_order_and_of_each_percent_once(estimator: str, steps: int) -> None:
    heard = heard_steps(estimator, numeric_classes(), params={"n_estimators": steps})
    percents = [percent for _, percent, _ in heard]
    fitting = [(percent, measured) for step, percent, measured in heard if step == "fitting"]
    assert [step for step, _, _ in heard if step != "fitting"] == ["preparing", "evaluating", "compiling", "explaining"]
    assert percents == sorted(set(percents))
    assert len(fitting) > 2
    assert all(measured for _, measured in fitting)


def test_a_training_says_that_its_fit_cannot_be_seen() -> None:
    heard = heard_steps("svm.SVC", numeric_classes())
    assert ("fitting", FITTING, False) in heard
