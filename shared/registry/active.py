"""All versions that are active: those that a request can have an answer from."""

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.datasets.rows import DatasetRow
from shared.registry.rows import DeploymentRow


class ActiveModel(NamedTuple):
    """A version that is active in a stage."""

    dataset_name: str
    stage: str
    version: int


def active_models(session: Session, *, dataset_name: str | None = None, stage: str | None = None) -> list[ActiveModel]:
    """The active versions of a dataset or of all, in a stage or in all, by dataset and stage, the newest first."""
    query = (
        select(DatasetRow.name, DeploymentRow.stage, DeploymentRow.version)
        .join(DatasetRow, DatasetRow.id == DeploymentRow.dataset_id)
        .where(DeploymentRow.retired_at.is_(None))
        .order_by(DatasetRow.name, DeploymentRow.stage, DeploymentRow.version.desc())
    )
    if dataset_name is not None:
        query = query.where(DatasetRow.name == dataset_name)
    if stage is not None:
        query = query.where(DeploymentRow.stage == stage)
    return [ActiveModel(*row) for row in session.execute(query)]
