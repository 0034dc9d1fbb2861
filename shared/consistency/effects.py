"""Jobs that succeeded against what they should have brought about, and the reverse."""

from collections.abc import Iterator

from sqlalchemy import and_, not_, or_, select
from sqlalchemy.orm import Session

from shared.consistency.difference import Difference
from shared.database import Database
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State
from shared.registry.outputs import PredictionOutputRow
from shared.registry.rows import CompilationRow, DeploymentRow, ErasedModelRow, RegistryRow

_HINT = "Job and effect are one transaction: rows were changed by hand, or by a bug. Report it."


def differences(database: Database) -> Iterator[Difference]:
    """Effects without their job, and jobs without their effect."""
    with database.read() as session:
        yield from _trainings(session)
        yield from _models(session)
        yield from _promotions(session)
        yield from _predictions(session)
        yield from _compilations(session)


def _trainings(session: Session) -> Iterator[Difference]:
    jobs = (
        select(JobRow.id)
        .outerjoin(RegistryRow, RegistryRow.job_id == JobRow.id)
        .outerjoin(ErasedModelRow, ErasedModelRow.job_id == JobRow.id)
        .where(JobRow.kind == Kind.TRAIN, JobRow.status == State.SUCCEEDED)
        .where(RegistryRow.version.is_(None), ErasedModelRow.version.is_(None))
    )
    for job_id in session.scalars(jobs):
        yield Difference("effect_missing", f"job {job_id}", "it succeeded and registered no model", _HINT)
    yield from _leaderboards(session)


def _leaderboards(session: Session) -> Iterator[Difference]:
    jobs = session.execute(
        select(JobRow.id, JobRow.result["leaderboard"]).where(
            JobRow.kind == Kind.TRAIN, JobRow.status == State.SUCCEEDED
        )
    ).all()
    # In this order: who was ranked is registered, until it is erased.
    known = {tuple(row) for row in session.execute(select(RegistryRow.job_id, RegistryRow.version))}
    known |= {tuple(row) for row in session.execute(select(ErasedModelRow.job_id, ErasedModelRow.version))}
    for job_id, board in jobs:
        for entry in board or []:
            if (job_id, entry["version"]) not in known:
                found = f"it succeeded and did not register version {entry['version']} of its leaderboard"
                yield Difference("effect_missing", f"job {job_id}", found, _HINT)


def _models(session: Session) -> Iterator[Difference]:
    models = (
        select(RegistryRow.version, JobRow.id, JobRow.kind, JobRow.status)
        .join(JobRow, JobRow.id == RegistryRow.job_id)
        .where(or_(JobRow.kind != Kind.TRAIN, JobRow.status != State.SUCCEEDED))
    )
    for row in session.execute(models):
        found = f"it is of the {row.kind} job {row.id}, which is {row.status}"
        yield Difference("effect_unexpected", f"version {row.version}", found, _HINT)


def _promotions(session: Session) -> Iterator[Difference]:
    jobs = session.execute(
        select(JobRow.id, JobRow.result).where(JobRow.kind == Kind.PROMOTE, JobRow.status == State.SUCCEEDED)
    ).all()
    # In this order: what was promoted is deployed, until it is erased with its job.
    deployed = {(row.version, row.stage) for row in session.execute(select(DeploymentRow.version, DeploymentRow.stage))}
    erased = set(session.scalars(select(JobRow.id).where(JobRow.kind == Kind.PROMOTE, JobRow.erased_at.is_not(None))))
    for job_id, result in jobs:
        named = ((result or {}).get("version"), (result or {}).get("stage"))
        if named not in deployed and job_id not in erased:
            found = f"it succeeded, and version {named[0]} never was in {named[1]}"
            yield Difference("effect_missing", f"job {job_id}", found, _HINT)


def _predictions(session: Session) -> Iterator[Difference]:
    succeeded = (JobRow.kind == Kind.PREDICT, JobRow.status == State.SUCCEEDED)
    jobs = (
        select(JobRow.id)
        .outerjoin(PredictionOutputRow, PredictionOutputRow.job_id == JobRow.id)
        .where(*succeeded, JobRow.erased_at.is_(None), PredictionOutputRow.job_id.is_(None))
    )
    for job_id in session.scalars(jobs):
        yield Difference("effect_missing", f"job {job_id}", "it succeeded and has no output", _HINT)
    outputs = select(PredictionOutputRow.object_key, JobRow.kind, JobRow.id, JobRow.status).join(
        JobRow, JobRow.id == PredictionOutputRow.job_id
    )
    for row in session.execute(outputs.where(not_(and_(*succeeded)))):
        found = f"it is of the {row.kind} job {row.id}, which is {row.status}"
        yield Difference("effect_unexpected", f"output {row.object_key}", found, _HINT)


def _compilations(session: Session) -> Iterator[Difference]:
    version = JobRow.result["version"].as_integer()
    jobs = (
        select(JobRow.id, version)
        .outerjoin(CompilationRow, CompilationRow.version == version)
        .where(JobRow.kind == Kind.COMPILE, JobRow.status == State.SUCCEEDED)
        .where(JobRow.erased_at.is_(None), CompilationRow.version.is_(None))
    )
    for job_id, unnoted in session.execute(jobs):
        found = f"it succeeded and noted nothing of version {unnoted}"
        yield Difference("effect_missing", f"job {job_id}", found, _HINT)
