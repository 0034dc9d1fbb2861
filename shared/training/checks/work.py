"""How much work a training is, told before it runs."""

from collections.abc import Callable, Iterator

from shared.errors import InvalidParameter
from shared.estimators.restrictions import MAX_WORK
from shared.estimators.tree import Node
from shared.training.checks.combinations import Values

_FOLDS = 5


def _folds(values: Values, _classes: int) -> float:
    """Once in each fold, and once on all rows."""
    return float(_FOLDS if values["cv"] is None else values["cv"]) + 1


def _once_each(_values: Values, classes: int) -> float:
    return classes


# How often a host fits what is inside of it.
_TIMES: dict[str, Callable[[Values, int], float]] = {
    "CalibratedClassifierCV": _folds,
    "OneVsOneClassifier": _once_each,
    "OneVsRestClassifier": _once_each,
    "OutputCodeClassifier": lambda values, classes: float(classes * values["code_size"]) + 1,
    "RANSACRegressor": lambda values, _classes: float(values["max_trials"]),
    "StackingClassifier": _folds,
    "StackingRegressor": _folds,
}


def problems_of_work(node: Node, *, cells: int, classes: int) -> Iterator[InvalidParameter]:
    """Refuse what is more than one job may do: `cells` of input times the estimators that are fitted to them."""
    count = _fits(node, classes)
    if cells * count <= MAX_WORK:
        return
    name = _counted(node)
    if name is not None and not any(inner.given for inner in node.inner):
        said, place = f"'{name}' of {count}", [*node.place, "params", name]
    else:
        said, place = f"{node.estimator.key}, which fits {count:,} estimators all in all,", [*node.place]
    sentence = (
        f"{said} with {cells:,} cells of input is more work than one job may do. "
        f"At most {MAX_WORK // cells:,} are allowed for this table."
    )
    yield InvalidParameter(sentence, errors=[{"loc": place, "msg": sentence}])


def _fits(node: Node, classes: int) -> int:
    """How many times something is fitted to the whole table."""
    values = Values(node.estimator, node.params)
    inner = sum(_fits(each, classes) for each in node.inner if each.given and each.slot and not each.slot.final)
    final = sum(_fits(each, classes) for each in node.inner if each.given and each.slot and each.slot.final)
    name = _counted(node)
    if node.estimator.name.startswith("GradientBoosting"):
        return int(values["n_estimators"]) + inner
    # Boosting of XGBoost may grow a forest in each round.
    own = values[name] * (values["num_parallel_tree"] or 1) if name is not None else 1
    times = _TIMES.get(node.estimator.name)
    return int(own if times is None or not inner else times(values, classes)) * max(1, inner) + final


def _counted(node: Node) -> str | None:
    """The parameter that says how many estimators are fitted."""
    for name in ("n_estimators", "iterations"):
        if name in node.estimator.parameters:
            return name
    # The iterations of histogram boosting are its trees.
    return "max_iter" if node.estimator.name.startswith("HistGradientBoosting") else None
