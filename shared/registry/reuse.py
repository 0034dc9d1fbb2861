"""Trainings that need not be done again: request, table and libraries are the same, and the model is there."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.errors import UnreadableRequest
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State
from shared.registry.rows import DeploymentRow, PinRow, RegistryRow
from shared.training.pin import Pin, installed_instead
from shared.training.plan import RECIPE
from shared.training.spec import JobSpec, read_stored

# Of trainings before these, the libraries are others now, or nobody means them.
_MOST_LOOKED_AT = 200


def finished_alike(session: Session, spec: JobSpec, dataset_version_id: int) -> JobRow | None:
    """The newest training of the same that succeeded; None where there is none that can stand for another one.

    Its models must all be there, made by what is installed here, and the one of its result active in a stage.
    """
    jobs = select(JobRow).where(
        JobRow.dataset_version_id == dataset_version_id,
        JobRow.kind == Kind.TRAIN,
        JobRow.status == State.SUCCEEDED,
        JobRow.erased_at.is_(None),
    )
    wanted = spec.to_store()
    for job in session.scalars(jobs.order_by(JobRow.created_at.desc(), JobRow.id).limit(_MOST_LOOKED_AT)):
        if _asks_the_same(job, wanted) and _is_there(session, job):
            return job
    return None


def _asks_the_same(job: JobRow, wanted: dict[str, object]) -> bool:
    try:
        # What an older release left out gets its default.
        return read_stored(job.request).to_store() == wanted
    except UnreadableRequest:
        return False


def _is_there(session: Session, job: JobRow) -> bool:
    result = job.result or {}
    made = {entry["version"] for entry in result.get("leaderboard") or [result]}
    models = select(RegistryRow.version, PinRow.pin).outerjoin(PinRow, PinRow.version == RegistryRow.version)
    pins: dict[int, Any] = {row.version: row.pin for row in session.execute(models.filter_by(job_id=job.id))}
    active = select(DeploymentRow.id).where(
        DeploymentRow.version == result.get("version"), DeploymentRow.retired_at.is_(None)
    )
    if set(pins) != made or session.scalars(active.limit(1)).first() is None:
        return False
    return all(pin is not None and _is_of_now(Pin.model_validate(pin)) for pin in pins.values())


def _is_of_now(pin: Pin) -> bool:
    return pin.recipe == RECIPE and not installed_instead(pin.libraries)
