"""`mlmini models compile`: has compiled forms made for models without one, by jobs of the platform on this machine."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rich.console import RenderableType

from cli.client.errors import FAILED, CommandFailed, Detached
from cli.client.hints import in_verbs
from cli.doctor.installation import database_here
from cli.render.output import Output
from cli.render.table import table
from cli.render.text import count
from shared.database import Database
from shared.errors import PlatformError, Unavailable
from shared.jobs.acceptance import find_job
from shared.jobs.states import TERMINAL, State
from shared.registry.compiling import ask_for_forms, plan_forms, untried
from shared.settings import load_settings

_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Wanted:
    """One version, and the job that makes its compiled form."""

    version: int
    job_id: UUID


def compile_models(versions: Sequence[int], *, detach: bool, as_json: bool) -> int:
    """Have compiled forms made, of all versions that nobody has tried yet unless some are named.

    Of a version that is named, a form that is lost or damaged is made again.

    Returns 1 when a job failed.

    Raises:
        CommandFailed: when a version that is named cannot have one.
        Unreachable: when the database does not answer, or nothing was started here yet.
        WrongSettings: when the settings or the tables of the database are wrong.
    """
    output = Output(as_json=as_json)
    with database_here(load_settings(), to="compile") as database:
        asked = _ask(database, versions)
        if not detach:
            _wait(database, asked, output)
        found = [_found(database, each) for each in asked]
    output.give({"items": found}, _shown)
    return FAILED if any(each["status"] not in {"succeeded", "queued", "running"} for each in found) else 0


def _ask(database: Database, versions: Sequence[int]) -> list[Wanted]:
    try:
        with database.write() as session:
            plans = [plan_forms(session, version) for version in versions or untried(session)]
            return [Wanted(plan.registered.version, ask_for_forms(session, plan).id) for plan in plans]
    except Unavailable:
        raise
    except PlatformError as error:
        raise CommandFailed(in_verbs(error.detail)) from None


def _wait(database: Database, asked: Sequence[Wanted], output: Output) -> None:
    """Wait for the end of all jobs, and tell of each when it ends."""
    waiting = list(asked)
    if waiting:
        output.tell(
            f"A worker makes the compiled forms of {count(len(waiting), 'model')}. Ctrl-C leaves the jobs alone."
        )
    try:
        while waiting:
            ended = set(_ended(database, waiting))
            waiting = [each for each in waiting if each not in ended]
            if waiting:
                time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        raise Detached("The jobs go on; `mlmini jobs list --kind compile` lists them.") from None


def _ended(database: Database, asked: Sequence[Wanted]) -> Iterator[Wanted]:
    with database.read() as session:
        for each in asked:
            if find_job(session, each.job_id).status in TERMINAL:
                yield each


def _found(database: Database, asked: Wanted) -> dict[str, Any]:
    with database.read() as session:
        job = find_job(session, asked.job_id)
        result, error = job.result or {}, job.error or {}
        return {
            "version": asked.version,
            "job_id": str(job.id),
            "status": str(State(job.status)),
            "compiled": result.get("compiled"),
            "detail": result.get("detail") or error.get("message"),
        }


def _shown(document: dict[str, Any]) -> RenderableType:
    if not document["items"]:
        return "Nothing to do: of every model that serves it is known whether it has a compiled form."
    rows = [
        (each["version"], each["status"], in_verbs(each["detail"] or f"job {each['job_id']}"))
        for each in document["items"]
    ]
    return table(("Version", "Job", "What came of it"), rows, whole=("Version", "Job"))
