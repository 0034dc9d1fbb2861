"""Everything that can be known to be wrong with a training before it runs. Imports no scikit-learn."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from shared.errors import (
    MOST_HINTS,
    MOST_PROBLEMS,
    InvalidRequest,
    InvalidSplit,
    PlatformError,
    UnknownColumn,
    UnsuitableColumns,
    closest,
    meant,
)
from shared.estimators.catalogue import Estimator
from shared.estimators.needs import seeing_inputs, with_needs
from shared.estimators.tree import Node, read_tree
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.training.checks.batches import problems_of_batches
from shared.training.checks.combinations import Values, problems_of_combinations
from shared.training.checks.defaults import problems_of_defaults
from shared.training.checks.libraries import problems_of_libraries
from shared.training.checks.nesting import problems_of_nesting
from shared.training.checks.preprocessing import problems_of_preprocessing
from shared.training.checks.search import TableSize, problems_of_search
from shared.training.checks.shape import Shape, problems_of_fit
from shared.training.checks.split import problems_of_rows, problems_of_split
from shared.training.checks.target import problems_of_target
from shared.training.checks.threshold import problems_of_threshold
from shared.training.checks.weights import problems_of_sample_weight
from shared.training.checks.work import problems_of_work
from shared.training.plan import Plan, input_columns, plan_of
from shared.training.spec import TrainingSpec

_SHOWN = 80
_COLUMNS_SHOWN = 20


def problems_of(
    spec: TrainingSpec, *, columns: list[Column], rows: int, findings: Sequence[Finding] = ()
) -> list[PlatformError]:
    """All that is wrong with the training of this table, the most basic first; empty when it can run."""
    tree, problems = read_tree(spec.model.module, spec.model.class_, spec.model.params)
    # Known before the other problems are.
    sound = not problems
    problems += problems_of_libraries(tree) if tree is not None else ()
    by_name = {column.name: column for column in columns}
    target = by_name.get(spec.target_column)
    if target is None:
        problems.append(_unknown_column("Target column", spec.target_column, by_name, "target_column", spec))
    problems += _feature_problems(spec, by_name)
    problems += problems_of_split(spec, by_name)
    if tree is None or target is None:
        return problems
    estimator = with_needs(tree)
    known = tree if sound else Node(tree.estimator, {})
    for node in known.all():
        problems += problems_of_combinations(Values(node.estimator, node.params), node.place)
    problems += problems_of_nesting(known)
    problems += problems_of_target(known, target, rows=rows, findings=findings)
    problems += problems_of_rows(spec, estimator, target, rows)
    problems += problems_of_sample_weight(spec, known, by_name)
    problems += problems_of_threshold(spec, known, target, _labels(target))
    problems += problems_of_batches(spec, known)
    if not any(isinstance(problem, UnknownColumn) for problem in problems):
        problems += problems_of_preprocessing(spec, estimator, columns)
        plan = plan_of(spec, estimator, columns=columns, rows=rows, findings=findings)
        problems += _input_problems(spec, tree, plan, columns=columns)
        problems += problems_of_defaults(spec, known, plan, classes=target.unique)
        problems += problems_of_work(known, cells=rows * len(plan.used), classes=target.unique)
        unsuitable = any(isinstance(problem, InvalidSplit | UnsuitableColumns) for problem in problems)
        shape = _shape(spec, estimator, plan, target, rows=rows) if sound and not unsuitable else None
        if spec.search is not None and sound:
            size = TableSize(cells=rows * len(plan.used), classes=target.unique, shape=shape)
            problems += problems_of_search(spec.search, spec.model, tree, size)
        if shape is not None:
            problems += problems_of_fit(known, shape)
    return problems


def check(spec: TrainingSpec, *, columns: list[Column], rows: int, findings: Sequence[Finding] = ()) -> None:
    """Refuse a training that cannot run, with all that is wrong with it.

    Raises:
        UnknownEstimator, LibraryNotInstalled, UnknownParameter, InvalidParameter, UnknownColumn, InvalidRequest,
        TaskMismatch, SingleClass, InvalidSplit, UnsuitableColumns: the first of the problems; `errors` lists all.
    """
    refuse(problems_of(spec, columns=columns, rows=rows, findings=findings))


def refuse(problems: Sequence[PlatformError]) -> None:
    """Refuse a request for its problems, if it has any.

    Raises:
        PlatformError: the first of them; `errors` lists all.
    """
    if problems:
        first = problems[0]
        more = f" ({len(problems) - 1} more in 'errors'.)" if len(problems) > 1 else ""
        raise type(first)(
            first.detail + more, errors=[error for problem in problems for error in problem.errors], **first.members
        )


def _feature_problems(spec: TrainingSpec, by_name: dict[str, Column]) -> Iterator[PlatformError]:
    if spec.features is None:
        return
    if not spec.features:
        yield _problem(InvalidRequest, "'features' is empty. Name a column, or leave it out to use all.", "features")
    named = Counter(spec.features)
    unknown = (name for name in named if name not in by_name)
    for index, name in enumerate(islice(unknown, MOST_PROBLEMS)):
        yield _unknown_column("Input column", name, by_name, "features", spec, suggest=index < MOST_HINTS)
    for name in islice((name for name, times in named.items() if times > 1), MOST_PROBLEMS):
        yield _problem(InvalidRequest, f"'{name[:_SHOWN]}' is named twice in 'features'.", "features")
    if spec.target_column in spec.features:
        sentence = f"'{spec.target_column[:_SHOWN]}' is the target and cannot be one of the inputs too. Take it out."
        yield _problem(InvalidRequest, sentence, "features")


def _input_problems(spec: TrainingSpec, tree: Node, plan: Plan, *, columns: list[Column]) -> Iterator[PlatformError]:
    used = [treatment.column for treatment in plan.treatments if treatment.role != "left_out"]
    if not used and spec.features != []:
        why = "; ".join(f"'{left.column}': {left.reason}" for left in plan.treatments[:_COLUMNS_SHOWN])
        sentence = (
            f"No column is left to learn from.{why and f' {why}.'} Add columns that tell something of the target."
        )
        yield _problem(UnsuitableColumns, sentence, "features")
    seeing = (node.estimator for node in seeing_inputs(tree))
    refusing = next((each for each in seeing if each.inputs_not_negative and not each.needs_categories), None)
    if refusing is None:
        return
    for column in input_columns(spec, columns):
        if column.name in used and column.min is not None and column.min < 0:
            sentence = f"{refusing.key} takes no negative inputs, but '{column.name}' goes down to {column.min:g}."
            yield _problem(UnsuitableColumns, f"{sentence} Choose other 'features'.", "features")


def _shape(spec: TrainingSpec, estimator: Estimator, plan: Plan, target: Column, *, rows: int) -> Shape:
    """What the profile tells of the part that is fitted."""
    used = rows - target.missing
    classes = target.unique if estimator.task == "classification" else None
    return Shape(
        rows=used - math.ceil(spec.test_size * used),
        # Where gaps are filled, or words become numbers, the estimator sees other columns than the table has.
        inputs=plan.names("number") if plan.numeric and not plan.imputed else None,
        classes=classes,
        labels=None if classes is None else _labels(target),
    )


def _labels(target: Column) -> list[Any] | None:
    """The values of the target, if the profile has all of them; longer texts are cut in it."""
    whole = not any(isinstance(label, str) and label.endswith("…") for label in target.examples)
    return target.examples if whole and target.unique == len(target.examples) else None


def _unknown_column(
    role: str, name: str, by_name: dict[str, Column], field: str, spec: TrainingSpec, *, suggest: bool = True
) -> PlatformError:
    known = ", ".join(list(by_name)[:_COLUMNS_SHOWN]) + (", …" if len(by_name) > _COLUMNS_SHOWN else "")
    near = closest(name, by_name if suggest else ())
    sentence = f"{role} '{name[:_SHOWN]}' is not in dataset '{spec.dataset_name}'.{meant(near) or f' It has: {known}.'}"
    errors = [{"loc": ["body", field], "msg": sentence}]
    return UnknownColumn(sentence, errors=errors, did_you_mean=near, available=by_name)


def _problem(kind: type[PlatformError], sentence: str, field: str) -> PlatformError:
    return kind(sentence, errors=[{"loc": ["body", field], "msg": sentence}])
