"""What can be known to be wrong with a column of weights. Imports no scikit-learn."""

from collections.abc import Iterator, Mapping

from shared.errors import InvalidRequest, PlatformError, UnknownColumn, UnsuitableColumns, closest, meant
from shared.estimators.needs import takes_weights
from shared.estimators.tree import Node
from shared.tables.columns import Column, ColumnKind
from shared.training.checks.shape import MOST_WEIGHT
from shared.training.spec import TrainingSpec

_SHOWN = 80
_NUMBERS = frozenset({ColumnKind.INTEGER, ColumnKind.NUMBER})


def problems_of_sample_weight(spec: TrainingSpec, tree: Node, by_name: Mapping[str, Column]) -> Iterator[PlatformError]:
    """Weights are numbers from 0 on, one for each row, for an estimator that takes them."""
    name = spec.sample_weight
    if name is None:
        return
    column = by_name.get(name)
    shown = f"'{name[:_SHOWN]}'"
    if column is None:
        near = closest(name, by_name)
        sentence = f"The column {shown} of weights is not in dataset '{spec.dataset_name}'.{meant(near)}"
        yield UnknownColumn(sentence, errors=[_place(sentence)], did_you_mean=near, available=by_name)
        return
    if name == spec.target_column or name in (spec.features or ()):
        what = "the target" if name == spec.target_column else "one of 'features'"
        yield _problem(InvalidRequest, f"{shown} is {what} and cannot be the weight of rows, too. Choose one of both.")
    if not takes_weights(tree):
        yield _problem(
            InvalidRequest,
            f"{tree.estimator.key} takes no weights of rows. Leave out 'sample_weight', or choose another estimator.",
        )
    wrong = _wrong(column)
    if wrong is not None:
        yield _problem(UnsuitableColumns, f"{shown} {wrong}")


def _wrong(column: Column) -> str | None:
    if column.kind not in _NUMBERS:
        return f"is read as {column.kind}, but weights are numbers. Choose a column of numbers."
    if column.missing:
        return f"has no value in {column.missing:,} rows. Give each row a weight, 0 for one that is not to count."
    if column.min is not None and column.min < 0:
        return f"goes down to {column.min:g}, but no row can count less than nothing. Weights are 0 or above."
    if column.max is not None and column.max > MOST_WEIGHT:
        return f"goes up to {column.max:g}, but a weight is at most {MOST_WEIGHT:g}: only their ratio matters."
    if column.max is not None and column.max == 0:
        return "is 0 in every row, so none counts. Choose another column."
    return None


def _problem(kind: type[PlatformError], sentence: str) -> PlatformError:
    return kind(sentence, errors=[_place(sentence)])


def _place(sentence: str) -> dict[str, object]:
    return {"loc": ["body", "sample_weight"], "msg": sentence}
