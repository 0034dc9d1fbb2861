"""Whether an estimator can predict a target column, told from the column's profile."""

from collections.abc import Iterator, Sequence

from shared.errors import InvalidSplit, PlatformError, SingleClass, TaskMismatch
from shared.estimators.catalogue import Estimator, all_estimators
from shared.estimators.target_functions import TARGET_FUNCTIONS
from shared.estimators.tree import Node
from shared.tables.columns import Column, ColumnKind
from shared.tables.findings import Finding
from shared.training.checks.combinations import Values
from shared.training.findings import clause_of, nearly_values
from shared.training.texts import looks_of_text

# With more classes than this, and fewer rows for each, a target holds amounts or identifiers rather than classes.
_FEW_CLASSES = 20
_ROWS_PER_CLASS = 3

_NUMBERS = frozenset({ColumnKind.INTEGER, ColumnKind.NUMBER})
_POSITIVE = "targets above 0 only"
_NOT_NEGATIVE = "no negative targets"
# With this power the Tweedie distribution is the gamma distribution; from here on, a target cannot be 0.
_GAMMA = 2


def problems_of_target(
    node: Node, target: Column, *, rows: int, findings: Sequence[Finding] = ()
) -> Iterator[PlatformError]:
    """What keeps a tree of estimators from predicting the target of a table of `rows` rows."""
    estimator = node.estimator
    used = rows - target.missing
    if not used:
        yield _no_value(target.name)
        return
    sentence = _of_dates(target)
    if sentence is None and estimator.task == "regression":
        sentence = _no_numbers(estimator, target, used, findings) or _out_of_range(node, target.name, target.min)
    elif sentence is None:
        sentence = _no_classes(estimator, target, used, findings)
    if sentence is not None:
        yield TaskMismatch(sentence, errors=[{"loc": ["body", "target_column"], "msg": sentence}])
    elif estimator.task == "classification" and target.unique < 2:
        yield single_class(target.name)


def single_class(target: str) -> SingleClass:
    """The error of a target column in which all rows are alike."""
    sentence = (
        f"Target column '{target}' has one class only, so there is nothing to tell apart. Choose another target, or "
        "add rows of other classes."
    )
    return SingleClass(sentence, errors=[{"loc": ["body", "target_column"], "msg": sentence}])


def _no_value(target: str) -> InvalidSplit:
    sentence = f"Target column '{target}' has no value in any row, so there is nothing to learn. Choose another target."
    return InvalidSplit(sentence, errors=[{"loc": ["body", "target_column"], "msg": sentence}])


def not_whole(estimator: Estimator, target: str) -> str:
    """Why a column of fractional numbers is not a target for a classifier."""
    return (
        f"{estimator.key} predicts classes, but target column '{target}' holds fractional numbers. "
        f"Use a regressor such as '{_counterpart(estimator)}'."
    )


def _of_dates(target: Column) -> str | None:
    if target.kind is not ColumnKind.DATETIME:
        return None
    return f"Target column '{target.name}' holds dates, which are neither classes nor amounts. Choose another target."


def _no_numbers(estimator: Estimator, target: Column, rows: int, findings: Sequence[Finding]) -> str | None:
    if target.kind in _NUMBERS:
        return None
    said = f"{estimator.key} predicts numbers, but target column '{target.name}' is of the kind {target.kind}"
    hint = f"use a classifier such as '{_counterpart(estimator)}'"
    if target.unique < 2:
        said, hint = f"{said}, with one value in all rows", "choose another target"
    elif _many_classes(target, rows):
        said += f", with {target.unique:,} different values in {rows:,} rows, which are too many for a classifier, too"
        hint = "choose another target"
    return _with_hints(said, target, hint, findings)


def _with_hints(said: str, target: Column, hint: str, findings: Sequence[Finding]) -> str:
    """The sentence with how to fix it; where text has numbers in it, also how to make it a column of numbers."""
    found = nearly_values(target, findings)
    if found is not None:
        said, hint = f"{said}; {clause_of(found)}", f"or {hint}"
    looks = looks_of_text(target) if target.cells is None else None
    if looks is not None and looks.numbers:
        said, hint = f"{said}; it {looks.said}", f"{looks.hint}, or {hint}"
    return f"{said}. {hint[0].upper()}{hint[1:]}."


def _many_classes(target: Column, rows: int) -> bool:
    return target.unique > _FEW_CLASSES and rows < _ROWS_PER_CLASS * target.unique


def _out_of_range(node: Node, target: str, least: float | None) -> str | None:
    """Some estimators assume a distribution without negative numbers (counts, waiting times), some without zero too.

    `least` is the smallest number of the target as this estimator sees it.
    """
    if least is None:
        return None
    values = Values(node.estimator, node.params)
    taken, because = _range_of(values)
    function = TARGET_FUNCTIONS.get(str(values["func"]))
    if function is not None and not function.takes(least):
        taken, because = (
            f"targets {'from' if function.with_least else 'above'} {function.least:g} only",
            (f" with the func '{values['func']}'"),
        )
    elif taken is None or least > 0 or (taken is _NOT_NEGATIVE and least == 0):
        seen = least if function is None else function.value(least)
        given = (_out_of_range(inner, target, seen) for inner in node.inner if inner.given)
        return next(filter(None, given), None)
    said = f"{node.estimator.key}{because} takes {taken}, but '{target}' goes down to {least:g}."
    other = "other parameters" if because else "an estimator such as 'linear_model.Ridge'"
    return f"{said} Use {other}, or choose another target."


def _range_of(values: Values) -> tuple[str | None, str]:
    """Which targets are taken, and the parameter that decides it."""
    name, power = values.estimator.name, values["power"]
    if name in {"PoissonRegressor", "GammaRegressor"}:
        return (_POSITIVE if name.startswith("Gamma") else _NOT_NEGATIVE), ""
    if name == "TweedieRegressor" and power > 0:
        return (_POSITIVE if power >= _GAMMA else _NOT_NEGATIVE), f" with a 'power' of {power:g}"
    for parameter in ("loss", "criterion"):
        if values[parameter] in {"poisson", "gamma"}:
            taken = _POSITIVE if values[parameter] == "gamma" else _NOT_NEGATIVE
            return taken, f" with the {parameter} '{values[parameter]}'"
    return None, ""


def _no_classes(estimator: Estimator, target: Column, rows: int, findings: Sequence[Finding]) -> str | None:
    if target.kind is ColumnKind.NUMBER and not _looks_whole(target):
        return not_whole(estimator, target.name)
    if not _many_classes(target, rows):
        return None
    said = (
        f"{estimator.key} predicts classes, but target column '{target.name}' has {target.unique:,} different values "
        f"in {rows:,} rows"
    )
    if target.kind in _NUMBERS:
        regressor = f"Use a regressor such as '{_counterpart(estimator)}' if they are amounts"
        return f"{said}. {regressor}, else a target with fewer classes."
    # A regressor takes numbers only, so it is no way out as long as the column is text.
    return _with_hints(f"{said}, which are text", target, "choose a target with fewer classes", findings)


def _looks_whole(target: Column) -> bool:
    known = [value for value in (target.min, target.max, *target.examples) if value is not None]
    return all(float(value).is_integer() for value in known)


def _counterpart(estimator: Estimator) -> str:
    """The estimator of the same family for the other task, or one that suits most tables."""
    before, after = ("Regressor", "Classifier") if estimator.task == "regression" else ("Classifier", "Regressor")
    keys = {other.key for other in all_estimators() if other.task != estimator.task}
    key = estimator.key.replace(before, after)
    return key if key in keys else f"ensemble.RandomForest{after}"
