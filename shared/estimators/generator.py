"""Writes the estimator table from the installed scikit-learn: `python -m shared.estimators.generator`.

The table is data, so that requests are checked and described without importing scikit-learn. Nothing imports this
module but its test, which compares the table with what this scikit-learn gives.
"""

import inspect
import json
import warnings
from typing import Any

import sklearn
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.utils import all_estimators, get_tags

from shared.estimators.catalogue import TABLE
from shared.estimators.constraints import parameters_of

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

_NESTED = (
    "it is built around other estimators, and nested estimators are not taken: their parameters would not be checked. "
    "Train the inner estimator by itself"
)
_NO_TARGET = "it is neither a classifier nor a regressor, and a model here predicts one target column"
_SEVERAL_TARGETS = "it is made for several target columns at once, and a model here predicts one"
_ONE_INPUT = "it takes one single input instead of a table of rows and columns"


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
            reason = _exclusion(estimator)
            if reason is None:
                estimators[key] = _entry(key, estimator)
            else:
                excluded[key] = reason
    return {"scikit_learn": sklearn.__version__, "estimators": _sorted(estimators), "excluded": _sorted(excluded)}


def _sorted(entries: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(entries.items()))


def _exclusion(estimator: type[BaseEstimator]) -> str | None:
    needed = [p.name for p in inspect.signature(estimator).parameters.values() if p.default is p.empty]
    if any("estimator" in name for name in needed) or estimator.__name__ == "SelfTrainingClassifier":
        return _NESTED
    if needed or not (is_classifier(estimator()) or is_regressor(estimator())):
        return _NO_TARGET
    tags = get_tags(estimator())
    # Canonical analyses relate several targets to the inputs: their default cannot be fitted to one.
    if not tags.target_tags.single_output or estimator.__name__ in {"CCA", "PLSCanonical"}:
        return _SEVERAL_TARGETS
    return None if tags.input_tags.two_d_array else _ONE_INPUT


def _entry(key: str, estimator: type[BaseEstimator]) -> dict[str, Any]:
    module, name = key.split(".")
    model = estimator()
    tags = get_tags(model)
    names = inspect.signature(estimator).parameters
    parameters = parameters_of(estimator)
    takes_missing = _takes_missing(model)
    return {
        "module": module,
        "name": name,
        "task": "classification" if is_classifier(model) else "regression",
        "summary": (inspect.getdoc(estimator) or "").partition("\n")[0].strip(),
        "takes_missing": takes_missing,
        "refuses_missing_with": _refuses_missing_with(estimator, parameters) if takes_missing else {},
        "needs_scaling": module in _SCALED_MODULES or name in _SCALED_CLASSES,
        "needs_categories": name in _CATEGORICAL_CLASSES,
        "inputs_not_negative": tags.input_tags.positive_only,
        "marks_unlabelled": name in _MARKS_UNLABELLED,
        "takes_seed": "random_state" in names,
        "gives_probabilities": hasattr(model, "predict_proba"),
        "parameters": parameters,
    }


def _takes_missing(model: BaseEstimator) -> bool:
    tags = get_tags(model)
    return bool(tags.input_tags.allow_nan or tags.no_validation)


def _refuses_missing_with(
    estimator: type[BaseEstimator], parameters: dict[str, dict[str, Any]]
) -> dict[str, list[str]]:
    """For an estimator that takes missing values, the enumerated values with which it does not."""
    found = {}
    for name, parameter in parameters.items():
        values = [value for schema in parameter["allowed"] for value in schema.get("enum", [])]
        refusing = [value for value in values if not _takes_missing(estimator(**{name: value}))]
        if refusing:
            found[name] = refusing
    return found


if __name__ == "__main__":
    main()
