"""What can be known to be wrong with a training in batches before it runs. Imports no scikit-learn."""

from collections.abc import Iterator

from shared.errors import InvalidParameter, InvalidRequest, PlatformError, UnsuitableColumns
from shared.estimators.catalogue import all_estimators
from shared.estimators.tree import Node
from shared.training.spec import LEAST_BATCH, MOST_BATCH, MOST_PASSES, TrainingSpec

_SHOWN = 80
# When a fit to all rows ends. In batches, nothing but the number of passes decides it.
_OF_THE_END = ("early_stopping", "max_iter", "n_iter_no_change", "tol", "validation_fraction", "warm_start")
_WAY_OUT = "Leave it out, or train without 'batches'."


def problems_of_batches(spec: TrainingSpec, tree: Node) -> Iterator[PlatformError]:
    """Whether the estimator learns from some rows at a time, and nothing else is asked for that needs all of them."""
    if spec.batches is None:
        return
    yield from _problems_of_amounts(spec.batches.rows, spec.batches.passes)
    if not tree.estimator.learns_in_batches:
        able = ", ".join(
            each.key for each in all_estimators() if each.learns_in_batches and each.task == tree.estimator.task
        )
        sentence = f"{tree.estimator.key} needs the whole table at once. In 'batches', these can be trained: {able}."
        yield InvalidRequest(sentence, errors=[{"loc": ["body", "batches"], "msg": sentence}])
        return
    yield from _problems_of_parameters(tree)
    yield from _problems_of_other_choices(spec)
    yield from _problems_of_columns(spec)


def _problems_of_amounts(rows: int, passes: int) -> Iterator[PlatformError]:
    for name, value, least, most in (("rows", rows, LEAST_BATCH, MOST_BATCH), ("passes", passes, 1, MOST_PASSES)):
        if not least <= value <= most:
            yield _problem(f"'batches.{name}' is from {least:,} to {most:,}, not {value:,}.", "batches", name)


def _problems_of_parameters(tree: Node) -> Iterator[InvalidParameter]:
    key = tree.estimator.key
    for name, values in tree.estimator.refuses_batches_with.items():
        if tree.params.get(name) in values:
            sentence = f"{key} with the {name} '{tree.params[name]}' needs the whole table at once. {_WAY_OUT}"
            yield _of_parameter(tree, name, sentence)
    if tree.params.get("class_weight") == "balanced" and not tree.estimator.takes_weights:
        sentence = (
            f"{key} takes no weights of rows, by which 'balanced' is made in batches. Write the weight of each label "
            "as 'class_weight', or choose another estimator."
        )
        yield _of_parameter(tree, "class_weight", sentence)
    for name in _OF_THE_END:
        if name in tree.params and tree.params[name] != tree.estimator.parameters[name].default:
            sentence = (
                f"'{name}' has a say in when a fit to all rows ends, and with 'batches' that is when they were shown "
                f"as often as 'batches.passes' says. {_WAY_OUT}"
            )
            yield _of_parameter(tree, name, sentence)


def _problems_of_other_choices(spec: TrainingSpec) -> Iterator[PlatformError]:
    if spec.search is not None:
        yield _problem(_needs_folds("'search' tries parameters"), "search")
    if spec.split.method != "random":
        yield _problem(
            f"With 'batches', the rows to measure on are drawn one by one; a split by '{spec.split.method}' needs the "
            "whole table at once. Leave 'split' out, or train without 'batches'.",
            "split",
            "method",
        )
    if spec.split.folds:
        yield _problem(_needs_folds("The training is repeated"), "split", "folds")
    if spec.threshold is not None and spec.threshold.needs_folds:
        yield _problem(f"{_needs_folds('A threshold is chosen')} A number can be given as 'threshold'.", "threshold")
    if spec.learning_curve:
        yield _problem(_needs_folds("A learning curve is measured"), "learning_curve")


def _problems_of_columns(spec: TrainingSpec) -> Iterator[PlatformError]:
    for name, choice in spec.preprocessing.items() if isinstance(spec.preprocessing, dict) else ():
        if choice.encode == "target":
            sentence = (
                f"'{name[:_SHOWN]}' is to become the mean of the target, taken from other rows, for which all of them "
                "are needed at once. Have it encoded in another way, or train without 'batches'."
            )
            place = ["body", "preprocessing", name[:_SHOWN], "encode"]
            yield UnsuitableColumns(sentence, errors=[{"loc": place, "msg": sentence}])


def _needs_folds(what: str) -> str:
    return f"{what} on folds of the rows to fit, of which 'batches' makes none. {_WAY_OUT}"


def _of_parameter(tree: Node, name: str, sentence: str) -> InvalidParameter:
    return InvalidParameter(sentence, errors=[{"loc": [*tree.place, "params", name], "msg": sentence}])


def _problem(sentence: str, *place: str) -> InvalidRequest:
    return InvalidRequest(sentence, errors=[{"loc": ["body", *place], "msg": sentence}])
