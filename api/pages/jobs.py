"""Jobs as pages."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi.responses import HTMLResponse

from api.http.pagination import Page
from api.pages.filters import address, choice, chosen_ones, next_page
from api.pages.frame import page, shown_time
from api.pages.leaderboard import leaderboard
from api.pages.markup import Content, Html, element, facts, link, listing, table, together
from api.pages.measures import doubts, left_out, measure, measures
from api.schemas.jobs import Job
from shared.jobs.states import Kind, State
from shared.settings import DEFAULT_POOL

_PATH = "/jobs"
_NAMES = ["Job", "Status", "Result", "Dataset", "Kind", "Accepted"]
_ERASED = "Its request, its result and its log were erased with the data that it was about."


def page_of_jobs(jobs: Page[Job], filters: Mapping[str, str | None]) -> HTMLResponse:
    """Some jobs, the newest first, with links that narrow the list; `filters` are those of this page."""
    chosen = {name: value for name, value in filters.items() if value is not None}
    rows = [_row(job, chosen) for job in jobs.items]
    return page(
        "Jobs",
        choice("Status", "status", [state.value for state in State], path=_PATH, chosen=chosen),
        choice("Kind", "kind", [kind.value for kind in Kind], path=_PATH, chosen=chosen),
        *chosen_ones({"dataset_name": "Dataset"}, path=_PATH, chosen=chosen),
        table("The newest first", _NAMES, rows) if rows else element("p", "There are no such jobs."),
        next_page("Older jobs", jobs.next_cursor, path=_PATH, chosen=chosen),
    )


def page_of_job(job: Job) -> HTMLResponse:
    """One job, and where to go from it."""
    return page(
        f"Job {job.job_id}",
        facts(
            ("Kind", job.kind),
            ("Status", f"{job.status} ({job.progress.step}, {job.progress.percent} %)"),
            ("Dataset", job.dataset_name),
            ("Accepted", shown_time(job.created_at)),
            ("Started", shown_time(job.started_at)),
            ("Ended", shown_time(job.finished_at)),
            ("Asked for by", job.owner),
            ("Pool", None if job.pool == DEFAULT_POOL else job.pool),
            ("Attempts", str(job.attempts)),
            ("Erased", shown_time(job.erased_at)),
            ("Result", _result(job)),
            ("Report", _report(job)),
            *_output(job),
            *_reproduction(job),
        ),
        _error(job),
        *_details(job),
        together(element("h2", "Request"), listing(job.request)) if job.erased_at is None else element("p", _ERASED),
        element("p", link("Log", job.links["logs"]), " ", link("Newest state", job.links["self"])),
    )


def _output(job: Job) -> Iterator[tuple[str, Content]]:
    """What a batch prediction made."""
    if "output" not in job.links or job.result is None:
        return
    yield "Rows", f"{job.result['rows']:,}"
    yield "Rows with an error", f"{job.result['errors']:,}"
    yield "Output", link("download", job.links["output"])


def _reproduction(job: Job) -> Iterator[tuple[str, Content]]:
    """Whether a training that was repeated came to the same model."""
    if job.kind != Kind.REPRODUCE or job.result is None:
        return
    rows = job.result["rows"]
    yield "Equal", "yes" if job.result["equal"] else "no"
    yield "Rows compared", f"{rows['compared']:,}, of which {rows['different']:,} differ"
    yield "Largest difference", None if rows["largest_difference"] is None else measure(rows["largest_difference"])


def _details(job: Job) -> Iterator[Html | None]:
    result = job.result or {}
    if job.kind != Kind.REPRODUCE:
        yield from _training(result)
        return
    for name, caption in (("metrics", "Metrics"), ("libraries", "Libraries with other releases")):
        rows: list[list[Content]] = [
            [each, *(_then_or_now(found[when]) for when in ("then", "now"))]
            for each, found in result.get(name, {}).items()
        ]
        yield table(caption, [caption.partition(" ")[0], "Then", "Now"], rows) if rows else None
    yield doubts(result.get("notes", []))


def _then_or_now(value: float | str | None) -> str | None:
    return repr(value) if isinstance(value, float) else value


def _training(result: Mapping[str, Any]) -> Iterator[Html | None]:
    """What a training says of its model; results of older releases do not say all of it."""
    yield leaderboard(result.get("leaderboard", []))
    yield measures(result.get("metrics", {}), result.get("baseline", {}))
    yield doubts(result.get("notes", []))
    yield left_out((each["column"], each["reason"]) for each in result.get("left_out", []))


def _row(job: Job, chosen: Mapping[str, str]) -> list[Content]:
    return [
        link(str(job.job_id)[:8], job.links["self"]),
        job.status,
        _result(job),
        link(job.dataset_name, address(_PATH, {**chosen, "dataset_name": job.dataset_name})),
        job.kind,
        shown_time(job.created_at),
    ]


def _result(job: Job) -> Content:
    if "model" in job.links and job.result:
        return link(f"model {job.result['version']}", job.links["model"])
    return None if job.error is None else link(job.error.code, f"/errors/{job.error.code}")


def _report(job: Job) -> Content:
    model = job.links.get("model")
    return None if model is None or not job.result else link("how well the model does", f"{model}/report")


def _error(job: Job) -> Html | None:
    return None if job.error is None else together(element("h2", "Error"), element("p", job.error.message))
