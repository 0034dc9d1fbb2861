"""Invariants of the model registry, the ledger of deployments and the object store."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from shared.datasets.rows import VersionState
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State
from tests.support.chaos.history import History


def one_effect_for_each_success(history: History) -> Iterator[str]:
    """I2: registry rows are the succeeded trains, deployments their births and the promotes, outputs the predicts."""
    registered = Counter(row.job_id for row in history.registry)
    trains = {job.id: job for job in history.jobs.values() if _succeeded(job, Kind.TRAIN)}
    for job_id in registered.keys() - trains.keys():
        yield f"job {job_id} registered a version and is no succeeded train"
    for job_id in trains:
        if registered[job_id] != 1:
            yield f"job {job_id} succeeded and registered {registered[job_id]} versions"
    for row in history.registry:
        if row.job_id in trains and (trains[row.job_id].result or {}).get("version") != row.version:
            yield f"job {row.job_id} registered version {row.version} and says another one"
    yield from _one_output_each(history)
    first = history.settings.stages[0]
    deployed = Counter((row.version, row.stage) for row in history.deployments)
    expected = Counter((row.version, first) for row in history.registry)
    promotes = [job.result or {} for job in history.jobs.values() if _succeeded(job, Kind.PROMOTE)]
    expected.update((result.get("version", 0), result.get("stage", "")) for result in promotes)
    for place in deployed.keys() | expected.keys():
        if deployed[place] != expected[place]:
            yield f"version {place[0]} came {deployed[place]} times into {place[1]}, of {expected[place]} jobs"


def versions_rise(history: History) -> Iterator[str]:
    """I3: versions are unique, rise in the order in which they were taken, and have gaps only where attempts died."""
    versions = sorted(row.version for row in history.registry)
    yield from (f"version {one} is registered twice" for one, other in pairwise(versions) if one == other)
    taken = history.counters.get("model_version", 0)
    if versions and versions[-1] > taken:
        yield f"version {versions[-1]} is registered, but only {taken} numbers were taken"
    died = _train_attempts(history) - len(versions)
    if taken - len(versions) > died:
        yield f"{taken} numbers were taken for {len(versions)} versions, but only {died} attempts came to nothing"
    # A number is taken between the claim and the commit of its attempt.
    spans = sorted((row.version, *_last_attempt(history, row.job_id)) for row in history.registry)
    latest_claim: tuple[datetime, int] | None = None
    for version, claimed, committed in spans:
        if latest_claim is not None and committed < latest_claim[0]:
            yield f"version {version} was committed before the attempt of version {latest_claim[1]} had begun"
        latest_claim = max(latest_claim or (claimed, version), (claimed, version))


def rows_have_their_objects(history: History) -> Iterator[str]:
    """I4: the object that a row names is there, with its size and its digest."""
    bucket = history.settings.models_bucket
    named = [(bucket, row.artifact_path, row.size_bytes, row.sha256) for row in history.deployments]
    named += [(bucket, row.form_path, row.size_bytes, row.sha256) for row in history.forms]
    outputs = [output for output in history.outputs if output.removed_at is None]
    predictions = history.settings.predictions_bucket
    named += [(predictions, output.object_key, output.size_bytes, output.sha256) for output in outputs]
    named += [
        (history.settings.datasets_bucket, data.object_key, data.size_bytes, data.sha256)
        for data in history.dataset_versions
        if data.state == VersionState.READY
    ]
    for place, key, size, sha256 in dict.fromkeys(named):
        stored = history.objects.get((place, key))
        if stored is None:
            yield f"'{key}' is named by a row and not in the store"
        elif (stored.size, stored.sha256) != (size, sha256):
            yield f"'{key}' has {stored.size} bytes, which are not those that its row names"
    paths = {row.artifact_path for row in history.deployments}
    yield from (
        f"version {row.version} has the artifact '{row.artifact_path}', which no deployment names"
        for row in history.registry
        if row.artifact_path not in paths
    )


def nothing_is_left_over(history: History) -> Iterator[str]:
    """I11: after the collection every object is named by a row. (That none is missing which a row names is I4.)"""
    if not history.collected:
        return
    models, datasets = history.settings.models_bucket, history.settings.datasets_bucket
    named = {(models, row.artifact_path) for row in history.deployments}
    named |= {(models, row.artifact_path) for row in history.registry}
    named |= {(models, row.form_path) for row in history.forms}
    named |= {(datasets, row.object_key) for row in history.dataset_versions}
    named |= {(history.settings.predictions_bucket, row.object_key) for row in history.outputs}
    for bucket, key in sorted(history.objects.keys() - named):
        yield f"'{key}' in {bucket} is named by no row and was not collected"


def one_active_deployment(history: History) -> Iterator[str]:
    """I8: a version is active at most once in a stage."""
    active = Counter((row.version, row.stage) for row in history.deployments if row.retired_at is None)
    for (version, stage), count in active.items():
        if count > 1:
            yield f"version {version} is active {count} times in {stage}"


def database_is_whole(history: History) -> Iterator[str]:
    """I14: the database finds no fault in itself."""
    yield from (line for line in history.integrity if line != "ok")


def _one_output_each(history: History) -> Iterator[str]:
    """The outputs are those of the succeeded batch predictions, made by their last attempts."""
    predicted = {job.id: job for job in history.jobs.values() if _succeeded(job, Kind.PREDICT)}
    made = {output.job_id: output for output in history.outputs}
    yield from (f"job {job_id} has an output and is no succeeded prediction" for job_id in made.keys() - predicted)
    yield from (f"job {job_id} succeeded and has no output" for job_id in predicted.keys() - made)
    for job_id in predicted.keys() & made:
        if made[job_id].epoch != predicted[job_id].epoch:
            yield f"the output of job {job_id} is of another attempt than the one that succeeded"
        if (predicted[job_id].result or {}).get("output") != made[job_id].object_key:
            yield f"job {job_id} has an output and says another one"


def _succeeded(job: JobRow, kind: Kind) -> bool:
    return job.kind == kind and job.status == State.SUCCEEDED


def _train_attempts(history: History) -> int:
    trains = (job.id for job in history.jobs.values() if job.kind == Kind.TRAIN)
    return sum(event.to_state == State.RUNNING for job_id in trains for event in history.events.get(job_id, []))


def _last_attempt(history: History, job_id: UUID) -> tuple[datetime, datetime]:
    """When it was claimed and when it was over."""
    events = history.events[job_id]
    claims = [event.at for event in events if event.to_state == State.RUNNING]
    return (claims or [events[0].at])[-1], events[-1].at
