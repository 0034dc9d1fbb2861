"""Own packages of estimators: described by every worker at its start, and looked up for the jobs that name them."""

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from shared.errors import LibraryNotInstalled, PlatformError
from shared.estimators.catalogue import Estimator
from shared.estimators.own.declared import OwnClass, declared
from shared.estimators.own.rows import keep, refresh
from shared.logging import get_logger
from shared.sandbox import ProcessLimits, Sandbox, SandboxFailed
from shared.training.search.placing import models_of
from shared.training.spec import TrainingSpec
from worker.handover import DESCRIBE_FILE, Described, DescribeWork, Outcome, read_facts
from worker.runtime import Runtime

log = get_logger(__name__)

# An import that takes longer is given up.
_SECONDS = 120
_FOLDER = "own-estimators"


def describe_in_background(runtime: Runtime) -> None:
    """Have the classes that are named here described and kept, if there are any; the start does not wait for it."""
    classes = declared(runtime.settings.estimators)
    if classes:
        threading.Thread(target=_describe, args=(runtime, classes), name="own-estimators", daemon=True).start()


def described(
    sandbox: Sandbox, folder: Path, classes: Sequence[OwnClass], *, memory_mb: int, seconds: float = _SECONDS
) -> Described:
    """What a computing process finds in these classes, which nothing else imports.

    Raises:
        SandboxFailed: when no process can be started.
        PlatformError: when it does not end well.
    """
    folder.mkdir()
    try:
        (folder / DESCRIBE_FILE).write_text(DescribeWork(classes=list(classes)).model_dump_json())
        process = sandbox.run(folder, ProcessLimits(memory_mb=memory_mb))
        ending = process.wait(timeout=seconds)
        if ending is None:
            process.abandon()
        if ending is None or not ending.ok:
            return _one_by_one(sandbox, folder, classes, memory_mb=memory_mb, seconds=seconds, why=ending)
        return read_facts(folder, Outcome[Described])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def own_of(runtime: Runtime, candidates: Sequence[TrainingSpec]) -> list[Estimator]:
    """The estimators of own packages that trainings are made of.

    Raises:
        LibraryNotInstalled: when one of them is not named on this machine.
    """
    with runtime.database.read() as session:
        refresh(session)
    nodes = [node for spec in candidates for model in models_of(spec) for node in model.tree().all()]
    found = list({node.estimator.key: node.estimator for node in nodes if node.estimator.own}.values())
    here = {each.path for each in declared(runtime.settings.estimators)} if found else set()
    for estimator in found:
        if f"{estimator.module}:{estimator.name}" not in here:
            raise LibraryNotInstalled(
                f"{estimator.key} is of the package {estimator.library}, which is not installed with the worker that "
                "ran this job. Install it on every worker, then retry the job."
            )
    return found


def _one_by_one(
    sandbox: Sandbox, folder: Path, classes: Sequence[OwnClass], *, memory_mb: int, seconds: float, why: object
) -> Described:
    """One of them ends the process, so that each gets one of its own."""
    if len(classes) == 1:
        return Described(problems={classes[0].path: f"Its import did not end well: {why or 'it took too long'}."})
    done = Described()
    for number, each in enumerate(classes):
        part = described(sandbox, folder.with_name(f"{_FOLDER}-{number}"), [each], memory_mb=memory_mb, seconds=seconds)
        done.estimators |= part.estimators
        done.problems |= part.problems
    return done


def _describe(runtime: Runtime, classes: Sequence[OwnClass]) -> None:
    try:
        found = described(
            runtime.sandbox, runtime.scratch.folder / _FOLDER, classes, memory_mb=runtime.settings.job_memory_mb
        )
        for each in classes:
            problem, description = found.problems.get(each.path), found.estimators.get(each.path)
            with runtime.database.write() as session:
                keep(session, each, description=description, problem=problem)
            if problem is None:
                log.info("own_estimator_described", **each._asdict())
            else:
                log.error("own_estimator_unusable", **each._asdict(), problem=problem)
    except (PlatformError, SandboxFailed, OSError) as error:
        log.warning("own_estimators_not_described", reason=str(error))
