"""How far things are: live bars on a terminal, lines in a pipe, nothing beside JSON in a pipe."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol, cast

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from cli.render.output import Output
from cli.render.text import clean, moment

_BAR = 20
# In a pipe, a step gets another line after so many per cent.
_LINE_PERCENT = 10


def is_guess(job: dict[str, Any]) -> bool:
    """Whether the percentage of a job is a guess from earlier jobs. An older platform does not say."""
    return job["status"] == "running" and bool(job["progress"].get("estimated"))


class JobsView(Protocol):
    """Shows jobs that are waited for."""

    def update(self, job: dict[str, Any]) -> None:
        """Show a job as it is now."""


class _Bars:
    """One live bar per job."""

    def __init__(self, progress: Progress, labels: dict[str, str]) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {
            job_id: progress.add_task(label, total=100, step="queued") for job_id, label in labels.items()
        }

    def update(self, job: dict[str, Any]) -> None:
        """Move the job's bar."""
        progress = job["progress"]
        step = progress["step"] if job["status"] == "running" else status_words(job)
        guess = " (estimated)" if is_guess(job) else ""
        self._progress.update(self._tasks[job["job_id"]], completed=progress["percent"], step=clean(step) + guess)
        if job["finished_at"]:
            self._progress.stop_task(self._tasks[job["job_id"]])


class _PrintedLines:
    """One line per step of a job, and one now and then in a long step."""

    def __init__(self, output: Output, labels: dict[str, str]) -> None:
        self._output = output
        self._labels = labels
        self._shown: dict[str, tuple[str, int]] = {}

    def update(self, job: dict[str, Any]) -> None:
        """Write a line if the job is at another step, or so much further."""
        progress = job["progress"]
        running = job["status"] == "running"
        step, percent = (progress["step"], progress["percent"]) if running else (status_words(job), 0)
        if self._shown.get(job["job_id"]) != (step, percent // _LINE_PERCENT):
            self._shown[job["job_id"]] = step, percent // _LINE_PERCENT
            about = "about " if is_guess(job) else ""
            self._output.tell(f"{self._labels[job['job_id']]}: {step}{f' ({about}{percent}%)' if running else ''}")


class _Nothing:
    """Keeps quiet."""

    def update(self, job: dict[str, Any]) -> None:
        """Show nothing."""


@contextmanager
def watching_jobs(output: Output, labels: dict[str, str]) -> Iterator[JobsView]:
    """A view of jobs, each with its label."""
    labels = {job_id: clean(label) for job_id, label in labels.items()}
    if output.err.is_terminal:
        columns: list[ProgressColumn] = [BarColumn(_BAR), TaskProgressColumn(), TextColumn("{task.fields[step]}")]
        with _progress(output, *columns) as progress:
            yield _Bars(progress, labels)
        output.err.line()
    else:
        yield _Nothing() if output.as_json else _PrintedLines(output, labels)


@contextmanager
def watching_bytes(output: Output, label: str, total: int) -> Iterator["Meter"]:
    """A view of bytes that go by."""
    if not output.err.is_terminal:
        yield Meter()
        return
    with _progress(output, BarColumn(_BAR), TaskProgressColumn(), DownloadColumn()) as progress:
        yield Meter(progress, progress.add_task(clean(label), total=total))


class Meter:
    """Counts what goes by, and shows it where there is a bar."""

    def __init__(self, progress: Progress | None = None, task: TaskID | None = None) -> None:
        self._progress = progress
        self._task = task

    def set(self, amount: int) -> None:
        """So much has gone by."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=amount)

    def reading(self, file: BinaryIO) -> BinaryIO:
        """The file, counted as it is read."""
        return cast("BinaryIO", _Counted(file, self))


class _Counted:
    """A file for the HTTP client, which seeks its end to know its length and then reads it from the beginning."""

    def __init__(self, file: BinaryIO, meter: Meter) -> None:
        self._file = file
        self._meter = meter

    def fileno(self) -> int:
        return self._file.fileno()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self._meter.set(self._file.tell())
        return chunk


def _progress(output: Output, *columns: ProgressColumn) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        *columns,
        TimeElapsedColumn(),
        console=output.err,
        transient=False,
    )


def standing(job: dict[str, Any]) -> str | None:
    """The place of a queued job in words."""
    queue = job.get("queue")
    if queue is None:
        return None
    if queue["position"] is None:
        return f"tried again at {moment(queue['run_at'])}"
    return f"place {queue['position']:,}, {queue['running']:,} running"


def status_words(job: dict[str, Any]) -> str:
    """The status of a job that does not run, and where it stands if it waits."""
    place = standing(job)
    return f"{job['status']} ({place})" if place else str(job["status"])
