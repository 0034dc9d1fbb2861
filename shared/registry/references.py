"""Which objects are in use: a row names them, or a job may still name them."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from shared.counters import CounterRow
from shared.datasets.naming import is_object_key
from shared.datasets.rows import DatasetVersionRow
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State
from shared.object_store.shelves import Shelf
from shared.registry.naming import file_names, form_name, read_artifact_name
from shared.registry.outputs import named_outputs, read_output_key, writing_job
from shared.registry.rows import CompiledFormRow, DeploymentRow, RegistryRow


def is_ours(shelf: Shelf, key: str) -> bool:
    """Whether the platform may have made an object of that name."""
    match shelf:
        case Shelf.DATASETS:
            return is_object_key(key)
        case Shelf.MODELS:
            return bool(read_artifact_name(key))
        case Shelf.PREDICTIONS:
            return read_output_key(key) is not None


def named(session: Session, shelf: Shelf, keys: Collection[str]) -> set[str]:
    """Those of the keys that a row names, also one of an upload under way or of a retired deployment."""
    if shelf is Shelf.DATASETS:
        return set(session.scalars(select(DatasetVersionRow.object_key).where(DatasetVersionRow.object_key.in_(keys))))
    if shelf is Shelf.PREDICTIONS:
        return named_outputs(session, keys)
    deployed = select(DeploymentRow.artifact_path).where(DeploymentRow.artifact_path.in_(keys))
    registered = select(RegistryRow.artifact_path).where(RegistryRow.artifact_path.in_(keys))
    compiled = select(CompiledFormRow.form_path).where(CompiledFormRow.form_path.in_(keys))
    return set(session.scalars(deployed.union(registered, compiled)))


def is_claimed(session: Session, shelf: Shelf, key: str, *, by: Collection[Kind] = tuple(Kind)) -> bool:
    """Whether somebody may still come to name an object that no row names; only jobs of the kinds in `by` count.

    Ask before `named`: an attempt that ended in between has named it then. Uploads have their rows before their
    objects, so nobody claims an object of theirs. The key of an output is of one attempt, which no other ever names.
    """
    if shelf is Shelf.PREDICTIONS:
        return writing_job(session, key) is not None
    return shelf is Shelf.MODELS and (is_newer(session, key) or claiming_job(session, key, kinds=by) is not None)


def is_newer(session: Session, key: str) -> bool:
    """Whether an artifact is of a version that nobody has taken yet, as after a restore of the database alone."""
    taken = session.execute(select(CounterRow.value).where(CounterRow.name == "model_version")).scalar_one()
    return any(name.version > taken for name in read_artifact_name(key))


def claiming_job(session: Session, key: str, *, kinds: Collection[Kind] = tuple(Kind)) -> UUID | None:
    """A job that may have stored an artifact and not yet named it, or may find it stored already."""
    jobs = session.execute(
        select(JobRow.id, JobRow.kind, JobRow.status, JobRow.dataset_name, JobRow.request).where(
            JobRow.kind.in_(kinds),
            JobRow.status.in_([State.QUEUED, State.RUNNING]),
            JobRow.dataset_name.in_({name.dataset_name for name in read_artifact_name(key)}),
        )
    )
    for job in jobs:
        # Only the attempt knows which version a running training has taken. A queued training will take a new one.
        trains = job.kind == Kind.TRAIN and job.status == State.RUNNING
        if trains or _may_name(job, key):
            claiming: UUID = job.id
            return claiming
    return None


def _may_name(job: Row[UUID, str, str, str, dict[str, Any]], key: str) -> bool:
    """Whether a promotion or a compilation may come to name an object."""
    version = job.request.get("version")
    if not isinstance(version, int):
        return False
    if job.kind == Kind.PROMOTE:
        return key in file_names(job.dataset_name, str(job.request.get("target_stage")), version)
    # It names the forms in all stages in which the version is active at its end.
    return job.kind == Kind.COMPILE and any(
        key == form_name(job.dataset_name, name.stage, version) for name in read_artifact_name(key)
    )
