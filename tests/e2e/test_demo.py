"""`mlmini demo` as a process, from an empty folder to predictions; what it shows beside that works when pasted."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.support.alive import kill_each
from tests.support.command_line import MODULE, CommandLine, environment
from tests.support.launcher import FORKED, all_gone
from tests.support.processes import launch
from tests.support.servers import free_ports
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(300)

# A command begins a line and ends before the next empty one.
COMMAND = re.compile(r"^curl (?:.|\n(?!\n))+", re.MULTILINE)


class Demo:
    """One `mlmini demo` in a folder, with ports of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        api, flower = free_ports(2)
        self.url = f"http://127.0.0.1:{api}"
        self._shown = folder / "shown.txt"
        ports = {
            "MLMINI_PORT": str(api),
            "MLMINI_FLOWER_PORT": str(flower),
            "MLMINI_EXAMPLES": "0",
            "MLMINI_FOLDS": "2",
        }
        # Elsewhere nothing is forked.
        forked = sys.platform == "linux"
        with self._shown.open("wb") as output:
            self.process = launch(
                [FORKED if forked else MODULE, "demo", *words],
                cwd=folder,
                env=environment(ports),
                output=output,
                new_session=True,
                forked=forked,
            )

    @property
    def shown(self) -> str:
        """What it showed so far."""
        return self._shown.read_text()

    def children(self) -> list[psutil.Process]:
        """All that it started."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def demo(folder: Path, *words: str) -> Iterator[Demo]:
    """A demo; whatever is left of it at the end is killed."""
    started = Demo(folder, *words)
    try:
        yield started
    finally:
        kill_each(started.children() if started.process.poll() is None else [])
        started.process.kill()
        started.process.wait()


def test_the_demo_walks_to_predictions_and_every_command_that_it_shows_works(tmp_path: Path) -> None:
    with demo(tmp_path, "--keep") as first:
        eventually(lambda: "Ctrl-C stops it" in first.shown or first.process.poll() is not None, timeout=150)
        assert "The platform goes on" in first.shown, first.shown
        children = first.children()
        assert_shown(first)
        run_commands(first.shown)

        # Again, on the platform that runs: the same bytes are the same version, the models are new ones.
        again = CommandLine(tmp_path).succeed("demo")
        assert re.search(r"^Version +1\n", again.out, re.MULTILINE)
        assert "serves in production" in again.out
        with httpx2.Client(base_url=first.url, trust_env=False, timeout=60) as client:
            assert client.get("/datasets/penguins").json()["version"] == 1
            assert len(client.get("/models").json()["items"]) == 6

        first.process.send_signal(signal.SIGINT)
        assert first.process.wait(timeout=60) == 0
        eventually(lambda: all_gone(children), timeout=60)
        assert "killed" not in first.shown
    assert not (tmp_path / ".mlmini" / "addresses.json").exists()


def assert_shown(shown_by: Demo) -> None:
    shown = shown_by.shown
    for step in ("Upload a table", "Train three estimators at once", "Compare the models", "Predict", "Go on"):
        assert re.search(rf"^\d\. {step}", shown, re.MULTILINE)
    for stage in ("staging", "production"):
        assert re.search(rf"^\d\. Promote version \d to {stage}", shown, re.MULTILINE)
    for estimator in ("LogisticRegression", "RandomForestClassifier", "HistGradientBoostingClassifier"):
        assert f"{estimator}: succeeded" in shown
    assert f"Swagger UI  {shown_by.url}/docs" in shown


def run_commands(shown: str) -> None:
    if not (shutil.which("curl") and shutil.which("bash")):
        pytest.skip("there is no curl, or no bash")
    commands = COMMAND.findall(shown)
    # An upload, three trainings and the look at each, a comparison, two promotions, a prediction.
    assert len(commands) == 11
    for command in commands:
        # An error status is to be a failure here.
        subprocess.run(["bash", "-c", command.replace("curl -s", "curl -sSf --noproxy '*'", 1)], check=True)


@pytest.mark.thorough
def test_a_demo_that_nobody_watches_stops_the_platform_that_it_started(tmp_path: Path) -> None:
    with demo(tmp_path) as started:
        eventually(lambda: "Upload a table" in started.shown or started.process.poll() is not None, timeout=90)
        children = started.children()
        assert children
        assert started.process.wait(timeout=120) == 0, started.shown
        eventually(lambda: all_gone(children), timeout=60)
    assert "serves in production" in started.shown
    assert started.shown.rstrip().endswith("Stopped. `make run` starts it again, on the same data.")


def test_a_demo_that_is_interrupted_takes_its_platform_along(tmp_path: Path) -> None:
    with demo(tmp_path) as started:
        eventually(lambda: "Upload a table" in started.shown or started.process.poll() is not None, timeout=90)
        children = started.children()
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(timeout=60) == 130
        eventually(lambda: all_gone(children), timeout=60)


def test_a_named_platform_that_is_away_is_not_started(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path, f"http://127.0.0.1:{free_ports(1)[0]}").run("demo")
    assert ended.status == 3
    assert "Nothing answers at" in ended.err
    assert not (tmp_path / ".mlmini").exists()


def test_a_platform_that_cannot_start_is_told(tmp_path: Path) -> None:
    # Its launcher is the only one here that is started by the command line.
    ended = CommandLine(tmp_path).run("demo", MLMINI_PORT=str(free_ports(1)[0]), MLMINI_STORE="nowhere")
    assert ended.status == 1
    assert "MLMINI_STORE" in ended.err
    assert "could not be started" in ended.err
