"""Completes a client's request to a specification, and shows what its training would do without running it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from shared.datasets.catalog import find_entry
from shared.datasets.examples import Found
from shared.errors import InvalidRequest, PlatformError
from shared.estimators.own.rows import refresh
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.tables.names import settled_name
from shared.training.checks.training import check, problems_of
from shared.training.findings import notes_of
from shared.training.plan import plan_of
from shared.training.spec import EstimatorChoice, TrainingSpec
from shared.training.treatment import Treatment

_COLUMNS = TypeAdapter(list[Column])
_FINDINGS = TypeAdapter(list[Finding])


class Rehearsal(NamedTuple):
    """What a training would meet: every problem, or what would be done to which column and what is to be known."""

    problems: Sequence[PlatformError]
    treatments: Sequence[Treatment] | None
    notes: Sequence[str]


class Resolved(NamedTuple):
    """A specification with the profile of the table that it names; `version_id` is None for one not catalogued yet."""

    spec: TrainingSpec
    version_id: int | None
    columns: list[Column]
    rows: int
    findings: list[Finding]

    def check(self) -> None:
        """Refuse what cannot run.

        Raises:
            PlatformError: what `checks.training.check` raises.
        """
        check(self.spec, columns=self.columns, rows=self.rows, findings=self.findings)

    def rehearse(self) -> Rehearsal:
        """Look at everything without running it."""
        problems = problems_of(self.spec, columns=self.columns, rows=self.rows, findings=self.findings)
        if problems:
            # Of many problems a finding is the cause, such as a word of the target that counts as missing.
            return Rehearsal(problems, None, notes_of(self.findings, target=self.spec.target_column, used=()))
        estimator = self.spec.model.estimator()
        plan = plan_of(self.spec, estimator, columns=self.columns, rows=self.rows, findings=self.findings)
        notes = notes_of(self.findings, target=self.spec.target_column, used=plan.used)
        return Rehearsal([], plan.treatments, notes)


def resolve(
    session: Session,
    *,
    dataset_name: str,
    dataset_version: int | None,
    model: EstimatorChoice,
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
    spec = TrainingSpec(
        dataset_name=dataset.name,
        dataset_version=number,
        model=model,
        target_column=settled_name(target_column, known),
        **_settled(choices, known),
    )
    findings = _FINDINGS.validate_python(version.findings)
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


def resolve_example(found: Found, *, model: EstimatorChoice, target_column: str, **choices: Any) -> Resolved:
    """A specification for a bundled example, whether it is catalogued or not."""
    spec = TrainingSpec(
        dataset_name=found.name, dataset_version=found.version, model=model, target_column=target_column, **choices
    )
    inspection = found.inspection
    return Resolved(
        spec=spec,
        version_id=None,
        columns=inspection.columns,
        rows=inspection.rows,
        findings=inspection.findings,
    )
