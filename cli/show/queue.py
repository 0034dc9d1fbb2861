"""Where jobs that wait stand in the queue. A platform of before does not say, and neither do lists."""

from typing import Any

from cli.show.text import moment


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
