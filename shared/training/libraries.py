"""What estimators of other libraries need beside their parameters, so that they behave here as scikit-learn's do.

A model is made of classes of scikit-learn and of the library, so that a downloaded one loads wherever the two are. Some
libraries want labels that are numbered from 0 on. `VotingClassifier` with one member numbers them, and answers with
those of the table; the probabilities are the member's own.
"""

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import VotingClassifier
from sklearn.preprocessing import FunctionTransformer, LabelEncoder
from sklearn.utils import Bunch

from shared.errors import LibraryNotInstalled
from shared.estimators.catalogue import Estimator
from shared.estimators.libraries.installed import package_of

# What the server sets, by the package: threads, silence, no files, and the same model for the same seed.
_SERVER_SETS: Final[dict[str, Callable[[int], dict[str, Any]]]] = {
    "catboost": lambda threads: {"thread_count": threads, "verbose": False, "allow_writing_files": False},
    "lightgbm": lambda threads: {
        "n_jobs": threads,
        "verbosity": -1,
        # Else it measures which way to go through the table is faster, and the two ways round in another order.
        "deterministic": True,
        "force_row_wise": True,
    },
    "xgboost": lambda threads: {"n_jobs": threads, "verbosity": 0},
}
NOT_PARAMETERS: Final = frozenset({"allow_writing_files", "n_jobs", "thread_count", "verbose", "verbosity"})

# Fits an estimator to inputs and target.
Fit = Callable[[Any, Any, Any], None]


def build(estimator: Estimator, settings: dict[str, Any], *, threads: int) -> BaseEstimator:
    """The unfitted estimator of a library. Package and class come from the table, never from a request."""
    made = _class_of(estimator)(**settings, **_SERVER_SETS.get(str(estimator.library), _nothing)(threads))
    if not estimator.numbers_classes:
        return made
    return VotingClassifier([(estimator.name, made)], voting="soft")


def _class_of(estimator: Estimator) -> Any:
    # Read by the OpenMP of a library when that is loaded. Threads that wait would ask for work all the time, and where
    # others want the cores, a fit would take many times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        return getattr(import_module(estimator.module), estimator.name)
    except Exception as error:
        # A package may raise anything when it is imported.
        raise LibraryNotInstalled(
            f"{estimator.key} cannot be imported with the worker that ran this job: {type(error).__name__}: {error}"
        ) from error


def _nothing(_threads: int) -> dict[str, Any]:
    return {}


def of_arrays() -> FunctionTransformer:
    """A step that takes the names of the columns away: libraries refuse some, and tell others by their places."""
    return FunctionTransformer(np.asarray)


def member_of(estimator: Any) -> Any:
    """The library's own estimator where only its labels are numbered; else the estimator itself."""
    if isinstance(estimator, VotingClassifier) and len(estimator.estimators) == 1:
        # Where a request puts one estimator into a vote, it is in a vote of its own there.
        member = estimator.estimators[0][1]
        return member if package_of(member) in {"catboost", "xgboost"} else estimator
    return estimator


def fit_member(vote: VotingClassifier, inputs: Any, target: Any, fit: Fit) -> None:
    """Fit the one member of a vote in a way of its own; else as the vote's own `fit` does it."""
    labels = LabelEncoder().fit(target)
    name, unfitted = vote.estimators[0]
    member = clone(unfitted)
    fit(member, inputs, labels.transform(target))
    vote.le_, vote.classes_ = labels, labels.classes_
    vote.estimators_, vote.named_estimators_ = [member], Bunch(**{name: member})


def rest(model: Any) -> None:
    """After a fit: whoever predicts decides on threads, and one is what a few rows need."""
    for part in (model, *getattr(model, "estimators_", ())):
        if package_of(part) in {"lightgbm", "xgboost"}:
            part.set_params(n_jobs=1)
        if package_of(part) == "xgboost":
            part.get_booster().set_param({"nthread": 1})
