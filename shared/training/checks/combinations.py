"""Parameters that scikit-learn takes one by one but refuses together, whatever the table. Imports no scikit-learn.

Only combinations that the release of the estimator table is sure to refuse; what depends on the data is checked against
the profile of the table in `shape`.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from shared.errors import InvalidParameter
from shared.estimators.catalogue import Estimator
from shared.estimators.parameters import MODEL, Place, as_python

_LOGISTIC = frozenset({"LogisticRegression", "LogisticRegressionCV"})

# Loss -> penalty -> the values of `dual` that liblinear can solve them with.
_LIBLINEAR: dict[str, dict[str, frozenset[bool]]] = {
    "hinge": {"l2": frozenset({True})},
    "squared_hinge": {"l1": frozenset({False}), "l2": frozenset({False, True})},
    "epsilon_insensitive": {"l2": frozenset({True})},
    "squared_epsilon_insensitive": {"l2": frozenset({False, True})},
}


class Values:
    """The values that an estimator will have: those of the request, else its defaults."""

    def __init__(self, estimator: Estimator, params: dict[str, Any]) -> None:
        """Each of `params` is valid by itself."""
        self.estimator = estimator
        self._params = as_python(estimator, params)

    def __getitem__(self, name: str) -> Any:
        """The value of a parameter; None when the estimator has none of that name."""
        parameter = self.estimator.parameters.get(name)
        return self._params.get(name, parameter.default if parameter else None)


class Mismatch(NamedTuple):
    """Which parameter to change, and the sentence that says how."""

    parameter: str
    sentence: str

    def error(self, place: Place = MODEL) -> InvalidParameter:
        """The same as an error, addressed by the parameter's place in the request; `place` is that of the model."""
        detail = {"loc": [*place, "params", self.parameter], "msg": self.sentence}
        return InvalidParameter(self.sentence, errors=[detail])


def problems_of_combinations(values: Values, place: Place = MODEL) -> Iterator[InvalidParameter]:
    """One error per combination of valid parameters that the estimator refuses."""
    for rule in _RULES:
        for mismatch in rule(values):
            yield mismatch.error(place)


def penalty_of(values: Values) -> str | None:
    """The penalty of a logistic regression: since scikit-learn 1.8 it follows from `l1_ratio` unless it is set."""
    if values["penalty"] != "deprecated":
        return None if values["penalty"] is None else str(values["penalty"])
    ratios = values["l1_ratios"] if "l1_ratios" in values.estimator.parameters else [values["l1_ratio"] or 0]
    if not isinstance(ratios, list) or all(ratio == 0 for ratio in ratios):
        return "l2"
    return "l1" if all(ratio == 1 for ratio in ratios) else "elasticnet"


def _logistic(values: Values) -> Iterator[Mismatch]:
    if values.estimator.name not in _LOGISTIC:
        return
    solver, penalty = values["solver"], penalty_of(values)
    said = f"The solver '{solver}' cannot fit the penalty '{penalty}'"
    ratio = "l1_ratios" if "l1_ratios" in values.estimator.parameters else "l1_ratio"
    if penalty == "elasticnet" and solver != "saga":
        hint = f"Use the solver 'saga', or leave 'penalty' and '{ratio}' out."
        yield Mismatch("solver", f"{said} ('{ratio}' between 0 and 1). {hint}")
    elif penalty == "l1" and solver not in {"liblinear", "saga"}:
        hint = f"Use 'saga', or 'liblinear' for two classes, or leave 'penalty' and '{ratio}' out."
        yield Mismatch("solver", f"{said} ('{ratio}' of 1). {hint}")
    elif penalty is None and solver == "liblinear":
        yield Mismatch("solver", "The solver 'liblinear' needs a penalty. Use another solver, or leave 'penalty' out.")
    if penalty == "elasticnet":
        yield from _ratios(values, ratio)
    if values["dual"] and solver != "liblinear":
        yield Mismatch("dual", f"The solver '{solver}' has no 'dual'. Leave 'dual' out, or use the solver 'liblinear'.")
    elif values["dual"] and penalty == "l1":
        yield Mismatch("dual", "The penalty 'l1' has no 'dual'. Leave 'dual' out, or use the penalty 'l2'.")


def _ratios(values: Values, name: str) -> Iterator[Mismatch]:
    value = values[name]
    numbers = value if isinstance(value, list) else [value]
    if not numbers or not all(isinstance(number, int | float) and 0 <= number <= 1 for number in numbers):
        form = "a list of numbers" if name == "l1_ratios" else "a number"
        yield Mismatch(name, f"The penalty 'elasticnet' needs '{name}': {form} from 0 (as 'l2') to 1 (as 'l1').")


def _liblinear(values: Values) -> Iterator[Mismatch]:
    if values.estimator.name not in {"LinearSVC", "LinearSVR"} or values["multi_class"] == "crammer_singer":
        return
    key, loss, dual = values.estimator.key, values["loss"], values["dual"]
    penalty = values["penalty"] or "l2"
    solvable = _LIBLINEAR[loss].get(penalty, frozenset())
    if not solvable:
        hint = "Use the loss 'squared_hinge' or the penalty 'l2'."
        yield Mismatch("loss", f"{key} cannot fit the loss '{loss}' with the penalty '{penalty}'. {hint}")
    elif isinstance(dual, bool) and dual not in solvable:
        said = f"{key} fits the loss '{loss}' with the penalty '{penalty}' only with"
        yield Mismatch("dual", f"{said} 'dual' {'true' if True in solvable else 'false'}. Set it so, or leave it out.")


def _samples(values: Values) -> Iterator[Mismatch]:
    """What draws rows with replacement, and what needs the rows that were not drawn."""
    if values["oob_score"] and not values["bootstrap"]:
        sentence = "'oob_score' measures on rows that were not drawn, and without 'bootstrap' all rows are used."
        yield Mismatch("oob_score", f"{sentence} Set 'bootstrap' to true, or leave 'oob_score' out.")
    bagging = values.estimator.name.startswith("Bagging")
    if bagging and values["oob_score"] and values["warm_start"]:
        yield Mismatch("warm_start", "'oob_score' and 'warm_start' do not go together. Leave one of them out.")
    drawn = "bootstrap" in values.estimator.parameters and not bagging
    if drawn and values["max_samples"] is not None and not values["bootstrap"]:
        sentence = "'max_samples' is how many rows are drawn, and without 'bootstrap' all rows are used."
        yield Mismatch("max_samples", f"{sentence} Set 'bootstrap' to true, or leave 'max_samples' out.")


def _solvers(values: Values) -> Iterator[Mismatch]:
    name, solver = values.estimator.name, values["solver"]
    if values["shrinkage"] is not None and solver == "svd":
        others = "'eigen'" if name.startswith("Quadratic") else "'lsqr' or 'eigen'"
        sentence = f"The solver 'svd' takes no 'shrinkage'. Use the solver {others}, or leave 'shrinkage' out."
        yield Mismatch("shrinkage", sentence)
    if name.startswith("Ridge") and solver == "lbfgs" and not values["positive"]:
        yield Mismatch("solver", "The solver 'lbfgs' is for 'positive' only. Set that to true, or use another solver.")
    if name == "QuantileRegressor" and solver == "interior-point":
        yield Mismatch("solver", "The solver 'interior-point' is no longer in SciPy. Leave 'solver' out for 'highs'.")


def _needed(values: Values) -> Iterator[Mismatch]:
    """Values that nothing can be computed without."""
    name = values.estimator.name
    if values.estimator.module == "dummy":
        if values["strategy"] == "constant" and values["constant"] is None:
            yield Mismatch("constant", "The strategy 'constant' needs 'constant': the value to predict.")
        if values["strategy"] == "quantile" and values["quantile"] is None:
            yield Mismatch("quantile", "The strategy 'quantile' needs 'quantile': a number from 0 to 1.")
    elif name == "HistGradientBoostingRegressor" and values["loss"] == "quantile" and values["quantile"] is None:
        yield Mismatch("quantile", "The loss 'quantile' needs 'quantile': a number from 0 to 1.")
    if name.startswith("KNeighbors") and values["n_neighbors"] is None:
        yield Mismatch("n_neighbors", f"{values.estimator.key} needs 'n_neighbors'. Leave it out to have 5.")


_RULES: tuple[Callable[[Values], Iterator[Mismatch]], ...] = (
    _logistic,
    _liblinear,
    _samples,
    _solvers,
    _needed,
)
