"""`mlmini models reproduce`: has a model trained once more, and tells whether that came to the same."""

from cli.actions.session import connected
from cli.actions.waiting import Job, check_success, wait_for
from cli.client import requests as calls
from cli.client.errors import FAILED
from cli.render.jobs import accepted
from cli.render.reproduction import reproduction


def reproduce(url: str | None, version: int, *, key: str | None, detach: bool, as_json: bool) -> int:
    """Have the job accepted, and unless `detach` wait for it; 1 when the new model is another one.

    Raises:
        CommandFailed: when the job does not succeed.
    """
    with connected(url, as_json=as_json) as (client, output):
        job: Job = client.get(calls.reproduce(version, key=key))
        if detach:
            output.give(job, accepted)
            return 0
        (job,) = wait_for(client, output, [job], [f"reproduce version {version}"])
        if output.as_json:
            output.write(job)
        check_success(job)
        if not output.as_json:
            output.give(job["result"], reproduction)
        return 0 if job["result"]["equal"] else FAILED
