"""Real launchers: `mlmini up` as a process, with the parts that it starts."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import httpx2
import psutil

from shared.settings import PREFIX
from tests.support.alive import alive
from tests.support.processes import Program, launch
from tests.support.servers import free_ports
from tests.support.waiting import eventually

# More than the launcher gives one part: several starts at once on a busy machine take long, one after the other.
READY_SECONDS = 150
COMMAND = [sys.executable, "-m", "cli", "up"]
FORKED = "tests.support.forked_launcher"
# Starts one that follows it.
PARENT = "tests.support.launching_parent"


class Launcher:
    """One `mlmini up`, with ports of its own unless the test names some."""

    def __init__(
        self,
        home: Path,
        variables: Mapping[str, str] | None = None,
        *,
        command: list[str] | None = None,
        module: str = FORKED,
        ports: bool = True,
    ) -> None:
        """Forked ones and their parts have no command line of their own; with a `command`, nothing is forked.

        A forked one is what `module` is when it is run as a program.
        """
        self.home = home
        self._output = home.with_name(f"output-{token_hex(4)}.txt")
        api, flower = free_ports(2)
        own = {"MLMINI_PORT": str(api), "MLMINI_FLOWER_PORT": str(flower)} if ports else {}
        # No lines are counted: each of its parts would take a third longer, and has tests of its own.
        kept = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "COVERAGE_"))}
        # Two folds promise intervals as five do, and take a third of the time.
        few = {"MLMINI_FOLDS": "2"}
        env = kept | own | few | {"MLMINI_HOME": str(home)} | dict(variables or {})
        with self._output.open("wb") as output:
            if command is None and sys.platform == "linux":
                self.process: Program = launch(
                    [module, "up"], env=env, cwd=home.parent, output=output, new_session=True
                )
            else:
                self.process = subprocess.Popen(
                    command or COMMAND,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=home.parent,
                    start_new_session=True,
                )

    @property
    def output(self) -> str:
        """What it showed so far."""
        return self._output.read_text()

    def wait_ready(self) -> "Launcher":
        """Return when it says that everything runs."""
        eventually(lambda: "Stop  " in self.output or self.process.poll() is not None, timeout=READY_SECONDS)
        assert self.process.poll() is None, self.output
        return self

    def wait(self, seconds: float = 90) -> int:
        """Return its exit status."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it goes on; it showed {self.output}") from None

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send it a signal and return its exit status."""
        self.process.send_signal(number)
        return self.wait()

    def family(self) -> list[psutil.Process]:
        """Everything that it started, and what that started in turn."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def part(self, name: str) -> psutil.Process:
        """The process of a part, by its name, or by a whole word that is in its command line only."""
        word = re.compile(rf"(^|[\s/]){name}(\s|$)")
        children = psutil.Process(self.process.pid).children()
        (found,) = [child for child in children if word.search(" ".join([child.name(), *child.cmdline()]))]
        return found

    def url(self, name: str) -> str:
        """A URL of the table that it showed."""
        found = re.search(rf"^  {name} +(http\S+)$", self.output, re.MULTILINE)
        assert found, self.output
        return found[1]

    def status_of(self, name: str) -> int:
        """The status with which a URL of the table is answered."""
        return httpx2.get(self.url(name), trust_env=False, follow_redirects=True, timeout=60).status_code

    def client(self) -> httpx2.Client:
        """A client of the API."""
        return httpx2.Client(base_url=self.url("Readiness").removesuffix("/readyz"), trust_env=False, timeout=60)


@contextmanager
def launched(
    home: Path,
    variables: Mapping[str, str] | None = None,
    *,
    command: list[str] | None = None,
    module: str = FORKED,
    ports: bool = True,
) -> Iterator[Launcher]:
    """A launcher with everything ready; whatever is left of it at the end is killed."""
    launcher = Launcher(home, variables, command=command, module=module, ports=ports)
    try:
        yield launcher.wait_ready()
    finally:
        # Its parts go with it, which has a test of its own.
        launcher.process.kill()
        launcher.process.wait()


def all_gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them runs any more."""
    return not any(map(alive, processes))
