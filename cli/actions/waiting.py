"""Waiting for jobs, and judging how they ended."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from cli.client import requests as calls
from cli.client.connection import Client
from cli.client.errors import CommandFailed, Detached, Refused, Unreachable
from cli.client.events import GOING_ON
from cli.client.hints import in_verbs
from cli.render.output import Output
from cli.render.progress import watching_jobs

# How old the shown progress may be.
_LOOK_SECONDS = 0.5
# After this long, the user is told that no worker has taken the job.
_QUEUED_SECONDS = 20

Job = dict[str, Any]


def tell_warnings(output: Output, job: Job) -> None:
    """What was worth saying as the job was accepted."""
    for warning in job.get("warnings", []):
        output.tell(f"Warning: {in_verbs(warning)}")


def wait_for(client: Client, output: Output, jobs: Sequence[Job], labels: Sequence[str]) -> list[Job]:
    """Wait until all jobs have ended, showing their progress, and return them as they are then.

    Raises:
        Detached: when the user stops waiting by Ctrl-C; the jobs go on.
        Refused, Unreachable: when the API no longer answers; the sentence says how to go on.
    """
    found = {job["job_id"]: job for job in jobs}
    began, told = time.monotonic(), False
    try:
        with _hearing_ctrl_c() as check, watching_jobs(output, dict(zip(found, labels, strict=True))) as view:
            while going_on := [job_id for job_id, job in found.items() if job["status"] in GOING_ON]:
                check()
                for index, job_id in enumerate(going_on):
                    # Only the first of several is waited for; the others are looked at.
                    found[job_id] = client.get(calls.job(job_id, wait=0 if index else _LOOK_SECONDS))
                    view.update(found[job_id])
                if not told and time.monotonic() > began + _QUEUED_SECONDS and _all_queued(found):
                    told = True
                    output.tell("No worker has taken it yet. `mlmini doctor` tells whether one runs.")
    except KeyboardInterrupt:
        raise Detached(_how_to_go_on(found)) from None
    except Unreachable as error:
        raise Unreachable(f"{error.sentence}\n{_how_to_go_on(found)}") from None
    except Refused as error:
        raise Refused(error.problem, f"{error.sentence}\n{_how_to_go_on(found)}") from None
    return list(found.values())


def check_success(job: Job) -> None:
    """Check that a job succeeded.

    Raises:
        CommandFailed: when it did not; the sentence says how it ended.
    """
    if job["status"] == "succeeded":
        return
    error = job["error"]
    reason = f" ({error['code']}): {in_verbs(error['message'])}" if error else "."
    raise CommandFailed(f"The job {job['job_id']} ended as {job['status']}{reason}")


@contextmanager
def _hearing_ctrl_c() -> Iterator[Callable[[], None]]:
    """Ctrl-C is also noted, because Python drops an exception that is raised in a finalizer."""
    heard = False

    def note(_number: int, _frame: FrameType | None) -> None:
        nonlocal heard
        heard = True
        raise KeyboardInterrupt

    def check() -> None:
        if heard:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


def _all_queued(jobs: dict[str, Job]) -> bool:
    return all(job["status"] == "queued" for job in jobs.values())


def _how_to_go_on(jobs: dict[str, Job]) -> str:
    going_on = [job_id for job_id, job in jobs.items() if job["status"] in GOING_ON]
    lines = [f"  mlmini jobs show {job_id} --wait\n  mlmini jobs cancel {job_id}" for job_id in going_on]
    return "\n".join(["Stopped waiting; the job goes on. To wait again, or to cancel it:", *lines])
