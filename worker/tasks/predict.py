"""The work of a predict job: fetch table and model, have the rows predicted, store the output, name it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from shared.datasets.rows import DatasetVersionRow
from shared.estimators.signature import Signature
from shared.fail_points import fail_point
from shared.hashing import digest_of
from shared.object_store.shelves import Shelf, bucket_of
from shared.prediction.batch_spec import BatchSpec
from shared.registry import artifact
from shared.registry.deployments import artifacts, not_active, read_artifact
from shared.registry.forms import form_beside
from shared.registry.outputs import StoredOutput, add_output, new_output_key
from shared.registry.rows import DeploymentRow
from shared.registry.sealing import Artifact
from shared.tables.columns import Column
from shared.tables.reading import Reading
from worker.attempt import Attempt, Effect
from worker.compute import compute
from worker.fetching import fetch_table, find_table
from worker.handover import (
    BATCH_FILE,
    FORM_FILE,
    MODEL_FILE,
    OUTPUT_FILE,
    BatchFacts,
    BatchWork,
    Outcome,
    read_facts,
)


def run(attempt: Attempt) -> Effect:
    """Do everything up to the commit; the effect is the row that names the output."""
    spec = BatchSpec.stored(attempt.claim.request)
    source, pinned = find_table(attempt), _find_model(attempt, spec)
    fetch_table(attempt, source)
    _fetch_model(attempt, pinned)
    _hand_over(attempt, spec, source, pinned)
    compute(attempt)
    facts = read_facts(attempt.folder, Outcome[BatchFacts])
    attempt.show(95, "storing")
    return _effect(attempt, spec, facts, _store(attempt, spec, facts))


def success_line(result: dict[str, Any]) -> str:
    """How many rows there are, and how many of them have no prediction."""
    failed = f", {result['errors']:,} of them with an error" if result["errors"] else ""
    return f"predicted by version {result['version']}: {result['rows']:,} rows{failed}"


@dataclass(frozen=True)
class _Pinned:
    artifact: Artifact
    form: Artifact | None
    signature: Signature
    estimator: str


def _find_model(attempt: Attempt, spec: BatchSpec) -> _Pinned:
    """The version that was pinned, also if it was retired since then."""
    newest = (
        artifacts()
        .where(DeploymentRow.version == spec.version, DeploymentRow.stage == spec.environment)
        .order_by(DeploymentRow.id.desc())
        .limit(1)
    )
    with attempt.runtime.database.read() as session:
        row = session.execute(newest).one_or_none()
        if row is None:
            raise not_active(session, spec.version, spec.environment)
        deployment, registered, _ = row
        found = read_artifact(*row)
        return _Pinned(
            found,
            form_beside(session, deployment.id, found),
            Signature.model_validate(registered.signature),
            registered.estimator.rpartition(".")[2],
        )


def _fetch_model(attempt: Attempt, pinned: _Pinned) -> None:
    """Copy the model to the private folder, checked against registry and seal: the computing process has no key."""
    attempt.check()
    runtime, loaded = attempt.runtime, pinned.form or pinned.artifact
    file = attempt.folder / (MODEL_FILE if pinned.form is None else FORM_FILE)
    artifact.fetch(runtime.store, runtime.settings, runtime.key, loaded, file)
    attempt.say(f"fetched {loaded.artifact_path} and verified it against digest and seal")
    attempt.check()


def _hand_over(attempt: Attempt, spec: BatchSpec, source: DatasetVersionRow, pinned: _Pinned) -> None:
    work = BatchWork(
        spec=spec,
        signature=pinned.signature,
        estimator=pinned.estimator,
        model_sha256=pinned.artifact.seal.sha256,
        environment=dict(pinned.artifact.environment),
        reading=Reading.model_validate(source.reading),
        columns=[Column.model_validate(column) for column in source.columns],
        rows=source.rows,
        threads=attempt.threads,
    )
    (attempt.folder / BATCH_FILE).write_text(work.model_dump_json(by_alias=True))


def _store(attempt: Attempt, spec: BatchSpec, facts: BatchFacts) -> StoredOutput:
    """Write the output under a key that no other attempt can have."""
    runtime, claim = attempt.runtime, attempt.claim
    sha256, size_bytes = digest_of(attempt.folder / OUTPUT_FILE)
    key = new_output_key(claim.dataset_name, claim.job_id, claim.epoch, spec.format)
    attempt.check()
    fail_point("put.before")
    bucket = bucket_of(Shelf.PREDICTIONS, runtime.settings)
    runtime.store.put_new(bucket, key, attempt.folder / OUTPUT_FILE, sha256=sha256)
    fail_point("put.after")
    attempt.say(f"stored the output as {key}, {size_bytes:,} bytes")
    return StoredOutput(key, sha256, size_bytes, facts.rows, facts.errors)


def _effect(attempt: Attempt, spec: BatchSpec, facts: BatchFacts, output: StoredOutput) -> Effect:
    def add(session: Session) -> dict[str, object]:
        add_output(session, attempt.claim.job_id, attempt.claim.epoch, version=spec.version, output=output)
        return {
            "version": spec.version,
            "target": spec.target,
            "rows": output.rows,
            "errors": output.errors,
            "output": output.object_key,
            "size_bytes": output.size_bytes,
            "warnings": facts.warnings,
        }

    return add
