"""Models inside of models, as requests write them."""

from typing import Any

from shared.estimators.catalogue import Estimator
from shared.estimators.hosts import slots_of


def model(key: str, **params: Any) -> dict[str, Any]:
    """A model of a request, of `ensemble.RandomForestClassifier` for example."""
    module, name = key.split(".")
    return {"module": module, "class": name, "params": params}


def small_tree(task: str) -> dict[str, Any]:
    """The quickest estimator that suits any host."""
    return model(f"tree.DecisionTree{'Classifier' if task == 'classification' else 'Regressor'}", max_depth=3)


def needed_by(estimator: Estimator) -> dict[str, Any]:
    """The parameters without which there is no such estimator: a tree, or a list of one."""
    tree = small_tree(estimator.task)
    return {slot.name: [["tree", tree]] if slot.listed else tree for slot in slots_of(estimator.key) if slot.required}
