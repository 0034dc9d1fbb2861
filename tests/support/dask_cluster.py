"""A Dask cluster on this machine: a scheduler and worker processes, each of which can be killed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.waiting import eventually

# A worker of somebody who has Dask and has not installed the platform.
_WITHOUT_PLATFORM = """
import runpy, sys
part = sys.argv.pop(1)
sys.modules["shared"] = None
runpy.run_module(f"distributed.cli.dask_{part}", run_name="__main__")
"""


@dataclass
class DaskCluster:
    """The address of its scheduler, and its processes."""

    folder: Path
    # What a part is told beside all else.
    security: Sequence[str] = ()
    scheme: str = "tcp"
    address: str = ""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start_scheduler(self) -> None:
        """Returns when it listens."""
        file = self.folder / "scheduler.json"
        self._start("scheduler", ["--port", "0", "--scheduler-file", str(file)])
        eventually(lambda: file.exists() and file.read_text().endswith("}"), what="the scheduler listens")
        self.address = json.loads(file.read_text())["address"]

    def start_worker(self, name: str, *, has_platform: bool = True) -> None:
        """With one thread, as docs/scaling.md says; it joins later."""
        told = [self.address, "--nthreads", "1", "--no-nanny", "--memory-limit", "0", "--name", name]
        self._start(name, told, has_platform=has_platform)

    def kill(self, name: str) -> None:
        """As the system kills."""
        self.processes[name].kill()
        self.processes[name].wait()

    def close(self) -> None:
        """Kill all that is left."""
        for name in self.processes:
            self.kill(name)

    def _start(self, name: str, told: Sequence[str], *, has_platform: bool = True) -> None:
        part = "scheduler" if name == "scheduler" else "worker"
        program = ["-m", f"distributed.cli.dask_{part}"] if has_platform else ["-c", _WITHOUT_PLATFORM, part]
        listening = ["--host", "127.0.0.1", "--protocol", self.scheme, "--no-dashboard"]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *program, *told, *listening, *self.security],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                env={name: value for name, value in os.environ.items() if not name.startswith("MLMINI_")},
            )


@contextmanager
def dask_cluster(
    folder: Path, *, workers: int = 2, scheme: str = "tcp", security: Sequence[str] = ()
) -> Iterator[DaskCluster]:
    """A cluster for the block; workers may still be joining."""
    cluster = DaskCluster(folder, security, scheme)
    try:
        cluster.start_scheduler()
        for number in range(workers):
            cluster.start_worker(f"worker-{number}")
        yield cluster
    finally:
        cluster.close()
