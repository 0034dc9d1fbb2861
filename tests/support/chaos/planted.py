"""A short history written by hand, in which everything is as it should be."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.datasets.rows import DatasetVersionRow, VersionState
from shared.jobs.rows import IdempotencyKeyRow, JobEventRow, JobRow
from shared.jobs.states import Kind, State
from shared.registry.naming import artifact_name
from shared.registry.rows import DeploymentRow, RegistryRow
from shared.settings import Settings
from tests.support.chaos.history import History, Stored
from tests.support.chaos.journal import Call, Journal

DATASET = "iris"
DATA_KEY = "iris/1"
TRAINED, PROMOTED, CANCELLED = UUID(int=1), UUID(int=2), UUID(int=3)
_BYTES = b"a model"
_DIGEST = hashlib.sha256(_BYTES).hexdigest()
# Nothing here is younger than this, in seconds.
START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """A moment of the history; the monotonic clock of its calls has the same numbers."""
    return START + timedelta(seconds=seconds)


def clean(settings: Settings) -> History:
    """A train, its promotion and a cancelled train, asked for by keys, and predictions."""
    history = History(settings, Journal(only_with_keys=True, _monotonic=0.0, _wall=START))
    history.dataset_names = {1: DATASET}
    history.counters = {"model_version": 1}
    history.secrets = frozenset({"a-secret-word"})
    history.dataset_versions = [
        DatasetVersionRow(
            id=1, dataset_id=1, state=VersionState.READY, object_key=DATA_KEY, sha256=_DIGEST, size_bytes=len(_BYTES)
        )
    ]
    put(history, settings.datasets_bucket, DATA_KEY)
    add_job(history, TRAINED, Kind.TRAIN, [State.RUNNING, State.SUCCEEDED], since=0, version=1, stage="dev")
    add_job(history, PROMOTED, Kind.PROMOTE, [State.RUNNING, State.SUCCEEDED], since=10, version=1, stage="staging")
    add_job(history, CANCELLED, Kind.TRAIN, [State.CANCELLED], since=20)
    history.registry = [
        RegistryRow(version=1, job_id=TRAINED, stage="staging", artifact_path=artifact_name(DATASET, "staging", 1))
    ]
    deploy(history, 1, "dev", since=2)
    deploy(history, 1, "staging", since=12)
    history.journal.add(prediction(1, "staging", began=30))
    return history


def add_job(
    history: History,
    job_id: UUID,
    kind: Kind,
    path: list[State],
    *,
    since: float,
    version: int | None = None,
    stage: str = "",
) -> JobRow:
    """A job that was asked for by a key and went from queued along a path, a state each second."""
    events, epoch = [event(job_id, 1, None, State.QUEUED, epoch=0, seconds=since)], 0
    for number, state in enumerate(path, 2):
        epoch += state == State.RUNNING
        before = State(events[-1].to_state)
        events.append(event(job_id, number, before, state, epoch=epoch, seconds=since + number - 1))
    result = None if version is None else {"version": version, "stage": stage}
    job = JobRow(id=job_id, kind=kind, status=path[-1], epoch=epoch, crash_count=0, result=result, error=None)
    history.jobs[job_id], history.events[job_id] = job, events
    key = f"key-{job_id}"
    history.keys.append(IdempotencyKeyRow(principal="anonymous", key=key, job_id=job_id))
    post = "/train" if kind == Kind.TRAIN else "/promote"
    history.journal.add(call("POST", post, {"job_id": str(job_id)}, status=202, key=key, began=since))
    ended = {"job_id": str(job_id), "status": path[-1], "result": result}
    history.journal.add(call("GET", f"/jobs/{job_id}", ended, began=since + 3))
    return job


def event(
    job_id: UUID, seq: int, before: State | None, after: State, *, epoch: int, seconds: float, actor: str = "worker-1"
) -> JobEventRow:
    """One transition; a claim has a lease of ten seconds."""
    lease = at(seconds + 10) if after == State.RUNNING else None
    return JobEventRow(
        job_id=job_id,
        seq=seq,
        from_state=before,
        to_state=after,
        epoch=epoch,
        actor=actor,
        at=at(seconds),
        lease_until=lease,
    )


def deploy(history: History, version: int, stage: str, *, since: float) -> DeploymentRow:
    """A version that is active in a stage, with its object."""
    path = artifact_name(DATASET, stage, version)
    row = DeploymentRow(
        id=len(history.deployments) + 1,
        version=version,
        dataset_id=1,
        stage=stage,
        artifact_path=path,
        sha256=_DIGEST,
        size_bytes=len(_BYTES),
        created_at=at(since),
        retired_at=None,
    )
    history.deployments.append(row)
    put(history, history.settings.models_bucket, path)
    return row


def put(history: History, bucket: str, key: str) -> None:
    """An object."""
    history.objects[bucket, key] = Stored(len(_BYTES), _DIGEST, at(0))


def prediction(version: int, environment: str, *, began: float, label: str = "setosa") -> Call:
    """A prediction that took a tenth of a second."""
    body = {"dataset_name": DATASET, "environment": environment, "input_data": {"features": [[1.0]]}}
    answer = {"dataset_name": DATASET, "environment": environment, "version": version, "predictions": [label]}
    return call("POST", "/predict", answer, body=body, began=began)


def call(
    method: str,
    path: str,
    answer: Any,
    *,
    status: int = 200,
    body: Any = None,
    key: str | None = None,
    began: float = 0.0,
    text: str = "",
) -> Call:
    """A call that took a tenth of a second."""
    return Call(method, path, body, key, began, began + 0.1, status, answer, text)
