"""Builds the estimator of a request with those inside of it, and tells the parameters of a fitted one."""

import math
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from shared.estimators.catalogue import find_estimator
from shared.estimators.hosts import slots_of
from shared.estimators.libraries.installed import package_of
from shared.estimators.parameters import settings_of
from shared.estimators.target_functions import NAMED, TARGET_FUNCTIONS
from shared.estimators.tree import Node
from shared.evaluation.labels import plain
from shared.training.labels import named_weights, sought_weights
from shared.training.libraries import NOT_PARAMETERS, member_of
from shared.training.recipe import build_estimator, last_step

_LONGEST = 256


class Built(NamedTuple):
    """The unfitted estimator, and the class weights by label of all in it that have some."""

    estimator: BaseEstimator
    weights: list[tuple[BaseEstimator, dict[Any, Any]]]

    def name_weights(self) -> None:
        """After the fit, give class weights by label again: during it, estimators look for them by other keys."""
        for estimator, weights in self.weights:
            estimator.set_params(class_weight=weights)


def build_tree(node: Node, *, seed: int, classes: list[Any], shown: list[Any], threads: int = 1) -> Built:
    """What a request describes; `seed` goes to all that take one and have none.

    `classes` are those of the target, `shown` the ones among the rows of this fit. `threads` are those of the outermost
    estimator: a host fits what is inside of it at the same time.

    Raises:
        InvalidParameter: as `named_weights`.
    """
    settings, weights = settings_of(node.estimator, node.params), []
    if node.given and node.estimator.takes_seed and "random_state" not in node.params:
        settings["random_state"] = seed
    for slot in slots_of(node.estimator.key):
        # Stacking inside of others must name its final estimator: without, it has no methods before its fit.
        named_default = slot.final and node.slot is not None
        inner = [each for each in node.inner if each.slot == slot and (each.given or named_default)]
        built = [build_tree(each, seed=seed, classes=classes, shown=shown) for each in inner]
        if built:
            named = [(str(each.name), one.estimator) for each, one in zip(inner, built, strict=True)]
            settings[slot.name] = named if slot.listed else built[0].estimator
            weights += [pair for one in built for pair in one.weights]
    settings |= _functions(node)
    by_label = None
    if isinstance(settings.get("class_weight"), dict):
        by_label = named_weights(settings["class_weight"], classes, node)
        settings["class_weight"] = sought_weights(by_label, shown, node)
    estimator = build_estimator(node.estimator, settings, threads=threads)
    return Built(estimator, weights if by_label is None else [*weights, (estimator, by_label)])


def _functions(node: Node) -> dict[str, Any]:
    """Functions by their names in NumPy, which come from a closed list; the inverse follows from the function."""
    taken = NAMED.get(node.estimator.key, {})
    names: dict[str, str] = {name: node.params[name] for name in taken if node.params.get(name) is not None}
    if "func" in names:
        names["inverse_func"] = TARGET_FUNCTIONS[names["func"]].inverse
    return {name: getattr(np, function) for name, function in names.items()}


def parameters_of(model: BaseEstimator) -> dict[str, Any]:
    """Every parameter of the estimator of a model with its value, as JSON has it."""
    estimator = member_of(last_step(model))
    parameters = estimator.get_params(deep=False)
    if (package := package_of(estimator)) is not None:
        # Libraries tell only what was set.
        known = find_estimator(package, type(estimator).__name__).parameters
        set_ones = {name: value for name, value in parameters.items() if value is not None and name != "missing"}
        parameters = {name: parameter.default for name, parameter in known.items()} | set_ones
    return {name: _json(value) for name, value in sorted(parameters.items()) if name not in NOT_PARAMETERS}


def _json(value: Any) -> Any:
    value = member_of(value)
    if hasattr(value, "get_params"):
        module = type(value).__module__
        if module.startswith("sklearn."):
            module = module.split(".")[1]
        module = package_of(value) or module
        return {"module": module, "class": type(value).__name__, "params": parameters_of(value)}
    if isinstance(value, np.ufunc):
        return value.__name__
    if isinstance(value, dict):
        return {str(plain(name)): _json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    value = plain(value)
    # Own packages may have defaults of any kind.
    return value if isinstance(value, str | int | float | None) else str(value)[:_LONGEST]
