"""Completes a client's request to a specification, and shows what its training would do without running it."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from shared.datasets.catalog import find_entry
from shared.datasets.examples import Found
from shared.errors import InvalidRequest, PlatformError
from shared.estimators.own.rows import refresh
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.tables.names import settled_name
from shared.training.checks.contest import problems_of_job
from shared.training.checks.training import problems_of, refuse
from shared.training.findings import notes_of
from shared.training.plan import plan_of
from shared.training.search.settling import settled
from shared.training.spec import ContestSpec, EstimatorChoice, JobSpec, SearchChoice, TrainingSpec
from shared.training.treatment import Treatment
from shared.training.usual_models import usual_models

_COLUMNS = TypeAdapter(list[Column])
_FINDINGS = TypeAdapter(list[Finding])

# What is to be fitted: one model, several, or those that are usual.
Asked = EstimatorChoice | Sequence[EstimatorChoice] | Literal["auto"]


class Rehearsal(NamedTuple):
    """What a training would meet: every problem, or what would be done to which column and what is to be known.

    Of several models, the columns are told for the first one.
    """

    problems: Sequence[PlatformError]
    treatments: Sequence[Treatment] | None
    notes: Sequence[str]


class Resolved(NamedTuple):
    """A specification with the profile of the table that it names; `version_id` is None for one not catalogued yet."""

    spec: JobSpec
    version_id: int | None
    columns: list[Column]
    rows: int
    findings: list[Finding]

    def check(self) -> None:
        """Refuse what cannot run.

        Raises:
            PlatformError: what `checks.training.check` raises.
        """
        refuse(self._problems())

    def rehearse(self) -> Rehearsal:
        """Look at everything without running it."""
        problems = self._problems()
        if problems:
            # Of many problems a finding is the cause, such as a word of the target that counts as missing.
            return Rehearsal(problems, None, notes_of(self.findings, target=self.spec.target_column, used=()))
        first = self.spec.candidates[0]
        plan = plan_of(first, first.model.estimator(), columns=self.columns, rows=self.rows, findings=self.findings)
        notes = notes_of(self.findings, target=self.spec.target_column, used=plan.used)
        return Rehearsal([], plan.treatments, notes)

    def _problems(self) -> list[PlatformError]:
        return problems_of_job(self.spec, columns=self.columns, rows=self.rows, findings=self.findings)


def resolve(
    session: Session,
    *,
    dataset_name: str,
    dataset_version: int | None,
    asked: Asked,
    target_column: str | None,
    **choices: Any,
) -> Resolved:
    """Fill in the newest version of the dataset where none is named; `choices` are further fields of the spec.

    Raises:
        InvalidRequest: when no target is named.
        UnknownDataset, UnknownDatasetVersion: when there is no such table.
    """
    refresh(session)
    dataset, version = find_entry(session, dataset_name, dataset_version)
    columns = _COLUMNS.validate_python(version.columns)
    if target_column is None:
        names = ", ".join(column.name for column in columns[:20])
        sentence = f"'target_column' is required: name the column to predict. '{dataset.name}' has: {names}."
        raise InvalidRequest(sentence, errors=[{"loc": ["body", "target_column"], "msg": sentence}])
    known = {column.name for column in columns}
    number = version.number
    assert number is not None, "a version that is ready has a number"  # noqa: S101 - an invariant
    findings = _FINDINGS.validate_python(version.findings)
    spec = _spec_of(
        asked,
        columns,
        version.rows,
        findings,
        dataset_name=dataset.name,
        dataset_version=number,
        target_column=settled_name(target_column, known),
        **_settled(choices, known),
    )
    return Resolved(spec=spec, version_id=version.id, columns=columns, rows=version.rows, findings=findings)


def _settled(choices: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """The choices with the names of columns as the table has them."""
    settled = dict(choices)
    if features := choices.get("features"):
        settled["features"] = [settled_name(name, known) for name in features]
    if weight := choices.get("sample_weight"):
        settled["sample_weight"] = settled_name(weight, known)
    if isinstance(by_column := choices.get("preprocessing"), dict):
        settled["preprocessing"] = {settled_name(name, known): choice for name, choice in by_column.items()}
    if (split := choices.get("split")) is not None and split.by is not None:
        settled["split"] = split.model_copy(update={"by": settled_name(split.by, known)})
    return settled


def resolve_example(found: Found, *, asked: Asked, target_column: str, **choices: Any) -> Resolved:
    """A specification for a bundled example, whether it is catalogued or not."""
    inspection = found.inspection
    spec = _spec_of(
        asked,
        inspection.columns,
        inspection.rows,
        inspection.findings,
        dataset_name=found.name,
        dataset_version=found.version,
        target_column=target_column,
        **choices,
    )
    return Resolved(
        spec=spec,
        version_id=None,
        columns=inspection.columns,
        rows=inspection.rows,
        findings=inspection.findings,
    )


def _spec_of(asked: Asked, columns: list[Column], rows: int, findings: list[Finding], **choices: Any) -> JobSpec:
    """The specification; the usual models are named in it, so that it stays the same when the usual ones change."""
    search: SearchChoice | None = choices.pop("search", None)
    if isinstance(asked, EstimatorChoice):
        return TrainingSpec(model=asked, search=None if search is None else settled(search, asked), **choices)
    if asked != "auto":
        return ContestSpec(models=list(asked), **choices)
    target = next((column for column in columns if column.name == choices["target_column"]), None)
    inputs = choices.get("features") or columns[1:]

    def suits(model: EstimatorChoice) -> bool:
        return not problems_of(TrainingSpec(model=model, **choices), columns=columns, rows=rows, findings=findings)

    return ContestSpec(models=usual_models(target, rows=rows, columns=len(inputs), suits=suits), **choices)
