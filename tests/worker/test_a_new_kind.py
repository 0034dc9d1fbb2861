"""A kind of job is one line and one file."""

import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import insert

from shared.jobs.rows import JobRow
from shared.jobs.states import State
from tests.support.jobs import log_of
from tests.support.processes import ROOT, environment
from tests.support.site import Site, environment_of

LINE = '    ECHO = "echo"\n'
FILE = '''
from typing import Any

from sqlalchemy.orm import Session

from worker.attempt import Attempt, Effect


def run(attempt: Attempt) -> Effect:
    """Give back what was asked."""

    def add(_session: Session) -> dict[str, object]:
        return {"said": attempt.claim.request["say"]}

    return add


def success_line(result: dict[str, Any]) -> str:
    """What was said."""
    return f"said {result['said']}"
'''


@pytest.mark.any_stack
def test_a_kind_of_job_is_a_line_and_a_file(installation: Site, tmp_path: Path) -> None:
    copy = tmp_path / "product"
    for package in ("api", "worker", "shared", "migrations"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    states = copy / "shared" / "jobs" / "states.py"
    promote = '    PROMOTE = "promote"\n'
    assert promote in states.read_text()
    states.write_text(states.read_text().replace(promote, promote + LINE))
    (copy / "worker" / "tasks" / "echo.py").write_text(FILE)

    job_id = uuid4()
    with installation.database.write() as session:
        session.execute(insert(JobRow).values(id=job_id, kind="echo", request={"say": "hello"}, dataset_name="iris"))
    variables = environment_of(installation.settings) | {"PYTHONPATH": str(copy)}
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "worker"], cwd=copy, env=environment(variables), stdout=log, stderr=log
        )
    try:
        job = installation.until(job_id, State.SUCCEEDED, timeout=120)
    finally:
        worker.terminate()
        worker.wait(60)
    assert job.result == {"said": "hello"}
    assert log_of(installation.database, job_id)[-1] == "said hello"
