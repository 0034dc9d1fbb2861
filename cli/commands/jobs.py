"""Verbs on jobs."""

from typing import Annotated

import typer

from cli.commands.options import Detach, IdempotencyKey, Json, Limit, Url
from cli.menu import Menu

app = typer.Typer(cls=Menu, no_args_is_help=True, help="Look at jobs, wait for them, cancel or retry them.")

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, or its first 8 characters or more.")]


@app.command("list")
def list_all(
    *,
    status: Annotated[
        str | None,
        typer.Option(metavar="STATUS", help="queued, running, succeeded, failed, cancelled or quarantined."),
    ] = None,
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="Such as train or promote.")] = None,
    dataset: Annotated[str | None, typer.Option(metavar="NAME", help="Only jobs on this dataset.")] = None,
    limit: Limit = 20,
    url: Url = None,
    json: Json = False,
) -> None:
    """List jobs, the newest first."""
    from cli.actions.listing import give_list
    from cli.actions.session import connected
    from cli.render.jobs import job_list

    with connected(url, as_json=json) as (client, output):
        filters = {"status": status, "kind": kind, "dataset_name": dataset}
        give_list(client, output, "/jobs", job_list, most=limit, **filters)


@app.command()
def show(
    job: JobId,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended.")] = False,
    url: Url = None,
    json: Json = False,
) -> None:
    """Show a job.

    With --wait, the exit status is 1 when the job did not succeed.
    """
    from cli.actions.session import connected
    from cli.actions.training import give_ended
    from cli.actions.waiting import wait_for
    from cli.client import requests as calls
    from cli.render.jobs import job_details

    with connected(url, as_json=json) as (client, output):
        found = client.get(calls.job(job))
        if wait:
            (found,) = wait_for(client, output, [found], [f"{found['kind']} {found['dataset_name']}"])
            give_ended(output, found, job_details)
        else:
            output.give(found, job_details)


@app.command()
def cancel(job: JobId, *, url: Url = None, json: Json = False) -> None:
    """Cancel a job.

    A queued job ends at once. A running one is stopped within seconds, and cannot succeed any more.
    """
    from cli.actions.session import connected
    from cli.client import requests as calls
    from cli.render.jobs import cancelled

    with connected(url, as_json=json) as (client, output):
        output.give(client.get(calls.cancel(job)), cancelled)


@app.command()
def retry(
    job: JobId,
    *,
    detach: Detach = False,
    idempotency_key: IdempotencyKey = None,
    url: Url = None,
    json: Json = False,
) -> None:
    """Run a job again, as a new job with the same request.

    The job must have ended. Waits for the new one; the exit status is 1 when that fails.
    """
    from cli.actions.session import connected
    from cli.actions.training import run_job
    from cli.client import requests as calls
    from cli.render.jobs import job_details

    with connected(url, as_json=json) as (client, output):
        run_job(client, output, calls.retry(job, key=idempotency_key), detach=detach, show=job_details)


@app.command()
def logs(
    job: JobId,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show what is added, until the job ends.")] = False,
    url: Url = None,
) -> None:
    """Show what a job has written."""
    from cli.actions.logs import follow_logs, show_logs
    from cli.actions.session import connected

    with connected(url) as (client, output):
        (follow_logs if follow else show_logs)(client, output, job)
