"""The work of a compile job: fetch model and table, have the compiled form made and compared, give it to the model."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from shared.datasets.rows import DatasetVersionRow
from shared.errors import ArtifactCorrupt, UnreadableRequest
from shared.estimators.signature import Signature
from shared.hashing import digest_of
from shared.jobs.rows import JobRow
from shared.registry import artifact
from shared.registry.compiling import CompilePlan, PlannedForm, give_forms, plan_forms
from shared.registry.copying import put_file, remove_damaged
from shared.registry.model_memory import check_model_memory
from shared.registry.sealing import Seal, check_seal, reseal
from shared.tables.columns import Column
from shared.tables.reading import Reading
from shared.training.spec import TrainingSpec, read_stored
from worker.attempt import Attempt, Effect
from worker.compute import compute
from worker.fetching import fetch_table, find_table
from worker.handover import COMPILE_FILE, FORM_FILE, MODEL_FILE, CompileFacts, CompileWork, Outcome, read_facts
from worker.own_estimators import own_of


class CompileRequest(BaseModel):
    """What was accepted, as this release understands it."""

    model_config = ConfigDict(strict=True)

    # The largest number that the column takes.
    version: int = Field(ge=1, le=2**31 - 1)


def run(attempt: Attempt) -> Effect:
    """Do everything up to the commit; the effect is a compiled form beside each artifact that has no whole one."""
    runtime, version = attempt.runtime, _read(attempt).version
    with runtime.database.read() as session:
        plan = plan_forms(session, version)
        trained_by = read_stored(session.get_one(JobRow, plan.registered.job_id).request)
    wanted = [planned for planned in plan.forms if not _is_whole(attempt, planned)]
    if not wanted:
        return lambda _session: _result(version, [], compiled=True, detail="It has its compiled form.")
    source = find_table(attempt)
    fetch_table(attempt, source)
    _fetch_model(attempt, plan)
    _hand_over(attempt, plan, trained_by.candidates[plan.registered.candidate - 1], source)
    compute(attempt)
    facts = read_facts(attempt.folder, Outcome[CompileFacts])
    attempt.show(95, "storing")
    made = _store(attempt, wanted, facts) if facts.compilation.compiled else {}

    def give(session: Session) -> dict[str, object]:
        stages = give_forms(session, version, facts.compilation, wanted, made)
        return _result(version, stages, compiled=facts.compilation.compiled, detail=facts.compilation.detail)

    return give


def success_line(result: dict[str, Any]) -> str:
    """Where the compiled form answers now, or why there is none."""
    if not result["stages"]:
        return str(result["detail"])
    return f"version {result['version']} answers by its compiled form in {', '.join(result['stages'])}"


def _result(version: int, stages: list[str], *, compiled: bool, detail: str) -> dict[str, object]:
    return {"version": version, "compiled": compiled, "detail": detail, "stages": stages}


def _read(attempt: Attempt) -> CompileRequest:
    try:
        return CompileRequest.model_validate(attempt.claim.request)
    except ValidationError:
        raise UnreadableRequest("The job was accepted by another version of the platform. Send it again.") from None


def _fetch_model(attempt: Attempt, plan: CompilePlan) -> None:
    """Copy the model to the private folder, checked against registry and seal: the computing process has no key."""
    attempt.check()
    runtime, source = attempt.runtime, plan.forms[0].beside
    artifact.fetch(runtime.store, runtime.settings, runtime.key, source, attempt.folder / MODEL_FILE)
    attempt.say(f"fetched {source.artifact_path} and verified it against digest and seal")
    attempt.check()


def _hand_over(attempt: Attempt, plan: CompilePlan, spec: TrainingSpec, source: DatasetVersionRow) -> None:
    model = plan.forms[0].beside
    work = CompileWork(
        version=model.version,
        spec=spec,
        own=own_of(attempt.runtime, [spec]),
        signature=Signature.model_validate(plan.registered.signature),
        model_sha256=model.seal.sha256,
        environment=dict(model.environment),
        reading=Reading.model_validate(source.reading),
        columns=[Column.model_validate(column) for column in source.columns],
        threads=attempt.threads,
    )
    (attempt.folder / COMPILE_FILE).write_text(work.model_dump_json(by_alias=True))


def _is_whole(attempt: Attempt, planned: PlannedForm) -> bool:
    """Whether a form is registered, and its file is the one that was."""
    if planned.stored is None:
        return False
    attempt.check()
    try:
        artifact.check_stored(attempt.runtime.store, attempt.runtime.settings, planned.stored)
        check_seal(attempt.runtime.key, planned.stored)
    except ArtifactCorrupt as error:
        attempt.say(error.detail)
        return False
    return True


def _store(attempt: Attempt, wanted: Sequence[PlannedForm], facts: CompileFacts) -> dict[str, Seal]:
    """Write the form under its fixed name in each stage; the same bytes may be there, from an earlier attempt."""
    runtime, file = attempt.runtime, attempt.folder / FORM_FILE
    # A model whose form takes too much memory may yet be served by a process of its own.
    check_model_memory(wanted[0].beside.version, facts.memory_bytes, runtime.settings)
    digest = digest_of(file)
    made = {}
    for planned in wanted:
        attempt.check()
        found = replace(planned.beside.seal, sha256=digest.sha256, size_bytes=digest.size_bytes)
        target = replace(planned.beside, artifact_path=planned.path, seal=found)
        target = replace(target, seal=reseal(runtime.key, target))
        if planned.stored is not None:
            remove_damaged(runtime.store, runtime.settings, planned.path)
        put_file(runtime.store, runtime.settings, runtime.key, target, file)
        attempt.say(f"stored {planned.path}, {digest.size_bytes:,} bytes")
        made[planned.path] = target.seal
    return made
