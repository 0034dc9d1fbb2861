"""The work of a train job: fetch the table, have it computed, stage the artifacts, register all versions at once."""

from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from shared.datasets.rows import DatasetVersionRow
from shared.errors import (
    ArtifactConflict,
    ModelTooLarge,
)
from shared.fail_points import fail_point
from shared.hashing import digest_of
from shared.jobs.limits import limits_of
from shared.logging import get_logger
from shared.object_store import ObjectExists
from shared.registry.forms import FormFile
from shared.registry.model_memory import check_size
from shared.registry.naming import file_names
from shared.registry.notes import write_on
from shared.registry.past_fits import expected_fit_seconds
from shared.registry.sealing import seal
from shared.registry.versions import register, take_model_version
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.tables.reading import Reading
from shared.training.spec import ContestSpec, JobSpec, read_stored
from worker.attempt import ACTOR, Attempt, Effect
from worker.compute import compute
from worker.contest import Contest, StagedModel
from worker.fetching import fetch_table, find_table
from worker.handover import (
    FORM_FILE,
    MODEL_FILE,
    WORK_FILE,
    FittedCandidate,
    Outcome,
    TrainFacts,
    Work,
    file_of,
    read_facts,
)
from worker.own_estimators import own_of

log = get_logger(__name__)

# More versions than a restored backup has forgotten; the search has to end.
_MOST_FORGOTTEN = 1000


def run(attempt: Attempt) -> Effect:
    """Do everything up to the commit; the effect are the new versions in the first stage, the best one the highest."""
    spec = read_stored(attempt.claim.request)
    source = find_table(attempt)
    fetch_table(attempt, source)
    _hand_over(attempt, spec, source)
    compute(attempt, expected_fit_seconds=_expected_seconds(attempt, spec, source))
    facts = read_facts(attempt.folder, Outcome[TrainFacts])
    attempt.show(95, "storing")
    staged = [_stage(attempt, fitted) for fitted in reversed(facts.fitted)]
    return _effect(attempt, spec, source, Contest(staged[::-1], facts.failed, ranked=isinstance(spec, ContestSpec)))


def success_line(result: dict[str, Any]) -> str:
    """Under which version the model is registered, or each of several."""
    board = result.get("leaderboard")
    if board is None:
        return f"registered as version {result['version']}"
    told = ", ".join(f"{entry['rank']}. {entry['estimator']} as version {entry['version']}" for entry in board)
    return f"registered, the best first: {told}"


def _hand_over(attempt: Attempt, spec: JobSpec, source: DatasetVersionRow) -> None:
    work = Work(
        candidates=spec.candidates,
        ranked=isinstance(spec, ContestSpec),
        own=own_of(attempt.runtime, spec.candidates),
        reading=Reading.model_validate(source.reading),
        columns=[Column.model_validate(column) for column in source.columns],
        rows=source.rows,
        findings=[Finding.model_validate(finding) for finding in source.findings],
        threads=attempt.threads,
        seconds=limits_of(attempt.claim.limits, attempt.runtime.settings).seconds,
        folds=attempt.runtime.settings.folds,
        # In batches, each one follows from the model of those before it.
        cluster=None if spec.candidates[0].batches is not None else attempt.runtime.cluster(),
    )
    (attempt.folder / WORK_FILE).write_text(work.model_dump_json(by_alias=True))


def _expected_seconds(attempt: Attempt, spec: JobSpec, source: DatasetVersionRow) -> list[float | None]:
    try:
        with attempt.runtime.database.read() as session:
            return [expected_fit_seconds(session, candidate, source) for candidate in spec.candidates]
    except Exception:
        # It is only for a percentage, so no attempt ends for it.
        log.warning("fit_not_estimated", exc_info=True)
        return []


def _take_version(attempt: Attempt) -> int:
    attempt.check()
    with attempt.runtime.database.write() as session:
        return take_model_version(session, attempt.claim)


def _stage(attempt: Attempt, fitted: FittedCandidate) -> StagedModel:
    """Write the files under names that no other attempt can have: their version was taken for it."""
    stage, facts = attempt.runtime.settings.stages[0], fitted.facts
    files = [attempt.folder / file_of(fitted.candidate, MODEL_FILE)]
    if facts.compilation is not None and facts.compilation.compiled:
        files.append(attempt.folder / file_of(fitted.candidate, FORM_FILE))
    digests = [digest_of(file) for file in files]
    version = _put(attempt, stage, files, [digest.sha256 for digest in digests])
    paths = file_names(attempt.claim.dataset_name, stage, version)
    sealed = [
        seal(
            attempt.runtime.key,
            dataset_name=attempt.claim.dataset_name,
            stage=stage,
            version=version,
            job_id=attempt.claim.job_id,
            artifact_path=path,
            sha256=digest.sha256,
            size_bytes=digest.size_bytes,
            environment=facts.environment,
        )
        for path, digest in zip(paths, digests, strict=False)
    ]
    for path, each in zip(paths, sealed, strict=False):
        attempt.say(f"stored {path}, {each.size_bytes:,} bytes")
    # The last one is what is loaded for predictions.
    _say_if_too_large(attempt, version, sealed[-1].size_bytes)
    form = FormFile(paths[1], sealed[1]) if len(sealed) > 1 else None
    return StagedModel(version, stage, paths[0], sealed[0], form, fitted)


def _say_if_too_large(attempt: Attempt, version: int, size_bytes: int) -> None:
    """Tell of a model that can be downloaded but neither served nor promoted; the work of a fit is not thrown away."""
    try:
        check_size(version, size_bytes, attempt.runtime.settings)
    except ModelTooLarge as error:
        attempt.say(f"warning: {error.detail}")


def _put(attempt: Attempt, stage: str, files: list[Path], digests: list[str]) -> int:
    """Store the files under the next version whose names are free.

    A name is taken where the database was restored from a backup and the store was not: it has models of versions that
    the database has forgotten. Their numbers are left out.
    """
    runtime = attempt.runtime
    for _ in range(_MOST_FORGOTTEN):
        version = _take_version(attempt)
        paths = file_names(attempt.claim.dataset_name, stage, version)
        attempt.check()
        fail_point("put.before")
        try:
            for path, file, sha256 in zip(paths, files, digests, strict=False):
                runtime.store.put_new(runtime.settings.models_bucket, path, file, sha256=sha256)
        except ObjectExists:
            log.warning("version_left_out", version=version, artifact_path=paths[0])
            attempt.say(f"left version {version} out: the store has another model of that name")
            continue
        fail_point("put.after")
        return version
    raise ArtifactConflict(f"The store already has another artifact named '{paths[0]}', and many more. Train again.")


def _effect(attempt: Attempt, spec: JobSpec, source: DatasetVersionRow, contest: Contest) -> Effect:
    def add(session: Session) -> dict[str, object]:
        for staged in contest.best_first:
            register(
                session,
                version=staged.version,
                job_id=attempt.claim.job_id,
                candidate=staged.fitted.candidate,
                dataset_id=source.dataset_id,
                dataset_version_id=source.id,
                stage=staged.stage,
                artifact_path=staged.path,
                seal=staged.seal,
                form=staged.form,
                facts=staged.fitted.facts,
                actor=ACTOR,
            )
            write_on(session, staged.version, tags=spec.tags, note=spec.note)
        return contest.result()

    return add
