"""Checks parameters against the profile of the table: its rows, its inputs, its classes."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from shared.errors import InvalidParameter
from shared.estimators.tree import Node
from shared.training.checks.combinations import Mismatch, Values

_SHOWN = 80
_LABELS_SHOWN = 10
# Sums and products of larger weights are beyond all floats.
MOST_WEIGHT = 1e100


@dataclass(frozen=True)
class Shape:
    """What the estimator will be fitted to.

    `rows` counts the part that is fitted; `inputs` are None where the recipe makes columns of its own; `classes` are
    None for a regressor, and `labels` where the profile does not tell them all. Those that are `numbered` are known to
    the estimator by their positions.
    """

    rows: int
    inputs: list[str] | None
    classes: int | None
    labels: list[Any] | None
    numbered: bool = False


def problems_of_fit(node: Node, shape: Shape) -> Iterator[InvalidParameter]:
    """One error per parameter that is valid in itself, but does not fit the size or the shape of this table."""
    values = Values(node.estimator, node.params)
    for rule in _RULES:
        for mismatch in rule(values, shape):
            yield mismatch.error(node.place)
    if shape.labels is not None:
        weights = values["class_weight"]
        for mismatch in flaws_of_weights(node.estimator.name, weights, shape.labels, numbered=shape.numbered):
            yield mismatch.error(node.place)
    for inner in node.inner:
        if inner.given:
            yield from problems_of_fit(inner, _shown_to(inner, node, shape))


def _shown_to(inner: Node, host: Node, shape: Shape) -> Shape:
    """What an inner estimator is fitted to."""
    values = Values(host.estimator, host.params)
    rows, folds = shape.rows, 5 if values["cv"] is None else values["cv"]
    is_final = inner.slot is not None and inner.slot.final
    if "cv" in host.estimator.parameters and not is_final:
        rows -= math.ceil(rows / folds)
    # A whole number of columns may be all of them; bagging with replacement may show one of them twice.
    some = host.estimator.name.startswith("Bagging") and (
        type(values["max_features"]) is int or values["max_features"] != 1 or values["bootstrap_features"]
    )
    known = not (is_final or some)
    two = inner.labels == "two" and shape.classes is not None
    return Shape(
        rows=rows,
        inputs=shape.inputs if known else None,
        classes=2 if two else shape.classes,
        labels=None if two else shape.labels,
        numbered=inner.labels == "numbered",
    )


def flaws_of_weights(
    estimator: str, weights: Any, labels: Iterable[Any], *, numbered: bool = False
) -> Iterator[Mismatch]:
    """Weights by class must be for classes that the target has, and that the estimator tells apart."""
    if not isinstance(weights, dict):
        return
    yield from _wrong_numbers(weights)
    known = list(labels)
    spelled = spellings(known)
    for name in weights:
        if name not in spelled:
            shown = ", ".join(str(label) for label in known[:_LABELS_SHOWN])
            sentence = f"'class_weight' has a weight for '{name[:_SHOWN]}', which is not a class of the target."
            yield Mismatch("class_weight", f"{sentence} It has: {shown}. Use these, as texts, or 'balanced'.")
    if numbered:
        return
    whole = [label for label in known if isinstance(weight_key(label), int) and isinstance(label, str)]
    if whole and estimator == "LogisticRegressionCV":
        said = (
            f"{estimator} takes no weights for classes that are texts of whole numbers, such as '{whole[0][:_SHOWN]}'."
        )
        yield Mismatch("class_weight", f"{said} Use 'balanced', or LogisticRegression.")
    first: dict[int | str, Any] = {}
    for label in known:
        if (same := first.setdefault(weight_key(label), label)) != label:
            said = f"Weights for the classes '{str(same)[:_SHOWN]}' and '{str(label)[:_SHOWN]}' cannot be told apart"
            yield Mismatch("class_weight", f"{said}: both are the same number. Use 'balanced', or other labels.")


def _wrong_numbers(weights: dict[str, Any]) -> Iterator[Mismatch]:
    numbers = {name: each for name, each in weights.items() if isinstance(each, int | float)}
    for name, number in numbers.items():
        if not 0 <= number <= MOST_WEIGHT:
            said = (
                f"'class_weight' has {number:g} for '{name[:_SHOWN]}'. A weight is a number from 0 to {MOST_WEIGHT:g}"
            )
            yield Mismatch("class_weight", f"{said}; only their ratio matters.")
    if numbers and not any(numbers.values()):
        yield Mismatch(
            "class_weight", "'class_weight' is 0 for each class that it names. Give one of them more than 0."
        )


def weight_key(label: Any) -> int | str:
    """Under which key scikit-learn looks for the weight of a class: a number also for a text such as '01'."""
    try:
        return int(label)
    except ValueError:
        return str(label)


def spellings(labels: Iterable[Any]) -> dict[str, Any]:
    """The labels, by each text that can name them as a key of a JSON object."""
    return {spelling: label for label in labels for spelling in (json.dumps(label), str(label))}


def _rows(values: Values, shape: Shape) -> Iterator[Mismatch]:
    """Parameters that ask for more rows than there are to fit."""
    name, module = values.estimator.name, values.estimator.module
    counts = [
        ("n_neighbors", module == "neighbors" or values["kernel"] == "knn"),
        ("max_samples", name.startswith("Bagging") and not values["bootstrap"]),
        ("min_samples", name == "RANSACRegressor"),
        ("n_subsamples", name == "TheilSenRegressor"),
        ("n_components", name == "PLSRegression"),
        ("cv", True),
    ]
    for parameter, counted in counts:
        if counted and (value := _count(values[parameter])) is not None and value > shape.rows:
            said = f"'{parameter}' of {value} is more than the {shape.rows} rows that 'test_size' leaves to fit."
            yield Mismatch(parameter, f"{said} At most {shape.rows} will do; or choose a smaller 'test_size'.")


def _inputs(values: Values, shape: Shape) -> Iterator[Mismatch]:
    """Parameters that ask for more columns than there are, and lists that need one value per column."""
    if shape.inputs is None:
        return
    name, width = values.estimator.name, len(shape.inputs)
    counts = [
        ("n_components", name == "PLSRegression"),
        ("max_features", name.startswith("Bagging")),
        ("n_nonzero_coefs", name == "OrthogonalMatchingPursuit"),
    ]
    for parameter, counted in counts:
        if counted and (value := _count(values[parameter])) is not None and value > width:
            yield Mismatch(
                parameter, f"'{parameter}' of {value} is more than the {width} inputs. At most {width} will do."
            )
    least = width + bool(values["fit_intercept"])
    if name == "TheilSenRegressor" and (value := _count(values["n_subsamples"])) is not None and value < least:
        yield Mismatch("n_subsamples", f"'n_subsamples' of {value} is too few for {width} inputs: at least {least}.")
    for parameter in ("monotonic_cst", *(["alpha"] if values.estimator.module == "naive_bayes" else [])):
        value = values[parameter]
        if isinstance(value, list) and len(value) != width:
            said = f"'{parameter}' has {len(value)} values, but there are {width} inputs: {_shown(shape.inputs)}."
            yield Mismatch(parameter, f"{said} Give one value per input, in this order.")


def _classes(values: Values, shape: Shape) -> Iterator[Mismatch]:
    """What is for two classes only, and lists with a value per class."""
    if shape.classes is None:
        return
    for parameter in ("priors", "class_prior"):
        if isinstance(values[parameter], list) and len(values[parameter]) != shape.classes:
            said = f"'{parameter}' has {len(values[parameter])} values, but the target has {shape.classes} classes."
            yield Mismatch(parameter, f"{said} Give one value per class, in the order of the labels.")
    components = _count(values["n_components"])
    most = min(shape.classes - 1, len(shape.inputs or []) or shape.classes)
    if values.estimator.name == "LinearDiscriminantAnalysis" and components is not None and components > most:
        said = (
            f"'n_components' of {components} is more than {most}: one less than the classes, and not above the inputs."
        )
        yield Mismatch("n_components", f"{said} Choose a smaller one, or leave it out.")
    if shape.classes > 2:
        yield from _for_two(values, shape.classes)


def _for_two(values: Values, classes: int) -> Iterator[Mismatch]:
    only = f"is for two classes only, but the target has {classes}"
    if values["solver"] == "liblinear":
        yield Mismatch("solver", f"The solver 'liblinear' {only}. Use 'lbfgs' or 'saga'.")
    if values["loss"] == "exponential":
        yield Mismatch("loss", f"The loss 'exponential' {only}. Use 'log_loss'.")
    if values["monotonic_cst"] is not None:
        yield Mismatch("monotonic_cst", f"'monotonic_cst' {only}. Leave it out.")
    if values["multi_class"] == "one_vs_one":
        sentence = f"'one_vs_one' gives no probabilities for the {classes} classes of the target. Use 'one_vs_rest'."
        yield Mismatch("multi_class", sentence)


def _monotonic(values: Values, shape: Shape) -> Iterator[Mismatch]:
    value = values["monotonic_cst"]
    if not isinstance(value, list | dict):
        return
    if any(sign not in (-1, 0, 1) for sign in (value.values() if isinstance(value, dict) else value)):
        sentence = "'monotonic_cst' takes 1 (only rising), -1 (only falling) and 0 (either) per input."
        yield Mismatch("monotonic_cst", sentence)
    if isinstance(value, dict) and shape.inputs is None:
        sentence = "'monotonic_cst' by name is for tables of numbers only; this one has other columns too."
        yield Mismatch("monotonic_cst", f"{sentence} Name columns of numbers in 'features', or leave it out.")
    elif isinstance(value, dict):
        for name in [name for name in value if name not in (shape.inputs or [])]:
            sentence = f"'monotonic_cst' names '{name[:_SHOWN]}', which is not an input."
            yield Mismatch("monotonic_cst", f"{sentence} The inputs are: {_shown(shape.inputs or [])}.")


def _count(value: Any) -> int | None:
    """The value if it is a whole number, which is a count; None for a fraction: a share always fits."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _shown(names: list[str]) -> str:
    return ", ".join(names[:_LABELS_SHOWN]) + (", …" if len(names) > _LABELS_SHOWN else "")


_RULES: tuple[Callable[[Values, Shape], Iterator[Mismatch]], ...] = (_rows, _inputs, _classes, _monotonic)
