"""What a model will take and give, told from its plan and the table."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from numpy.typing import NDArray

from shared.estimators.catalogue import Estimator
from shared.estimators.signature import MOST_CATEGORIES, InputColumn, Signature
from shared.evaluation.labels import coded, plain
from shared.tables.columns import Column
from shared.training.column_steps import known_words
from shared.training.plan import Plan, input_columns
from shared.training.spec import TrainingSpec


def signature_of(
    spec: TrainingSpec,
    plan: Plan,
    estimator: Estimator,
    *,
    columns: list[Column],
    known: Callable[[str], list[str]],
    target: NDArray[Any],
) -> Signature:
    """The signature of a model of this plan; `known` tells the words of a column, `target` has the labels to learn."""
    roles = {treatment.column: treatment.role for treatment in plan.treatments}
    inputs = [
        InputColumn(
            name=column.name,
            kind=column.kind,
            missing_allowed=plan.takes_gaps(column.name),
            categories=known(column.name) if roles[column.name] == "category" and known_words(column.kind) else None,
            used=roles[column.name] != "left_out",
            cells=column.cells,
        )
        for column in input_columns(spec, columns)
    ]
    classes = [plain(label) for label in coded(target)[0]] if estimator.task == "classification" else None
    return Signature(
        inputs=inputs, target=spec.target_column, task=estimator.task, classes=classes, numeric=plan.numeric
    )


def most_frequent(counts: Iterable[tuple[Any, int]]) -> list[str]:
    """The most frequent categories, sorted; `counts` tells of each how many rows have it, the most frequent first."""
    return sorted(str(value) for value, _ in islice(counts, MOST_CATEGORIES))
