"""All that is left of a run when it is over: what clients wrote down, the rows, the objects."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared.counters import CounterRow
from shared.database import Base, Database
from shared.datasets.rows import DatasetRow, DatasetVersionRow
from shared.jobs.rows import IdempotencyKeyRow, JobEventRow, JobLogRow, JobRow
from shared.object_store import ObjectEntry, ObjectMissing, ObjectStore
from shared.object_store.shelves import buckets_of
from shared.registry.outputs import PredictionOutputRow
from shared.registry.rows import CompiledFormRow, DeploymentRow, RegistryRow
from shared.registry.sealing import KEY_FILE
from shared.settings import Settings
from tests.support.chaos.journal import Journal
from tests.support.chaos.network import PLANTED

Row = TypeVar("Row", bound=Base)
_READERS = 4


@dataclass(frozen=True)
class Stored:
    """An object as its bytes are."""

    size: int
    sha256: str
    modified: datetime


@dataclass
class History:
    """What the invariants are about."""

    settings: Settings
    journal: Journal = field(default_factory=Journal)
    jobs: dict[UUID, JobRow] = field(default_factory=dict)
    # Of each job, in their order.
    events: dict[UUID, list[JobEventRow]] = field(default_factory=dict)
    # What each epoch of a job said to people.
    lines: dict[tuple[UUID, int], list[str]] = field(default_factory=dict)
    registry: list[RegistryRow] = field(default_factory=list)
    deployments: list[DeploymentRow] = field(default_factory=list)
    outputs: list[PredictionOutputRow] = field(default_factory=list)
    forms: list[CompiledFormRow] = field(default_factory=list)
    dataset_names: dict[int, str] = field(default_factory=dict)
    dataset_versions: list[DatasetVersionRow] = field(default_factory=list)
    keys: list[IdempotencyKeyRow] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    # By bucket and key.
    objects: dict[tuple[str, str], Stored] = field(default_factory=dict)
    # Whether the collector has had its time with them.
    collected: bool = False
    # Whether nobody was killed and nobody stood still: then nothing crashed.
    calm: bool = False
    # What the database says of itself; "ok" when nothing is wrong.
    integrity: list[str] = field(default_factory=lambda: ["ok"])
    # Words that no client may be told.
    secrets: frozenset[str] = frozenset()


def read_history(journal: Journal, settings: Settings, database: Database, store: ObjectStore) -> History:
    """Read everything; nothing but a collector should run any more that changes it."""
    with database.read() as session:
        history = History(settings, journal)
        history.jobs = {job.id: job for job in _all(session, JobRow)}
        for event in sorted(_all(session, JobEventRow), key=lambda event: event.seq):
            history.events.setdefault(event.job_id, []).append(event)
        for line in sorted(_all(session, JobLogRow), key=lambda line: line.seq):
            history.lines.setdefault((line.job_id, line.epoch), []).append(line.text)
        history.registry = _all(session, RegistryRow)
        history.deployments = sorted(_all(session, DeploymentRow), key=lambda row: row.id)
        history.outputs = _all(session, PredictionOutputRow)
        history.forms = _all(session, CompiledFormRow)
        history.dataset_names = {row.id: row.name for row in _all(session, DatasetRow)}
        history.dataset_versions = _all(session, DatasetVersionRow)
        history.keys = _all(session, IdempotencyKeyRow)
        history.counters = {row.name: row.value for row in _all(session, CounterRow)}
        if session.get_bind().dialect.name == "sqlite":
            history.integrity = [str(line) for line in session.scalars(text("PRAGMA integrity_check"))]
    for bucket in buckets_of(settings):
        history.objects |= _objects(store, bucket)
    history.secrets = _secrets(settings)
    return history


def _all(session: Session, row: type[Row]) -> list[Row]:
    return list(session.scalars(select(row)))


def _objects(store: ObjectStore, bucket: str) -> dict[tuple[str, str], Stored]:
    def read(entry: ObjectEntry) -> Stored | None:
        # The bytes count, not what the store says about them.
        try:
            with store.open(bucket, entry.key) as file:
                data = file.read()
        except ObjectMissing:
            # A collector has deleted it since; if a row names it, that shows as well.
            return None
        return Stored(len(data), hashlib.sha256(data).hexdigest(), entry.modified)

    entries: Sequence[ObjectEntry] = list(store.list(bucket))
    with ThreadPoolExecutor(_READERS) as pool:
        found = zip(entries, pool.map(read, entries), strict=True)
        return {(bucket, entry.key): stored for entry, stored in found if stored is not None}


def _secrets(settings: Settings) -> frozenset[str]:
    found = {value.get_secret_value() for _, value in settings if isinstance(value, SecretStr)}
    key = settings.home / KEY_FILE
    if key.exists():
        found.add(key.read_text().strip())
    return frozenset({*found, PLANTED, str(settings.home)})
