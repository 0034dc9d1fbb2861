"""Why columns of a table are not learnt from. Imports no scikit-learn."""

import re
from collections.abc import Sequence

from shared.estimators.catalogue import Estimator
from shared.tables.columns import Column, ColumnKind, unique_bound
from shared.tables.findings import Finding
from shared.training.findings import clause_of, nearly_values
from shared.training.preprocessing import ColumnChoice
from shared.training.spec import TrainingSpec
from shared.training.texts import looks_of_text

_IDENTIFIER = re.compile(r"(.*[_\W])?(id|ids|index|key|uuid|guid|unnamed_?\W*0|row_?(number|no|nr)?)", re.IGNORECASE)
# Of versions that an older release took, a training is to give the same.
_OLD = ", which nothing here reads"
_NUMBERS = frozenset({ColumnKind.INTEGER, ColumnKind.NUMBER})


def is_number(column: Column) -> bool:
    """Whether it has numbers, and at least one."""
    return column.kind in _NUMBERS and column.unique > 0


def unused_columns(
    spec: TrainingSpec,
    estimator: Estimator,
    inputs: Sequence[Column],
    *,
    rows: int,
    of: int,
    findings: Sequence[Finding],
) -> dict[str, str]:
    """Why columns among `inputs` are not used, by their names; the table has `of` columns.

    One that the request names, in its features or its preprocessing, is used if it has any value.
    """
    old = any(column.cells is None for column in inputs)
    if old and not estimator.needs_categories and all(is_number(column) for column in inputs):
        # Older releases used tables of numbers as they are, and a training of such a version is to give the same.
        asked = {column.name: _reason_of_request(spec, column) for column in inputs}
        return {name: reason for name, reason in asked.items() if reason is not None}
    counted = unique_bound(of)
    found = {
        column.name: _reason(spec, estimator, column, rows=rows, counted=counted, findings=findings)
        for column in inputs
    }
    return {name: reason for name, reason in found.items() if reason is not None}


def _reason(
    spec: TrainingSpec, estimator: Estimator, column: Column, *, rows: int, counted: int, findings: Sequence[Finding]
) -> str | None:
    asked = _reason_of_request(spec, column)
    if asked is not None:
        return asked
    if not column.unique:
        return "it has no values"
    choice = _choices(spec).get(column.name)
    if spec.features is not None or choice is not None:
        return None
    if spec.split.method == "grouped" and column.name == spec.split.by:
        return "its groups decide the split; name it in 'features' to use it"
    if column.cells is None:
        return _reason_of_profile(column, rows=rows, counted=counted)
    return _reason_of_role(column, findings, rows=rows, counted=counted, estimator=estimator)


def _reason_of_request(spec: TrainingSpec, column: Column) -> str | None:
    if column.name == spec.sample_weight:
        return "it says how much each row counts"
    choice = _choices(spec).get(column.name)
    return "'preprocessing' says so" if choice is not None and choice.drop else None


def _choices(spec: TrainingSpec) -> dict[str, ColumnChoice]:
    return spec.preprocessing if isinstance(spec.preprocessing, dict) else {}


def _reason_of_role(
    column: Column, findings: Sequence[Finding], *, rows: int, counted: int, estimator: Estimator
) -> str | None:
    if column.role == "constant":
        return "it has the same value in every row"
    if column.role == "identifier":
        return "it numbers or names the rows; name it in 'features' to use it"
    if column.kind is ColumnKind.TEXT:
        return _reason_against_text(column, findings, rows=rows, counted=counted, estimator=estimator)
    return None


def _reason_against_text(
    column: Column, findings: Sequence[Finding], *, rows: int, counted: int, estimator: Estimator
) -> str | None:
    found = nearly_values(column, findings)
    if found is not None:
        return f"{_reason_of_text(column, rows=rows, counted=counted)}; {clause_of(found)}"
    if estimator.needs_categories or estimator.inputs_not_negative:
        return f"it is text, which {estimator.name} does not learn from"
    if _one_word(column) and column.unique == rows - column.missing:
        return "each row has a word of its own, which looks like a name of the row; name it in 'features' to use it"
    return None


def _one_word(column: Column) -> bool:
    return all(not isinstance(text, str) or len(text.split()) < 2 for text in column.examples)


def _reason_of_profile(column: Column, *, rows: int, counted: int) -> str | None:
    """As older releases chose; distinct values are counted up to `counted`, which stands for that many or more."""
    if column.unique == 1 and not column.missing:
        return "it has the same value in every row"
    present = rows - column.missing
    distinct, many = column.unique == present, column.unique >= counted
    if column.kind is ColumnKind.TEXT:
        looks = looks_of_text(column)
        told = "" if looks is None else f"; it {looks.said}: {looks.hint}"
        return _reason_of_text(column, rows=rows, counted=counted) + told
    named = column.kind is ColumnKind.INTEGER and _IDENTIFIER.fullmatch(column.name) is not None
    if not named or not (distinct or many):
        return None
    seems = "identifies the row" if distinct else "has the name and the many values of an identifier"
    return f"it {seems}; name it in 'features' to use it"


def _reason_of_text(column: Column, *, rows: int, counted: int) -> str:
    present = rows - column.missing
    if column.unique == present:
        return "each row has its own text"
    least = "at least " if column.unique >= counted else ""
    old = _OLD if column.cells is None else ""
    return f"it is text, {least}{column.unique:,} different texts in {present:,} rows{old}"
