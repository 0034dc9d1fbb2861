"""Jobs as pages."""

from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse

from api.http.pagination import Page
from api.pages.frame import page, told
from api.pages.markup import Content, Html, element, facts, link, listing, table, together
from api.schemas.jobs import Job
from shared.jobs.states import Kind, State

_NAMES = ["Job", "Status", "Result", "Dataset", "Kind", "Accepted"]


def page_of_jobs(jobs: Page[Job], filters: Mapping[str, str | None]) -> HTMLResponse:
    """Some jobs, the newest first, with links that narrow the list; `filters` are those of this page."""
    chosen = {name: value for name, value in filters.items() if value is not None}
    following = None
    if jobs.next_cursor is not None:
        following = element("p", link("Older jobs", _address({**chosen, "cursor": jobs.next_cursor})))
    rows = [_row(job, chosen) for job in jobs.items]
    return page(
        "Jobs",
        _choice("Status", "status", [state.value for state in State], chosen),
        _choice("Kind", "kind", [kind.value for kind in Kind], chosen),
        _choice("Dataset", "dataset_name", [chosen["dataset_name"]], chosen) if "dataset_name" in chosen else None,
        table("The newest first", _NAMES, rows) if rows else element("p", "There are no such jobs."),
        following,
    )


def page_of_job(job: Job) -> HTMLResponse:
    """One job, and where to go from it."""
    return page(
        f"Job {job.job_id}",
        facts(
            ("Kind", job.kind),
            ("Status", f"{job.status} ({job.progress.step}, {job.progress.percent} %)"),
            ("Dataset", job.dataset_name),
            ("Accepted", told(job.created_at)),
            ("Started", told(job.started_at)),
            ("Ended", told(job.finished_at)),
            ("Attempts", str(job.attempts)),
            ("Result", _result(job)),
        ),
        _error(job),
        element("h2", "Request"),
        listing(job.request),
        element("p", link("Log", job.links["logs"]), " ", link("Newest state", job.links["self"])),
    )


def _row(job: Job, chosen: Mapping[str, str]) -> list[Content]:
    return [
        link(str(job.job_id)[:8], job.links["self"]),
        job.status,
        _result(job),
        link(job.dataset_name, _address({**chosen, "dataset_name": job.dataset_name})),
        job.kind,
        told(job.created_at),
    ]


def _result(job: Job) -> Content:
    if "model" in job.links and job.result:
        return link(f"model {job.result['version']}", job.links["model"])
    return None if job.error is None else link(job.error.code, f"/errors/{job.error.code}")


def _error(job: Job) -> Html | None:
    return None if job.error is None else together(element("h2", "Error"), element("p", job.error.message))


def _choice(title: str, name: str, values: list[str], chosen: Mapping[str, str]) -> Html:
    """Links to the list with each value of a filter, and without it."""
    others = {key: value for key, value in chosen.items() if key != name}
    links = [link("all", _address(others), current=name not in chosen)]
    links += [link(value, _address({**others, name: value}), current=chosen.get(name) == value) for value in values]
    items = [element("li", f"{title}:"), *(element("li", each) for each in links)]
    return element("nav", element("ul", *items), aria_label=title)


def _address(query: Mapping[str, str]) -> str:
    return f"/jobs?{urlencode(query)}" if query else "/jobs"
