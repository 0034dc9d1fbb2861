"""Chooses, from the column profile and the estimator's needs, what is done to which column. Imports no scikit-learn."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.estimators.catalogue import Estimator
from shared.tables.columns import Column, ColumnKind, unique_bound
from shared.tables.findings import Finding
from shared.training.findings import clause_of, nearly_values
from shared.training.spec import TrainingSpec
from shared.training.texts import looks_of_text

Role = Literal["number", "boolean", "category", "left_out"]

# Rarer categories share one encoded column, so that a column of codes does not become thousands.
MAX_CATEGORIES = 50
BINS = 10

_NUMBERS = frozenset({ColumnKind.INTEGER, ColumnKind.NUMBER})
_IDENTIFIER = re.compile(r"(.*[_\W])?(id|ids|index|key|uuid|guid|unnamed_?\W*0|row_?(number|no|nr)?)", re.IGNORECASE)


_LEFT_OUT = "left out: "


class Treatment(BaseModel):
    """What is done to one column, in words for the report too."""

    model_config = ConfigDict(frozen=True)

    column: str = Field(description="The name of the column.")
    kind: ColumnKind = Field(description="What its values are.")
    role: Role = Field(description="How the estimator sees the column, or `left_out`.")
    treatment: str = Field(description="What is done to it, in words.")

    @property
    def reason(self) -> str:
        """Why the column is left out."""
        return self.treatment.removeprefix(_LEFT_OUT)


class Plan(BaseModel):
    """The treatment of every column, and what holds for all of them.

    A `numeric` table goes to the model as one array. Without gaps it goes there unchanged, and the model is the
    estimator itself, without a pipeline. With gaps it is `imputed` and `scaled`, each if the estimator needs it. In any
    other table each column is treated by its role. `keeps_gaps` says that the estimator itself takes missing numbers.
    """

    model_config = ConfigDict(frozen=True)

    numeric: bool
    imputed: bool
    scaled: bool
    categorical: bool
    keeps_gaps: bool
    treatments: list[Treatment]

    def names(self, role: Role) -> list[str]:
        """The columns of a role, in their order."""
        return [treatment.column for treatment in self.treatments if treatment.role == role]

    @property
    def used(self) -> frozenset[str]:
        """The columns that the model learns from."""
        return frozenset(treatment.column for treatment in self.treatments if treatment.role != "left_out")


def input_columns(spec: TrainingSpec, columns: Iterable[Column]) -> list[Column]:
    """The columns that the model may learn from: the chosen ones in the chosen order, else all but the target."""
    if spec.features is None:
        return [column for column in columns if column.name != spec.target_column]
    by_name = {column.name: column for column in columns}
    return [by_name[name] for name in spec.features]


def read_columns(spec: TrainingSpec, columns: Iterable[Column]) -> list[str] | None:
    """The columns that a training reads; None for all. Moments are read, too: the order of the rows may be theirs."""
    if spec.features is None:
        return None
    moments = (column.name for column in columns if column.kind is ColumnKind.DATETIME)
    deciding = [] if spec.split.by is None else [spec.split.by]
    return list(dict.fromkeys([*spec.features, spec.target_column, *deciding, *moments]))


def plan_of(
    spec: TrainingSpec,
    estimator: Estimator,
    *,
    columns: list[Column],
    rows: int,
    findings: Sequence[Finding] = (),
) -> Plan:
    """The plan for inputs that have passed the checks; `findings` are those of the table."""
    inputs = input_columns(spec, columns)
    reasons = _reasons_to_leave_out(spec, estimator, columns=columns, rows=rows, findings=findings)
    used = [column for column in inputs if column.name not in reasons]
    gaps = any(column.missing for column in used)
    keeps_gaps = estimator.takes_missing_with(spec.model.params)
    numeric = not estimator.needs_categories and all(_is_numeric(column) for column in used)
    general = Plan(
        numeric=numeric,
        imputed=gaps and not keeps_gaps,
        scaled=estimator.needs_scaling and (gaps or not numeric),
        categorical=estimator.needs_categories,
        keeps_gaps=keeps_gaps,
        treatments=[],
    )
    treatments = [_treatment(column, general, reasons.get(column.name)) for column in inputs]
    return general.model_copy(update={"treatments": treatments})


def _treatment(column: Column, plan: Plan, reason: str | None) -> Treatment:
    if reason is not None:
        return Treatment(column=column.name, kind=column.kind, role="left_out", treatment=f"{_LEFT_OUT}{reason}")
    role = _role(column.kind)
    words = {"number": _of_number, "boolean": _of_boolean, "category": _of_category}[role](column, plan)
    return Treatment(column=column.name, kind=column.kind, role=role, treatment=words)


def _is_numeric(column: Column) -> bool:
    return column.kind in _NUMBERS and column.unique > 0


def _reasons_to_leave_out(
    spec: TrainingSpec, estimator: Estimator, *, columns: list[Column], rows: int, findings: Sequence[Finding]
) -> dict[str, str]:
    """Why columns are not used, by their names. One that the request names is used if it has any value."""
    inputs = input_columns(spec, columns)
    old = any(column.cells is None for column in inputs)
    if old and not estimator.needs_categories and all(_is_numeric(column) for column in inputs):
        # Older releases used tables of numbers as they are, and a training of such a version is to give the same.
        return {}
    counted = unique_bound(len(columns))
    reasons: dict[str, str] = {}
    for column in inputs:
        reason = None
        if not column.unique:
            reason = "it has no values"
        elif spec.features is None and spec.split.method == "grouped" and column.name == spec.split.by:
            reason = "its groups decide the split; name it in 'features' to use it"
        elif spec.features is None and column.cells is None:
            reason = _reason_of_profile(column, rows=rows, counted=counted)
        elif spec.features is None:
            reason = _reason_of_role(column, findings, rows=rows, counted=counted)
        if reason is not None:
            reasons[column.name] = reason
    return reasons


def _reason_of_role(column: Column, findings: Sequence[Finding], *, rows: int, counted: int) -> str | None:
    if column.role == "constant":
        return "it has the same value in every row"
    if column.role == "identifier":
        return "it numbers or names the rows; name it in 'features' to use it"
    if column.kind is not ColumnKind.TEXT:
        return None
    found = nearly_values(column, findings)
    return _reason_of_text(column, rows=rows, counted=counted) + ("" if found is None else f"; {clause_of(found)}")


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
    return f"it is text, {least}{column.unique:,} different texts in {present:,} rows, which nothing here reads"


def _role(kind: ColumnKind) -> Literal["number", "boolean", "category"]:
    if kind in _NUMBERS or kind is ColumnKind.DATETIME:
        return "number"
    return "boolean" if kind is ColumnKind.BOOLEAN else "category"


def _of_number(column: Column, plan: Plan) -> str:
    parts = ["days since 1970-01-01 UTC" if column.kind is ColumnKind.DATETIME else "used as a number"]
    if plan.keeps_gaps:
        parts += ["missing values are left to the estimator"] if column.missing else []
    elif plan.imputed or not plan.numeric:
        parts.append("missing values become the median")
        parts += ["a column says where they were"] if column.missing and not plan.categorical else []
    parts += ["scaled to mean 0 and deviation 1"] if plan.scaled else []
    parts += [f"{column.not_finite} values that are not finite count as missing"] if column.not_finite else []
    parts += [f"{column.rounded} values are rounded"] if column.rounded else []
    parts += [f"cut into up to {BINS} bins"] if plan.categorical else []
    return ", ".join(parts)


def _of_boolean(column: Column, plan: Plan) -> str:
    if plan.keeps_gaps:
        return "0 or 1" + (", missing values are left to the estimator" if column.missing else "")
    return "0 or 1, missing values become the more frequent one"


def _of_category(column: Column, plan: Plan) -> str:
    rare = f", the rarest beyond {MAX_CATEGORIES} together" if column.unique > MAX_CATEGORIES else ""
    form = "one number" if plan.categorical else "one column of 0 and 1"
    return f"{form} per category{rare}, missing is a category"
