"""Chooses, from the column profile and the estimator's needs, what is done to which column. Imports no scikit-learn."""

from collections.abc import Iterable, Sequence
from typing import Final

from pydantic import Field

from shared.estimators.catalogue import Estimator
from shared.estimators.signature import Task
from shared.tables.columns import Column, ColumnKind
from shared.tables.findings import Finding
from shared.training.preprocessing import ColumnChoice, Cycle, Encode
from shared.training.spec import TrainingSpec
from shared.training.treatment import LEFT_OUT, TEXT_COLUMNS, Manner, Role, Treatment, words_of
from shared.training.unused import is_number, unused_columns

# Which columns become what features: a number for each way that a release has had. Models are trained again by theirs.
RECIPE: Final = 2
FIRST_RECIPE: Final = 1
_MIDNIGHT = "T00:00:00"
_ROWS_PER_COLUMN = 20
# Each label is a column of means, and five parts of the rows of a fold are to be there.
_MOST_AVERAGED = 20
_LEAST_AVERAGED = 50


class Plan(Manner):
    """The treatment of every column, and what holds for all of them.

    A `numeric` table goes to the model as one array. Without gaps, and where the estimator needs no scaling, it goes
    there unchanged, and the model is the estimator itself, without a pipeline. In any other table each column is
    treated by its role, its `cycles` and what was chosen for it. `seed` decides the chance of steps that have some.
    `recipe` is the number of the way in which all of this is decided.
    """

    recipe: int
    treatments: list[Treatment]
    choices: dict[str, ColumnChoice] = Field(default_factory=dict)
    cycles: dict[str, tuple[Cycle, ...]] = Field(default_factory=dict)
    # What becomes of the categories of each column that has some.
    encodings: dict[str, Encode] = Field(default_factory=dict)
    task: Task = "classification"
    seed: int = 42
    # Into how many columns a text is made: of few rows, many would be learnt by heart.
    text_columns: int = TEXT_COLUMNS

    def names(self, role: Role) -> list[str]:
        """The columns of a role, in their order."""
        return [treatment.column for treatment in self.treatments if treatment.role == role]

    @property
    def used(self) -> frozenset[str]:
        """The columns that the model learns from."""
        return frozenset(treatment.column for treatment in self.treatments if treatment.role != "left_out")

    def takes_gaps(self, name: str) -> bool:
        """Whether a value may be missing in a column of a row that is predicted."""
        choice = self.choices.get(name)
        if self.plain or (choice is not None and choice.impute == "none"):
            return self.keeps_gaps
        return not self.numeric or self.imputed or self.keeps_gaps


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
    further = [name for name in (spec.split.by, spec.sample_weight) if name is not None]
    return list(dict.fromkeys([*spec.features, spec.target_column, *further, *moments]))


def plan_of(
    spec: TrainingSpec,
    estimator: Estimator,
    *,
    columns: list[Column],
    rows: int,
    findings: Sequence[Finding] = (),
    recipe: int = RECIPE,
) -> Plan:
    """The plan for inputs that have passed the checks; `findings` are those of the table."""
    inputs = input_columns(spec, columns)
    reasons = unused_columns(spec, estimator, inputs, rows=rows, of=len(columns), findings=findings)
    used = [column for column in inputs if column.name not in reasons]
    plain = spec.preprocessing == "none"
    chosen = spec.preprocessing if isinstance(spec.preprocessing, dict) else {}
    choices = {column.name: chosen[column.name] for column in used if column.name in chosen}
    gaps = any(column.missing for column in used)
    keeps_gaps = estimator.takes_missing_with(spec.model.params)
    numeric = all(is_number(column) for column in used) and not choices and not estimator.needs_categories
    first = _is_first(recipe, used)
    general = Plan(
        recipe=recipe,
        numeric=numeric,
        imputed=gaps and not keeps_gaps and not plain,
        scaled=estimator.needs_scaling and (gaps or not numeric or not first) and not plain,
        # A straight line is to stay one beyond what it has seen. Of batches, only means and deviations are of all rows.
        squashes=not first and estimator.task == "classification" and spec.batches is None,
        categorical=estimator.needs_categories and not plain,
        keeps_gaps=keeps_gaps,
        plain=plain,
        averages=_averages(spec, estimator, columns, rows=rows),
        treatments=[],
        choices=choices,
        cycles={} if plain else _cycles_of(used, estimator, choices, first=first),
        task=estimator.task,
        seed=spec.random_state,
        text_columns=max(min(TEXT_COLUMNS, rows // _ROWS_PER_COLUMN), 2),
    )
    treatments = [_treatment(column, general, reasons.get(column.name)) for column in inputs]
    return general.model_copy(update={"treatments": treatments, "encodings": _encodings(inputs, treatments, general)})


def _is_first(recipe: int, used: Sequence[Column]) -> bool:
    # Versions that older releases took are treated as by these.
    return recipe == FIRST_RECIPE or any(column.cells is None for column in used)


def _encodings(columns: Sequence[Column], treatments: Sequence[Treatment], plan: Plan) -> dict[str, Encode]:
    return {
        column.name: plan.encoding(column, plan.choices.get(column.name))
        for column, treatment in zip(columns, treatments, strict=True)
        if treatment.role == "category"
    }


def _averages(spec: TrainingSpec, estimator: Estimator, columns: Sequence[Column], *, rows: int) -> bool:
    """Whether there are rows enough, and labels few enough, to tell categories by the mean of the target."""
    target = next((column for column in columns if column.name == spec.target_column), None)
    labels = 1 if target is None or estimator.task == "regression" else target.unique
    # In batches, no rows have the means of others: the recipe learns from the first one alone.
    enough = (1 - spec.test_size) * rows >= _LEAST_AVERAGED and spec.batches is None
    return enough and labels <= _MOST_AVERAGED and not estimator.inputs_not_negative


def _treatment(column: Column, plan: Plan, reason: str | None) -> Treatment:
    if reason is not None:
        return Treatment(column=column.name, kind=column.kind, role="left_out", treatment=f"{LEFT_OUT}{reason}")
    choice = plan.choices.get(column.name)
    role = _role(column, choice)
    words = words_of(column, role, plan, choice, cycles=plan.cycles.get(column.name, ()))
    return Treatment(column=column.name, kind=column.kind, role=role, treatment=words)


def _role(column: Column, choice: ColumnChoice | None) -> Role:
    if choice is not None and choice.kind is not None:
        return choice.kind
    if is_number(column) or column.kind in {ColumnKind.DATETIME, ColumnKind.INTEGER, ColumnKind.NUMBER}:
        return "number"
    if column.kind is ColumnKind.BOOLEAN:
        return "boolean"
    # Older releases took texts that were named for categories.
    return "text" if column.kind is ColumnKind.TEXT and column.cells is not None else "category"


def _cycles_of(
    used: Sequence[Column], estimator: Estimator, choices: dict[str, ColumnChoice], *, first: bool
) -> dict[str, tuple[Cycle, ...]]:
    """In which cycles dates are told, beside their days."""
    dates = [column for column in used if column.kind is ColumnKind.DATETIME]
    found = {column.name: _cycles(column, estimator, choices.get(column.name), first=first) for column in dates}
    return {name: cycles for name, cycles in found.items() if cycles}


def _cycles(column: Column, estimator: Estimator, choice: ColumnChoice | None, *, first: bool) -> tuple[Cycle, ...]:
    if choice is not None and choice.cycles is not None:
        return choice.cycles
    # Versions that older releases took are treated as by these. Cycles go below 0, and have no categories.
    if column.cells is None or estimator.needs_categories or estimator.inputs_not_negative:
        return ()
    timed = any(isinstance(moment, str) and "T" in moment and _MIDNIGHT not in moment for moment in column.examples)
    days: tuple[Cycle, ...] = ("day", "week") if timed else ("week",)
    # Trees find the parts of a month among the days themselves, and are none the better for being told them.
    return (*days, "year") if first or not estimator.needs_scaling else (*days, "month", "year")
