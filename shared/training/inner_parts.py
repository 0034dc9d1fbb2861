"""What parts the rows to learn from once more within a fit, and does not know of the column that decides the split."""

from collections.abc import Iterator

from shared.estimators.tree import Node
from shared.training.plan import Plan
from shared.training.spec import TrainingSpec

# Above, histogram boosting keeps rows back to know when to stop, unless it is told not to (scikit-learn's `auto`).
_ROWS_OF_EARLY_STOPPING = 10_000


def parts_without_regard(spec: TrainingSpec, tree: Node, plan: Plan, *, rows: int) -> Iterator[str]:
    """A note when rows are split by a column, and something within the fit to so many rows splits them otherwise."""
    if spec.split.method == "random":
        return
    found = [f"{node.estimator.name} ({how})" for node in tree.all() if (how := _parting(node, rows)) is not None]
    if "target" in plan.encodings.values():
        found.append("the encoding of categories by the target")
    if found:
        kept = "its groups together" if spec.split.method == "grouped" else "what is later apart"
        yield (
            f"The split by '{spec.split.by}' keeps {kept}; within the fit, rows are parted once more without regard to "
            f"it, by {', '.join(dict.fromkeys(found))}. The metrics stay right, but what is chosen there may suit the "
            "rows to learn from too well."
        )


def _parting(node: Node, rows: int) -> str | None:
    """By which parameter an estimator parts its rows; None where it does not."""
    parameters = node.estimator.parameters
    value = {name: node.params.get(name, parameters[name].default) for name in parameters}
    if "cv" in value and value["cv"] != "prefit":
        return "cv"
    if "early_stopping" in value:
        stops = value["early_stopping"]
        return "early_stopping" if stops is True or (stops == "auto" and rows > _ROWS_OF_EARLY_STOPPING) else None
    return "n_iter_no_change" if value.get("n_iter_no_change") is not None else None
