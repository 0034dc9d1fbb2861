"""Jobs as tables."""

from typing import Any

from rich.console import RenderableType
from rich.text import Text

from cli.client.events import GOING_ON
from cli.client.failures import written
from cli.show.tables import facts, sections, status, table
from cli.show.text import age, cell, count, duration, moment


def job_list(page: dict[str, Any]) -> RenderableType:
    """The jobs of a page."""
    if not page["items"]:
        return "No jobs. `mlmini train` makes one."
    return table(
        ["Job", "Kind", "Status", "Dataset", "Age"],
        (
            (job["job_id"], job["kind"], _state(job), job["dataset_name"], age(job["created_at"]))
            for job in page["items"]
        ),
        right=["Age"],
        whole=["Job", "Kind", "Status", "Age"],
    )


def job_details(job: dict[str, Any]) -> RenderableType:
    """One job: what it does, what became of it, and what it made."""
    error = job["error"]
    return sections(
        facts(
            [
                ("Job", job["job_id"]),
                ("Kind", job["kind"]),
                ("Status", _state(job)),
                *([("Step", job["progress"]["step"])] if job["status"] == "running" else []),
                ("Dataset", job["dataset_name"]),
                ("Attempts", job["attempts"]),
                ("Created", moment(job["created_at"])),
                ("Took", duration(job["started_at"], job["finished_at"])),
            ]
        ),
        ("Request", facts((name, value) for name, value in job["request"].items() if value is not None)),
        ("Result", facts(job["result"].items())) if job["result"] else None,
        ("Error", facts([("Code", error["code"]), ("Message", error["message"])])) if error else None,
    )


def accepted(job: dict[str, Any]) -> RenderableType:
    """A job that nobody waits for."""
    return facts(
        [("Job", job["job_id"]), ("Status", _state(job)), ("Wait", f"mlmini jobs show {job['job_id']} --wait")]
    )


def dry_run(answer: dict[str, Any]) -> RenderableType:
    """What a training would do, or what keeps it from running."""
    if not answer["valid"]:
        problems = answer["problems"]
        lines = [f"{problem['code']}: {written(problem)}" for problem in problems]
        return sections(f"This would be refused: {count(len(problems), 'problem')}.", *lines)
    request = answer["request"]
    return sections(
        "This would be accepted.",
        facts((name, value) for name, value in request.items() if value is not None),
        table(
            ["Column", "Kind", "Treatment"],
            ((column["column"], column["kind"], column["treatment"]) for column in answer["recipe"] or []),
        ),
    )


def _state(job: dict[str, Any]) -> Text:
    word: str = job["status"]
    text = status(word)
    if word in GOING_ON and word == "running":
        text.append(f" {cell(job['progress']['percent'])}%")
    return text
