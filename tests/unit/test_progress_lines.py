"""What somebody who waits in a pipe reads of a job's progress."""

from typing import Any

import pytest

from cli.render.output import Output
from cli.render.progress import watching_jobs


def job(percent: int, step: str = "fitting", *, status: str = "running", **more: Any) -> dict[str, Any]:
    progress = {"percent": percent, "step": step, **more}
    return {"job_id": "a", "status": status, "progress": progress, "queue": None, "finished_at": None}


def lines_of(capsys: pytest.CaptureFixture[str], *jobs: dict[str, Any]) -> list[str]:
    with watching_jobs(Output(), {"a": "iris"}) as view:
        for each in jobs:
            view.update(each)
    return capsys.readouterr().err.splitlines()


def test_an_estimate_is_shown_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    told = lines_of(capsys, job(20, estimated=False), job(41, estimated=True), job(80, "evaluating", estimated=False))
    assert told == ["iris: fitting (20%)", "iris: fitting (about 41%)", "iris: evaluating (80%)"]


def test_a_long_step_has_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    told = lines_of(capsys, *(job(percent) for percent in range(20, 80)), job(100, "done", status="succeeded"))
    assert told == [*(f"iris: fitting ({percent}%)" for percent in range(20, 80, 10)), "iris: succeeded"]
