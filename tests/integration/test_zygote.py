"""A process that is forked from the zygote is, for all that tests look at, one from the command line."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from typing import Any

import psutil
import pytest

from tests.support.alive import alive
from tests.support.mirror import MODULE
from tests.support.processes import ROOT, Program, finish, launch
from tests.support.waiting import eventually
from tests.support.zygote import READERS, SharedZygotes, Wish

pytestmark = [
    pytest.mark.usefixtures("uncounted"),
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked"),
]

ENVIRONMENT = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "MLMINI_HOME": "there"}


def both(*words: str, folder: Path, given: bytes = b"") -> list[CompletedProcess[str]]:
    """What the same command does when it is forked, and when it is not."""
    command = [MODULE, *words]
    return [finish(command, env=ENVIRONMENT, cwd=folder, given=given, forked=forked) for forked in (True, False)]


def waiting(folder: Path) -> Program:
    """A forked process that has begun to wait."""
    with (folder / "output").open("wb") as output:
        started = launch([MODULE, "wait"], env=ENVIRONMENT, cwd=folder, output=output, new_session=True)
    eventually(lambda: shown(folder) or started.poll() is not None, timeout=60)
    return started


def shown(folder: Path) -> Any:
    text = (folder / "output").read_text()
    return json.loads(text) if text.endswith("\n") else None


def test_it_has_the_surroundings_that_it_was_given_and_no_others(tmp_path: Path) -> None:
    forked, exec_ed = both("a", "b c", folder=tmp_path, given=b"something to read")
    assert (forked.returncode, forked.stderr) == (0, "")
    found = json.loads(forked.stdout)
    assert found == json.loads(exec_ed.stdout)
    assert found["environment"] == ENVIRONMENT
    assert (found["arguments"], found["folder"]) == (["a", "b c"], str(tmp_path))
    assert found["given"] == "something to read"
    assert found["descriptors"] == [0, 1, 2]
    assert (found["threads"], found["tasks"]) == (1, 1)


@pytest.mark.parametrize(
    ("end", "status"), [("status", 3), ("sentence", 1), ("exception", 1), ("interrupt", -signal.SIGINT)]
)
def test_its_end_is_that_of_the_interpreter(tmp_path: Path, end: str, status: int) -> None:
    forked, exec_ed = both(end, folder=tmp_path)
    assert forked.returncode == exec_ed.returncode == status
    assert forked.stderr.splitlines()[-1:] == exec_ed.stderr.splitlines()[-1:]


def test_it_ends_after_its_threads_and_its_tasks_at_exit(tmp_path: Path) -> None:
    for ended in both("late words", folder=tmp_path):
        assert ended.stdout.splitlines()[1:] == ["of a thread", "at exit"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_can_be_killed_and_its_end_is_seen(tmp_path: Path, number: signal.Signals) -> None:
    process = waiting(tmp_path)
    assert process.poll() is None
    assert shown(tmp_path)["leads a session"]
    with pytest.raises(TimeoutExpired):
        process.wait(timeout=0.01)
    os.kill(process.pid, number)
    assert process.wait(timeout=30) == -number
    assert not alive(process.pid)
    # Its number may be somebody else's now.
    process.send_signal(signal.SIGKILL)


def test_all_that_was_forked_dies_with_the_process_that_started_the_zygote(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import pathlib, time
        from tests.support.zygote import Wish, Zygote
        zygote = Zygote.started(imports=())
        with open("/dev/null") as none, open("output", "w") as output:
            wish = Wish([{MODULE!r}, "wait"], {ENVIRONMENT!r}, ".", new_session=True)
            print(zygote.start(wish, [none.fileno(), output.fileno(), output.fileno()]).pid, flush=True)
        time.sleep(60)
    """)
    owner = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    with owner, owner.stdout:
        process = psutil.Process(int(owner.stdout.readline()))
        forked_by = process.parent()
        assert forked_by is not None
        eventually(lambda: shown(tmp_path), timeout=60)
        owner.kill()
        eventually(lambda: not alive(process) and not alive(forked_by), timeout=30)


def test_owners_that_share_imports_have_each_a_zygote_of_their_own(tmp_path: Path) -> None:
    shared = SharedZygotes(tmp_path)
    servers = shared.start()
    try:
        owners = [shared.zygote(READERS) for _ in range(2)]
        pids = []
        for number, owner in enumerate(owners):
            with Path(os.devnull).open() as none, (tmp_path / f"{number}").open("w") as output:
                wish = Wish([MODULE, "wait"], ENVIRONMENT, str(tmp_path), new_session=True)
                pids.append(owner.start(wish, [none.fileno(), output.fileno(), output.fileno()]).pid)
        first, second = (psutil.Process(pid) for pid in pids)
        assert first.ppid() != second.ppid()
        owners[0].close()
        eventually(lambda: not alive(first), timeout=30)
        assert alive(second)
        owners[1].close()
        eventually(lambda: not alive(second), timeout=30)
        assert all(server.poll() is None for server in servers)
    finally:
        for server in servers:
            server.kill()
            server.wait()
