"""Tells how far the fit of another library's estimator is: each calls something after each round that it boosts."""

from collections.abc import Callable
from typing import Any, Final

from shared.estimators.libraries.installed import package_of
from shared.training.libraries import fit_member, member_of

# Called with the share of the fit that is done, from 0 to 1.
Told = Callable[[float], None]
# Fits the estimator to inputs and target, with further arguments of its `fit`.
Way = Callable[[Any, Any, Any, Told, dict[str, Any]], None]


def way_of_library(estimator: Any) -> Way | None:
    """How to fit an estimator of a library so that it tells; None for any other, and where nothing is to be told."""
    member = member_of(estimator)
    way = _WAYS.get(package_of(member) or "")
    # A forest is made in one round.
    if way is None or type(member).__name__.startswith("XGBRF"):
        return None
    return way if member is estimator else _numbering(way)


def _numbering(way: Way) -> Way:
    def of_vote(vote: Any, inputs: Any, target: Any, told: Told, further: dict[str, Any]) -> None:
        fit_member(vote, inputs, target, lambda member, rows, labels: way(member, rows, labels, told, further))

    return of_vote


def _lightgbm(estimator: Any, inputs: Any, target: Any, told: Told, further: dict[str, Any]) -> None:
    def after_round(round_: Any) -> None:
        told((round_.iteration + 1) / round_.end_iteration)

    estimator.fit(inputs, target, callbacks=[after_round], **further)


def _xgboost(estimator: Any, inputs: Any, target: Any, told: Told, further: dict[str, Any]) -> None:
    from xgboost.callback import TrainingCallback

    rounds = estimator.get_num_boosting_rounds()

    class Rounds(TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002 - as it is called
            told((epoch + 1) / rounds)
            return False

    estimator.set_params(callbacks=[Rounds()])
    try:
        estimator.fit(inputs, target, **further)
    finally:
        # Otherwise it would be stored with the model.
        estimator.set_params(callbacks=None)


class _Rounds:
    """CatBoost names the method."""

    def __init__(self, told: Told, rounds: int) -> None:
        self._told, self._rounds = told, rounds

    def after_iteration(self, done: Any) -> bool:
        """Tell, and let the fit go on."""
        self._told(done.iteration / self._rounds)
        return True


def _catboost(estimator: Any, inputs: Any, target: Any, told: Told, further: dict[str, Any]) -> None:
    rounds = estimator.get_params().get("iterations") or _CATBOOST_ROUNDS
    estimator.fit(inputs, target, callbacks=[_Rounds(told, rounds)], **further)


_CATBOOST_ROUNDS = 1_000
_WAYS: Final[dict[str, Way]] = {"catboost": _catboost, "lightgbm": _lightgbm, "xgboost": _xgboost}
