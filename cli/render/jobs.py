"""Jobs as tables."""

from collections.abc import Iterator
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from cli.client.errors import written
from cli.client.events import GOING_ON
from cli.client.hints import in_verbs
from cli.render.leaderboard import leaderboard
from cli.render.models import notes_text
from cli.render.output import facts, sections, status
from cli.render.progress import is_guess, standing
from cli.render.table import table
from cli.render.text import age, cell, count, duration, moment, rounded

# The columns that a narrow terminal leaves out, the least useful first.
_DROPPED = ("Priority", "Kind", "Age", "Pool", "Dataset", "Status")
_USUAL_POOL = "default"


def title(job: dict[str, Any]) -> str:
    """What a job does, in a few words; the request of an erased one tells nothing."""
    request = job["request"]
    if "models" in request:
        return f"{job['kind']} {count(len(request['models']), 'model')}"
    if "model" in request:
        return f"{job['kind']} {request['model']['class']}"
    if "target_stage" in request:
        return f"{job['kind']} {job['dataset_name']} {request['version']} to {request['target_stage']}"
    return f"{job['kind']} {job['dataset_name']}"


def job_list(page: dict[str, Any]) -> RenderableType:
    """The jobs of a page."""
    if not page["items"]:
        return "No jobs. `mlmini train` makes one."
    # The answer names a pool where it is not the usual one.
    pooled = any("pool" in job for job in page["items"])
    return table(
        ["Job", "Kind", "Status", "Dataset", *(["Pool"] if pooled else []), "Priority", "Age"],
        (
            (
                *(job["job_id"], job["kind"], _state(job), job["dataset_name"]),
                *([job.get("pool", _USUAL_POOL)] if pooled else []),
                *(job.get("priority"), age(job["created_at"])),
            )
            for job in page["items"]
        ),
        right=["Priority", "Age"],
        whole=["Job", "Kind", "Status", "Priority", "Age"],
        dropped=_DROPPED,
    )


def job_details(job: dict[str, Any]) -> RenderableType:
    """One job: what it does, how it ended, and what it made."""
    error = job["error"]
    asked = [(name, value) for name, value in job["request"].items() if value is not None]
    return sections(
        facts(
            [
                ("Job", job["job_id"]),
                ("Kind", job["kind"]),
                ("Status", _state(job)),
                *([("Step", job["progress"]["step"])] if job["status"] == "running" else []),
                *([("Queue", place)] if (place := standing(job)) else []),
                ("Dataset", job["dataset_name"]),
                ("Priority", job.get("priority")),
                *([("Pool", pool)] if (pool := job.get("pool")) else []),
                *([("Limits", _limits(limits))] if (limits := job.get("limits")) else []),
                ("Attempts", job["attempts"]),
                ("Created", moment(job["created_at"])),
                ("Took", duration(job["started_at"], job["finished_at"])),
                *([("Used", _used(job["usage"]))] if job.get("usage") else []),
            ]
        ),
        erased(job),
        ("Request", facts(asked)) if asked else None,
        ("Result", facts(_told(job["result"]))) if job["result"] else None,
        leaderboard(job["result"]),
        ("Error", facts([("Code", error["code"]), ("Message", in_verbs(error["message"]))])) if error else None,
    )


def _told(result: dict[str, Any]) -> Iterator[tuple[str, object]]:
    return ((name, rounded(value)) for name, value in result.items() if name != "leaderboard")


def erased(job: dict[str, Any]) -> str | None:
    """When what the job said was erased; None when it was not."""
    moment_of = job.get("erased_at")
    if moment_of is None:
        return None
    return f"Its request, result and log were erased at {moment(moment_of)}, with the data that it was about."


def cancelled(job: dict[str, Any]) -> RenderableType:
    """A job whose cancel was accepted; one that runs still does so."""
    stopping = "The cancel is accepted: the job stops within moments." if job["status"] in GOING_ON else None
    return sections(job_details(job), stopping)


def accepted(job: dict[str, Any]) -> RenderableType:
    """A job that is not waited for."""
    return facts(
        [
            ("Job", job["job_id"]),
            ("Status", _state(job)),
            *(("Warning", in_verbs(warning)) for warning in job.get("warnings", [])),
            ("Wait", f"mlmini jobs show {job['job_id']} --wait"),
        ]
    )


def dry_run(answer: dict[str, Any]) -> RenderableType:
    """What a training would do, or what keeps it from running."""
    if not answer["valid"]:
        problems = answer["problems"]
        lines = [f"{problem['code']}: {written(problem)}" for problem in problems]
        return sections(
            f"This would be refused: {count(len(problems), 'problem')}.", *lines, notes_text(answer.get("notes"))
        )
    request = answer["request"]
    return sections(
        "This would be accepted.",
        facts(
            [
                *((name, value) for name, value in request.items() if value is not None),
                ("limits", _limits(answer["limits"])),
            ]
        ),
        table(
            ["Column", "Kind", "Treatment"],
            ((column["column"], column["kind"], in_verbs(column["treatment"])) for column in answer["recipe"] or []),
        ),
        notes_text(answer.get("notes")),
    )


def _limits(limits: dict[str, Any]) -> str:
    cpus = limits.get("cpus")
    told = f"{limits['seconds']:g} s, {limits['memory_mb']} MiB"
    return told if cpus is None else f"{told}, {count(cpus, 'core')}"


def _state(job: dict[str, Any]) -> Text:
    word: str = job["status"]
    text = status(word)
    if word in GOING_ON and word == "running":
        text.append(f" {'~' if is_guess(job) else ''}{cell(job['progress']['percent'])}%")
    return text


def _used(usage: dict[str, Any]) -> str:
    """What its last attempt used; what was not measured is left out."""
    memory, cpu = usage["peak_memory_mb"], usage["cpu_seconds"]
    parts = [
        None if memory is None else f"{memory:,.0f} MiB of memory",
        None if cpu is None else f"{cpu:,.1f} s of processor time",
        None if usage.get("cpus") is None else count(usage["cpus"], "core"),
        f"{usage['wall_seconds']:,.1f} s",
    ]
    return ", ".join(part for part in parts if part)
