"""The smallest rows that a registered model needs, for tests of what is around them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from shared.audit.chain import NOTHING
from shared.audit.rows import AuditHeadRow
from shared.counters import CounterRow
from shared.database import Database
from shared.datasets.rows import DatasetRow, DatasetVersionRow, VersionState
from shared.estimators.signature import Signature
from shared.registry.naming import artifact_name
from shared.registry.promotion import Copied
from shared.registry.sealing import Seal
from shared.registry.versions import register
from shared.schema import metadata
from shared.training.facts import ModelFacts

STAGES = ("dev", "staging")
SEAL = Seal(sha256="0" * 64, size_bytes=1, hmac="0" * 64, hmac_key_id="test")
COPIED = Copied(SEAL, None)


@dataclass(frozen=True)
class Data:
    """One dataset with one ready version."""

    dataset_id: int
    version_id: int


def clean(database: Database) -> Data:
    """Empty all tables, set the counters back and insert one dataset: much faster than a new database."""
    with database.write() as session:
        for table in reversed(metadata.sorted_tables):
            if table.name not in {CounterRow.__tablename__, AuditHeadRow.__tablename__}:
                session.execute(delete(table))
        session.execute(update(CounterRow).values(value=0))
        session.execute(update(AuditHeadRow).values(count=0, last_hash=NOTHING, key_id="", seal=""))
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
        reading={"format": "csv"},
        sha256="0" * 64,
        size_bytes=1,
        rows=1,
        columns=[],
    )
    session.add(version)
    session.flush()
    return Data(dataset.id, version.id)


FACTS = ModelFacts(
    estimator="dummy.DummyClassifier",
    parameters={},
    metrics={},
    signature=Signature(inputs=[], target="target", task="classification", classes=["a"], numeric=True),
    report={},
    environment={},
)


def register_model(
    session: Session, data: Data, *, version: int, job_id: UUID, candidate: int = 1
) -> dict[str, object]:
    """The effect of a train job whose model nobody will load, and the job's result."""
    artifact_path = artifact_name("iris", STAGES[0], version)
    register(
        session,
        version=version,
        job_id=job_id,
        candidate=candidate,
        dataset_id=data.dataset_id,
        dataset_version_id=data.version_id,
        stage=STAGES[0],
        artifact_path=artifact_path,
        seal=SEAL,
        facts=FACTS,
        actor="test",
    )
    return {"version": version, "stage": STAGES[0], "artifact_path": artifact_path}
