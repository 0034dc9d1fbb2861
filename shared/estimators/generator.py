"""Writes the estimator table from the installed scikit-learn: `python -m shared.estimators.generator`.

The table is data, so that requests are checked and described without importing scikit-learn. Nothing imports this
module but its test, which compares the table with what this scikit-learn gives.
"""

import inspect
import json
import warnings
from collections.abc import Callable
from typing import Any

import sklearn
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import all_estimators, get_tags
from sklearn.utils.validation import has_fit_parameter

from shared.estimators.catalogue import TABLE
from shared.estimators.constraints import parameters_of
from shared.estimators.hosts import HOSTS, slots_of

# Distances, penalties, kernels and gradients depend on the units of the inputs in these families.
_SCALED_MODULES = frozenset(
    {
        "discriminant_analysis",
        "gaussian_process",
        "kernel_ridge",
        "linear_model",
        "neighbors",
        "neural_network",
        "semi_supervised",
        "svm",
    }
)
# Their default inner estimator is a linear one.
_SCALED_CLASSES = frozenset({"CalibratedClassifierCV", "TransformedTargetRegressor"})
# Each input must be a small whole number that names a category.
_CATEGORICAL_CLASSES = frozenset({"CategoricalNB"})
# -1 marks rows without a label here.
_MARKS_UNLABELLED = frozenset({"LabelPropagation", "LabelSpreading"})

_NO_TARGET = "it is neither a classifier nor a regressor, and a model here predicts one target column"
_SEARCH = "it tries parameters of another estimator: train one model for each choice, and compare them"
_SEVERAL_TARGETS = "it is made for several target columns at once, and a model here predicts one"
_ONE_INPUT = "it takes one single input instead of a table of rows and columns"
_THRESHOLD = "it only moves the limit between two classes: name the classifier inside of it, with a 'threshold'"
_SELECTION = "it chooses columns for another estimator: name the columns to learn from in 'features'"
# What takes another estimator, and is no model of a table here.
_REASONS = {
    "FixedThresholdClassifier": _THRESHOLD,
    "FrozenEstimator": "it holds an estimator that is fitted already",
    "GridSearchCV": _SEARCH,
    "RFE": _SELECTION,
    "RFECV": _SELECTION,
    "RandomizedSearchCV": _SEARCH,
    "SelectFromModel": _SELECTION,
    "SelfTrainingClassifier": "it learns from rows without a label, and such rows are left out here",
    "SequentialFeatureSelector": _SELECTION,
    "TunedThresholdClassifierCV": _THRESHOLD,
}


def main() -> None:
    """Write the table beside the code that reads it."""
    TABLE.write_text(rendered())


def rendered() -> str:
    """The table as the text of its file."""
    return json.dumps(generate(), indent=1, allow_nan=False) + "\n"


def generate() -> dict[str, Any]:
    """Describe every classifier and regressor that can be trained, and say why the other estimators cannot."""
    estimators, excluded = {}, {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, estimator in all_estimators():
            key = f"{estimator.__module__.split('.')[1]}.{name}"
            reason = _exclusion(key, estimator)
            if reason is None:
                estimators[key] = _entry(key, estimator)
            else:
                excluded[key] = reason
    return {"scikit_learn": sklearn.__version__, "estimators": _sorted(estimators), "excluded": _sorted(excluded)}


def _sorted(entries: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(entries.items()))


def _exclusion(key: str, estimator: type[BaseEstimator]) -> str | None:
    if estimator.__name__ in _REASONS:
        return _REASONS[estimator.__name__]
    if estimator.__module__.startswith("sklearn.multioutput"):
        return _SEVERAL_TARGETS
    model = _instance(key, estimator)
    if model is None or not (is_classifier(model) or is_regressor(model)):
        return _NO_TARGET
    tags = get_tags(model)
    # Canonical analyses relate several targets to the inputs: their default cannot be fitted to one.
    if not tags.target_tags.single_output or estimator.__name__ in {"CCA", "PLSCanonical"}:
        return _SEVERAL_TARGETS
    return None if tags.input_tags.two_d_array else _ONE_INPUT


def _instance(key: str, estimator: type[BaseEstimator], **settings: Any) -> BaseEstimator | None:
    """With its defaults, and a tree where it needs another estimator; None where it needs anything else."""
    tree = DecisionTreeRegressor() if key.endswith("Regressor") else DecisionTreeClassifier()
    for slot in slots_of(key):
        if slot.required:
            settings[slot.name] = [("tree", tree)] if slot.listed else tree
    needed = [p.name for p in inspect.signature(estimator).parameters.values() if p.default is p.empty]
    return estimator(**settings) if settings.keys() >= set(needed) else None


def _entry(key: str, estimator: type[BaseEstimator]) -> dict[str, Any]:
    module, name = key.split(".")
    model = _instance(key, estimator)
    tags = get_tags(model)
    task = "classification" if is_classifier(model) else "regression"
    parameters = parameters_of(estimator, key, task)
    takes_missing, in_batches = _takes_missing(key, model), _learns_in_batches(key, model)
    return {
        "module": module,
        "name": name,
        "task": task,
        "summary": (inspect.getdoc(estimator) or "").partition("\n")[0].strip(),
        "takes_missing": takes_missing,
        "refuses_missing_with": _differing(_takes_missing, key, estimator, parameters) if takes_missing else {},
        "needs_scaling": module in _SCALED_MODULES or name in _SCALED_CLASSES,
        "needs_categories": name in _CATEGORICAL_CLASSES,
        "inputs_not_negative": tags.input_tags.positive_only,
        "marks_unlabelled": name in _MARKS_UNLABELLED,
        "takes_seed": "random_state" in parameters,
        "takes_weights": has_fit_parameter(model, "sample_weight"),
        "gives_probabilities": _gives_probabilities(key, model),
        "probabilities_turn_with": _differing(_gives_probabilities, key, estimator, parameters),
        "gives_scores": hasattr(model, "decision_function") or (key in HOSTS and HOSTS[key].scores == "final"),
        "learns_in_batches": in_batches,
        "refuses_batches_with": _differing(_learns_in_batches, key, estimator, parameters) if in_batches else {},
        "parameters": parameters,
    }


def _takes_missing(key: str, model: BaseEstimator | None) -> bool:
    if any(slot.required for slot in slots_of(key)):
        return HOSTS[key].passes_gaps
    tags = get_tags(model)
    return bool(tags.input_tags.allow_nan or tags.no_validation)


def _gives_probabilities(key: str, model: BaseEstimator | None) -> bool:
    # What follows from a final estimator can be asked only of a fitted one; its default gives them.
    return hasattr(model, "predict_proba") or (key in HOSTS and HOSTS[key].probabilities == "final")


def _learns_in_batches(key: str, model: BaseEstimator | None) -> bool:
    # What is built around others needs them to learn so, too, and passes labels and weights in ways of its own.
    # MLPRegressor has the method with each of its solvers, but this one forgets all rows that it was shown before.
    return key not in HOSTS and hasattr(model, "partial_fit") and getattr(model, "solver", None) != "lbfgs"


def _differing(
    told: Callable[[str, BaseEstimator | None], bool],
    key: str,
    estimator: type[BaseEstimator],
    parameters: dict[str, dict[str, Any]],
) -> dict[str, list[Any]]:
    """The values of a list, and true or false, with which an estimator is told otherwise than with its defaults."""
    usual, found = told(key, _instance(key, estimator)), {}
    for name, parameter in parameters.items():
        values = [value for schema in parameter["allowed"] for value in _each(schema)]
        others = [value for value in values if told(key, _instance(key, estimator, **{name: value})) != usual]
        if others:
            found[name] = others
    return found


def _each(schema: dict[str, Any]) -> list[Any]:
    return [False, True] if schema.get("type") == "boolean" else schema.get("enum", [])


if __name__ == "__main__":
    main()
