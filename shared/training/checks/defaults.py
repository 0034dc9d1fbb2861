"""Defaults that no table, or not this one, can be fitted with. Imports no scikit-learn."""

from collections.abc import Iterator

from shared.errors import InvalidParameter
from shared.estimators.needs import seeing_inputs
from shared.estimators.tree import Node
from shared.training.checks.combinations import Mismatch, Values
from shared.training.plan import Plan
from shared.training.spec import TrainingSpec

_TWO = 2


def problems_of_defaults(spec: TrainingSpec, tree: Node, plan: Plan, *, classes: int) -> Iterator[InvalidParameter]:
    """One error per parameter that has to be set for this table; what a search seeks is not looked at."""
    sought = () if spec.search is None else tuple(spec.search.space or ())
    for node in seeing_inputs(tree):
        mismatch = _radius(node, plan) or _covariance(node, plan, classes)
        if mismatch is not None and not any(name.rpartition("__")[2] == mismatch.parameter for name in sought):
            yield mismatch.error(node.place)


def _radius(node: Node, plan: Plan) -> Mismatch | None:
    """Where no row is within the radius there is no answer; how far rows are apart, the columns decide."""
    if not node.estimator.name.startswith("RadiusNeighbors") or "radius" in node.params:
        return None
    count = len(plan.used)
    columns = "column" if count == 1 else "columns"
    sentence = (
        f"{node.estimator.name} asks the rows within a 'radius', and there is none that fits all tables: a row with no "
        f"other near it has no answer. Set it; with {count:,} {columns} and scaled numbers, {count**0.5:.1g} is a "
        "beginning. Or use KNeighbors, which always finds some."
    )
    return Mismatch("radius", sentence)


def _covariance(node: Node, plan: Plan, classes: int) -> Mismatch | None:
    """Columns of 0 and 1 of the same categories add up to 1, so that each follows from the others."""
    values = Values(node.estimator, node.params)
    if node.estimator.name != "QuadraticDiscriminantAnalysis" or values["reg_param"] or values["shrinkage"] is not None:
        return None
    dependent = [
        name
        for name in plan.names("category")
        if (encoding := plan.encodings[name]) == "one_hot" or (encoding == "target" and classes > _TWO)
    ]
    if not dependent:
        return None
    sentence = (
        f"{node.estimator.name} needs columns that do not follow from each other, and those that are made of the "
        f"categories of '{dependent[0][:80]}' do. Set 'reg_param' above 0, such as 0.1, or leave such columns out of "
        "'features'."
    )
    return Mismatch("reg_param", sentence)
