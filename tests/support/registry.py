"""The smallest rows that a registered model needs, for tests of what is around them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from shared.database import Database
from shared.datasets.rows import DatasetRow, DatasetVersionRow, VersionState
from shared.jobs.rows import CounterRow
from shared.registry.rows import DeploymentRow, RegistryRow
from shared.tables import metadata


class AlreadyActive(Exception):
    """The version is active in that stage."""


@dataclass(frozen=True)
class Data:
    """One dataset with one ready version."""

    dataset_id: int
    version_id: int


def clean(database: Database) -> Data:
    """Empty all tables, set the counters back and insert one dataset: much faster than a new database."""
    with database.write() as session:
        for table in reversed(metadata.sorted_tables):
            if table.name != CounterRow.__tablename__:
                session.execute(delete(table))
        session.execute(update(CounterRow).values(value=0))
        return insert_dataset(session)


def insert_dataset(session: Session, name: str = "iris") -> Data:
    """A dataset whose file nobody will read."""
    dataset = DatasetRow(name=name, location=f"datasets/{name}")
    session.add(dataset)
    session.flush()
    version = DatasetVersionRow(
        dataset_id=dataset.id,
        number=1,
        state=VersionState.READY,
        object_key=name,
        format="csv",
        reading={},
        sha256="0" * 64,
        size_bytes=1,
        rows=1,
        columns=[],
    )
    session.add(version)
    session.flush()
    return Data(dataset.id, version.id)


def register(session: Session, data: Data, *, version: int, job_id: UUID) -> None:
    """The effect of a train job: a registry row and its deployment in the first stage."""
    session.add(
        RegistryRow(
            version=version,
            dataset_id=data.dataset_id,
            dataset_version_id=data.version_id,
            job_id=job_id,
            stage="dev",
            artifact_path=f"iris_model_dev_v{version}.pkl",
            estimator="dummy.DummyClassifier",
            parameters={},
            metrics={},
            signature={},
            report={},
            environment={},
        )
    )
    session.flush()
    deploy(session, data, version=version, stage="dev")


def deploy(session: Session, data: Data, *, version: int, stage: str) -> None:
    """The effect of a promote job.

    Raises:
        AlreadyActive: when the version is active in that stage.
    """
    active = select(DeploymentRow.id).where(
        DeploymentRow.version == version, DeploymentRow.stage == stage, DeploymentRow.retired_at.is_(None)
    )
    if session.scalars(active).one_or_none() is not None:
        raise AlreadyActive
    session.add(
        DeploymentRow(
            version=version,
            dataset_id=data.dataset_id,
            stage=stage,
            artifact_path=f"iris_model_{stage}_v{version}.pkl",
            sha256="0" * 64,
            size_bytes=1,
            hmac="0" * 64,
            hmac_key_id="test",
            created_by="test",
        )
    )
    session.flush()
