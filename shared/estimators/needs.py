"""What a tree of estimators needs and gives: the one place where that follows from the single ones."""

from collections.abc import Iterator

from shared.estimators.catalogue import Estimator
from shared.estimators.tree import Node


def with_needs(node: Node) -> Estimator:
    """The outermost estimator, with what all that see the inputs need of them together."""
    if node.host is None:
        return node.estimator
    seeing = [each.estimator for each in seeing_inputs(node) if each.host is None]
    not_negative = any(each.inputs_not_negative for each in seeing)
    return node.estimator.model_copy(
        update={
            "takes_missing": all(_keeps_gaps(each) for each in seeing_inputs(node)),
            "refuses_missing_with": {},
            # Scaled numbers would be negative. To be scaled helps; not to be negative is a must.
            "needs_scaling": any(each.needs_scaling for each in seeing) and not not_negative,
            "needs_categories": any(each.needs_categories for each in seeing),
            "inputs_not_negative": not_negative,
            "marks_unlabelled": any(each.estimator.marks_unlabelled for each in node.all() if each.labels == "same"),
            "gives_probabilities": gives_probabilities(node),
        }
    )


def seeing_inputs(node: Node) -> Iterator[Node]:
    """The estimators of the tree that see the columns of the table, and not only what others predict."""
    yield node
    for inner in node.inner:
        if inner.slot is None or not inner.slot.final or node.params.get("passthrough") is True:
            yield from seeing_inputs(inner)


def gives_probabilities(node: Node) -> bool:
    """Whether a classifier will have probabilities for each class."""
    host = node.host
    if host is None or host.probabilities == "own":
        return node.estimator.gives_probabilities_with(node.params)
    if host.probabilities == "soft":
        return node.params.get("voting") == "soft"
    return host.probabilities != "none" and all(map(gives_probabilities, _asked(node, final=host.probabilities)))


def gives_scores(node: Node) -> bool:
    """Whether a classifier will have a decision function."""
    host = node.host
    if host is None or host.scores == "own":
        return node.estimator.gives_scores
    return host.scores != "none" and all(map(gives_scores, _asked(node, final=host.scores)))


def takes_weights(node: Node) -> bool:
    """Whether its fit takes a weight for each row, and gives it to all that are inside of it."""
    return node.estimator.takes_weights and all(map(takes_weights, node.inner))


def _keeps_gaps(node: Node) -> bool:
    if node.host is not None:
        return node.host.passes_gaps
    return node.estimator.takes_missing_with(node.params)


def _asked(node: Node, *, final: str) -> list[Node]:
    return [inner for inner in node.inner if inner.slot is not None and inner.slot.final == (final == "final")]
