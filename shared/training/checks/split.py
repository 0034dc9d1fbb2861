"""What can be known to be wrong with a split before it is made. Imports no scikit-learn."""

import math
from collections.abc import Iterator, Mapping

from shared.errors import InvalidSplit, PlatformError, UnknownColumn, closest, meant
from shared.estimators.catalogue import Estimator
from shared.tables.columns import Column, ColumnKind
from shared.training.spec import MOST_FOLDS, TrainingSpec

_SHOWN = 80
_ORDERED = frozenset({ColumnKind.DATETIME, ColumnKind.INTEGER, ColumnKind.NUMBER})
_MOST_COLUMNS = 20


def problems_of_split(spec: TrainingSpec, by_name: Mapping[str, Column]) -> Iterator[PlatformError]:
    """What is wrong with the shares, the folds and the column that decides."""
    if not 0 < spec.test_size < 1:
        sentence = f"'test_size' is the share of rows to measure on, above 0 and below 1, not {spec.test_size:g}."
        yield _problem(f"{sentence} 0.2 is a good start.", "test_size")
    folds = spec.split.folds
    if folds is not None and (folds < 0 or folds == 1 or folds > MOST_FOLDS):
        yield _problem(f"'folds' is 0 for none, or from 2 to {MOST_FOLDS}, not {folds}.", "split", "folds")
    yield from _problems_of_column(spec, by_name)


def problems_of_rows(spec: TrainingSpec, estimator: Estimator, target: Column, rows: int) -> Iterator[PlatformError]:
    """Whether both parts, and each fold, have rows enough."""
    used = rows - target.missing
    if not 0 < spec.test_size < 1 or not used:
        return
    test = math.ceil(spec.test_size * used)
    left, least = used - test, 2 if estimator.task == "classification" else 1
    if test < 1 or left < least:
        yield _problem(
            f"Of {rows} rows {used} have a value in '{target.name}'; a 'test_size' of {spec.test_size:g} takes {test} "
            f"of them to measure on and leaves {left} to fit, where at least {least} "
            f"{'are' if least > 1 else 'is'} needed. Choose a smaller 'test_size' or add rows.",
            "test_size",
        )
    elif (folds := spec.split.folds) is not None and folds > 1 and left < 2 * folds:
        most = left // 2
        choose = f"Choose at most {most}" if most >= 2 else "Choose 0 for none"
        yield _problem(
            f"{left} rows are left to fit, too few for {folds} folds of two rows each. {choose}, or add rows.",
            "split",
            "folds",
        )


def _problems_of_column(spec: TrainingSpec, by_name: Mapping[str, Column]) -> Iterator[PlatformError]:
    method, by = spec.split.method, spec.split.by
    if method == "random":
        if by is not None:
            yield _problem(
                "'by' is for the methods 'grouped' and 'time'. Choose one, or leave out 'by'.", "split", "by"
            )
        return
    what = "groups" if method == "grouped" else "time"
    if by is None:
        yield _problem(f"'by' is required with '{method}': name the column of the {what}.", "split", "by")
        return
    column = by_name.get(by)
    if column is None:
        yield _unknown(spec, by, by_name)
    elif by == spec.target_column:
        yield _problem(f"'{by[:_SHOWN]}' is the target; rows cannot be split by what is to be told.", "split", "by")
    elif column.missing:
        yield _problem(
            f"'{by[:_SHOWN]}' decides the split, but it has no value in {column.missing:,} rows. Fill these in, leave "
            "these rows out, or split by another column.",
            "split",
            "by",
        )
    else:
        yield from (_of_groups if method == "grouped" else _of_time)(spec, column)


def _of_groups(spec: TrainingSpec, column: Column) -> Iterator[PlatformError]:
    least = max(2, (spec.split.folds or 0) + 1)
    if column.unique < least:
        groups = "group" if column.unique == 1 else "groups"
        asked = f"{spec.split.folds} folds and a part to measure on need" if least > 2 else "two parts need"
        yield _problem(
            f"'{column.name[:_SHOWN]}' has {column.unique} {groups}; {asked} at least {least}. "
            f"{'Ask for fewer folds, or s' if least > 2 else 'S'}plit by another column.",
            "split",
            "by",
        )


def _of_time(_spec: TrainingSpec, column: Column) -> Iterator[PlatformError]:
    if column.kind not in _ORDERED:
        yield _problem(
            f"'{column.name[:_SHOWN]}' is read as {column.kind}, which has no order of time. Name a column of dates or "
            "numbers, or upload the table again and say how its dates are written.",
            "split",
            "by",
        )
    elif column.unique < 2:
        yield _problem(
            f"All rows have the same value in '{column.name[:_SHOWN]}', so none is later than others. Choose another "
            "column.",
            "split",
            "by",
        )


def _unknown(spec: TrainingSpec, name: str, by_name: Mapping[str, Column]) -> PlatformError:
    known = ", ".join(list(by_name)[:_MOST_COLUMNS]) + (", …" if len(by_name) > _MOST_COLUMNS else "")
    near = closest(name, by_name)
    sentence = (
        f"The column '{name[:_SHOWN]}' that is to decide the split is not in dataset '{spec.dataset_name}'."
        f"{meant(near) or f' It has: {known}.'}"
    )
    return UnknownColumn(
        sentence, errors=[{"loc": ["body", "split", "by"], "msg": sentence}], did_you_mean=near, available=by_name
    )


def _problem(sentence: str, *place: str) -> InvalidSplit:
    return InvalidSplit(sentence, errors=[{"loc": ["body", *place], "msg": sentence}])
