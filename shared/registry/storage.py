"""How much of the object store is a user's: what their uploads, their models and their predictions take."""

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import Session

from shared.accounts.sight import whole
from shared.datasets.rows import DatasetVersionRow
from shared.jobs.rows import JobRow
from shared.registry.outputs import PredictionOutputRow
from shared.registry.rows import CompiledFormRow, DeploymentRow, RegistryRow


def stored_bytes(session: Session, owner: str) -> int:
    """The sizes of all files that are there because of a user, in bytes.

    These are versions of datasets, also of archived ones and of uploads under way, models in each stage with their
    compiled forms, and outputs that were not removed because of their age. A file that two rows name counts once.
    """
    uploads = select(func.sum(DatasetVersionRow.size_bytes).label("bytes")).where(DatasetVersionRow.owner == owner)
    outputs = select(func.sum(PredictionOutputRow.size_bytes)).join(JobRow, JobRow.id == PredictionOutputRow.job_id)
    outputs = outputs.where(JobRow.share == owner, PredictionOutputRow.removed_at.is_(None))
    each = union_all(uploads, outputs, _models(owner), _forms(owner)).subquery()
    with whole(session):
        return int(session.execute(select(func.coalesce(func.sum(each.c.bytes), 0))).scalar_one())


def _models(owner: str) -> Select[int]:
    path, size = DeploymentRow.artifact_path, func.max(DeploymentRow.size_bytes).label("bytes")
    files = select(size).select_from(DeploymentRow).join(RegistryRow, RegistryRow.version == DeploymentRow.version)
    files = files.join(JobRow, JobRow.id == RegistryRow.job_id).where(JobRow.share == owner).group_by(path)
    return select(func.sum(files.subquery().c.bytes))


def _forms(owner: str) -> Select[int]:
    path, size = CompiledFormRow.form_path, func.max(CompiledFormRow.size_bytes).label("bytes")
    files = select(size).join(DeploymentRow, DeploymentRow.id == CompiledFormRow.deployment_id)
    files = files.join(RegistryRow, RegistryRow.version == DeploymentRow.version)
    files = files.join(JobRow, JobRow.id == RegistryRow.job_id).where(JobRow.share == owner).group_by(path)
    return select(func.sum(files.subquery().c.bytes))
