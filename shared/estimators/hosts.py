"""Estimators that are built around others: which of their parameters take a model, and what they do with it.

What scikit-learn says nowhere as data. A test fits every host with inner estimators of each kind and compares.
"""

from typing import Literal, NamedTuple

# What an inner classifier sees of the labels: themselves, their positions, or two classes that the host makes of them.
Labels = Literal["same", "numbered", "two"]
# Where the probabilities of a host come from: they are its own, those of its inner or of its final estimators, or
# means of them; or it has none.
Source = Literal["own", "inner", "final", "soft", "none"]


class Slot(NamedTuple):
    """A parameter that takes a model, or a list of them, each with its name.

    `default` is the estimator that stands there when the parameter is left out. A `final` one learns from what the
    other inner ones predict, instead of from the columns of the table.
    """

    name: str
    default: str | None = None
    listed: bool = False
    required: bool = False
    final: bool = False


class HostEstimator(NamedTuple):
    """What an estimator does with those that are inside of it."""

    slots: tuple[Slot, ...]
    passes_gaps: bool = True
    # Whether an inner one is shown the names of the columns, and all rows of the training part at least once.
    passes_names: bool = False
    all_rows: bool = True
    labels: Labels = "same"
    probabilities: Source = "own"  # of a classifier
    scores: Source = "none"


_LINEAR = "linear_model.LinearRegression"
_SEVERAL = Slot("estimators", listed=True, required=True)
_NEEDED = Slot("estimator", required=True)


def _tree(task: str) -> Slot:
    return Slot("estimator", f"tree.DecisionTree{task}")


HOSTS: dict[str, HostEstimator] = {
    "calibration.CalibratedClassifierCV": HostEstimator(
        (Slot("estimator", "svm.LinearSVC"),), passes_names=True, all_rows=False
    ),
    "compose.TransformedTargetRegressor": HostEstimator((Slot("regressor", _LINEAR),), passes_names=True),
    "ensemble.AdaBoostClassifier": HostEstimator((_tree("Classifier"),), passes_gaps=False, scores="own"),
    "ensemble.AdaBoostRegressor": HostEstimator((_tree("Regressor"),), passes_gaps=False, all_rows=False),
    "ensemble.BaggingClassifier": HostEstimator(
        (_tree("Classifier"),), all_rows=False, labels="numbered", scores="inner"
    ),
    "ensemble.BaggingRegressor": HostEstimator((_tree("Regressor"),), all_rows=False),
    "ensemble.GradientBoostingClassifier": HostEstimator(
        (Slot("init", "dummy.DummyClassifier"),), passes_gaps=False, labels="numbered", scores="own"
    ),
    "ensemble.GradientBoostingRegressor": HostEstimator((Slot("init", "dummy.DummyRegressor"),), passes_gaps=False),
    "ensemble.StackingClassifier": HostEstimator(
        (_SEVERAL, Slot("final_estimator", "linear_model.LogisticRegression", final=True)),
        passes_names=True,
        all_rows=False,
        labels="numbered",
        probabilities="final",
        scores="final",
    ),
    "ensemble.StackingRegressor": HostEstimator(
        (_SEVERAL, Slot("final_estimator", "linear_model.RidgeCV", final=True)),
        passes_names=True,
        all_rows=False,
        probabilities="none",
    ),
    "ensemble.VotingClassifier": HostEstimator((_SEVERAL,), passes_names=True, labels="numbered", probabilities="soft"),
    "ensemble.VotingRegressor": HostEstimator((_SEVERAL,), passes_names=True),
    "linear_model.RANSACRegressor": HostEstimator((Slot("estimator", _LINEAR),), all_rows=False),
    "multiclass.OneVsOneClassifier": HostEstimator(
        (_NEEDED,), all_rows=False, labels="two", probabilities="none", scores="own"
    ),
    "multiclass.OneVsRestClassifier": HostEstimator(
        (_NEEDED,), passes_names=True, labels="two", probabilities="inner", scores="inner"
    ),
    "multiclass.OutputCodeClassifier": HostEstimator((_NEEDED,), labels="two", probabilities="none"),
}


def slots_of(key: str) -> tuple[Slot, ...]:
    """The parameters of an estimator that take a model."""
    host = HOSTS.get(key)
    return host.slots if host else ()
