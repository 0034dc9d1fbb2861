"""The fork server and what it forks, with their lines counted, which production's environment does not let them.

It is one server for all: what a run that ends by itself has counted holds what the server did before.
"""

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from shared.sandbox import Ending, ProcessLimits, Sandbox, SandboxProcess, client
from tests.support.alive import alive
from tests.support.counted_worker import count_in_fork_servers
from tests.support.processes import ROOT
from tests.support.waiting import eventually


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, servers_by_command_line: None) -> Iterator[Sandbox]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(client, "KNOWN", count_in_fork_servers())
    monkeypatch.setattr(client, "WRITES", (str(ROOT),))
    sandbox = Sandbox("tests.support.sandbox_entry:main", scratch=tmp_path)
    yield sandbox
    sandbox.close()


def test_runs_that_end_in_every_way_are_told_apart(sandbox: Sandbox, tmp_path: Path) -> None:
    def start(order: str) -> SandboxProcess:
        folder = tmp_path / order
        folder.mkdir(exist_ok=True)
        (folder / "order").write_text(order)
        return sandbox.run(folder, ProcessLimits(memory_mb=256))

    def ended(order: str) -> Ending:
        ending = start(order).wait(timeout=60)
        assert ending is not None
        return ending

    assert ended("answer").ok
    assert "ZeroDivisionError" in ended("raise").said
    assert ended("eat").out_of_memory
    assert ended("fill").disk_full
    assert "xthe end" in ended("print").said
    assert ended("leave").ok
    left = [int(pid) for pid in (tmp_path / "leave" / "started").read_text().split()]
    for pid in left:
        eventually(partial(lambda pid: not alive(pid), pid))
    waiting = start("wait")
    waiting.kill()
    killed = waiting.wait(timeout=30)
    assert killed is not None
    assert killed.signal == signal.SIGKILL
    assert ended("answer").ok
