"""Starts, watches, caps and kills the computing process of an attempt."""

import os
import time
from pathlib import Path

from shared.errors import InternalError, OutOfMemory, TimeLimitExceeded
from shared.fail_points import fail_point
from shared.logging import get_logger
from shared.sandbox import Ending, Limits, SandboxProcess
from shared.sandbox.limits import FAILED
from worker.attempt import Attempt
from worker.tail import Tail
from worker.work import LINES_FILE

log = get_logger(__name__)

# How long a wish to stop may go unnoticed.
_TICK_SECONDS = 0.2
_KILL_SECONDS = 10
_LAST_BYTES = 4000


class ComputationCrashed(Exception):
    """The computing process died: by a signal, by the system's memory killer, or with its server."""


def compute(attempt: Attempt) -> None:
    """Run the computation in the attempt's folder to its end.

    Raises:
        OutOfMemory, TimeLimitExceeded: when it went over a limit.
        ComputationCrashed: when it died.
        InternalError: when it failed in a way that it does not explain itself.
        Fenced, CancelRequested, Stopping: when it was killed because the attempt may not go on.
    """
    settings = attempt.runtime.settings
    with Tail(attempt.folder / LINES_FILE) as tail:
        process = attempt.runtime.sandbox.run(attempt.folder, Limits(memory_mb=settings.job_memory_mb))
        try:
            ending = _supervise(attempt, process, tail)
        except BaseException:
            _kill(process)
            raise
        finally:
            _say(attempt, tail.read_rest())
    if not ending.ok:
        # The folder goes, and what the process said of its end with it.
        log.warning("computation_failed", ending=str(ending), said=_last_words(attempt.folder))
    _judge(ending, memory_mb=settings.job_memory_mb)


def _supervise(attempt: Attempt, process: SandboxProcess, tail: Tail) -> Ending:
    settings = attempt.runtime.settings
    deadline = time.monotonic() + settings.job_seconds
    while (ending := process.wait(timeout=_TICK_SECONDS)) is None:
        attempt.check()
        attempt.show_progress_of_computation()
        if attempt.heartbeat.progress.step == "fitting":
            fail_point("fit.running")
        _say(attempt, tail.read())
        if time.monotonic() > deadline:
            raise TimeLimitExceeded(
                f"The job ran longer than its limit of {settings.job_seconds:g} s and was stopped. "
                "Train on fewer rows or with a smaller model, or have MLMINI_JOB_SECONDS raised."
            )
    return ending


def _say(attempt: Attempt, lines: list[str]) -> None:
    for line in lines:
        attempt.say(line)


def _kill(process: SandboxProcess) -> None:
    process.kill()
    if process.wait(timeout=_KILL_SECONDS) is None:
        log.error("computation_survives_its_kill", pid=process.pid)


def _last_words(folder: Path) -> str:
    try:
        with (folder / "log").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LAST_BYTES))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        # It died before it could say a word.
        return ""


def _judge(ending: Ending, *, memory_mb: int) -> None:
    if ending.ok:
        return
    if ending.out_of_memory:
        raise OutOfMemory(
            f"The job needed more than its {memory_mb} MiB of memory. "
            "Train on fewer rows or with a smaller model, or have MLMINI_JOB_MEMORY_MB raised."
        )
    if ending.exit_code == FAILED:
        raise InternalError("The training failed in an unexpected way; the worker's log has the cause.")
    raise ComputationCrashed(str(ending))
