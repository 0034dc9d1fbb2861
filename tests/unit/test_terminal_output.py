"""What the command line shows at a terminal cannot steer it, and what it writes into a file or a pipe is exact."""

import io
import pty
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cli import app
from cli.actions.logs import show_logs
from cli.actions.written_file import copy_text
from cli.client.connection import Client
from cli.client.errors import CommandFailed
from cli.doctor import run
from cli.doctor.examination import broken
from cli.render.output import Output
from cli.render.screen import complain, say

STEERING = "a\x1b]0;owned\x07\x1b[31mb\x7f\x9b2J"
_END = "that is all"
SHOWN = r"a\x1b]0;owned\x07\x1b[31mb\x7f\x9b2J"


class Terminal:
    """A terminal that takes the place of standard output and error for the time of a block; pytest does so, too."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.shown = ""

    @contextmanager
    def __call__(self) -> Iterator[None]:
        ours, theirs = pty.openpty()
        with open(ours, "rb", buffering=0) as screen, open(theirs, "w", encoding="utf-8", newline="") as stream:  # noqa: PTH123 - descriptors have no paths
            with self._patch.context() as patch:
                patch.setattr(sys, "stdout", stream)
                patch.setattr(sys, "stderr", stream)
                yield
            # What is written arrives in pieces.
            print(_END, end="", file=stream, flush=True)
            shown = ""
            while not shown.endswith(_END):
                shown += screen.read(2**16).decode()
            self.shown = shown.removesuffix(_END).replace("\r\n", "\n")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal with colours."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal(monkeypatch)


@pytest.fixture
def ill(monkeypatch: pytest.MonkeyPatch) -> None:
    """A doctor who finds one thing, with a name that steers."""
    monkeypatch.setattr(run, "_look", lambda _url: iter([broken("Home folder", STEERING, f"Mend {STEERING}")]))


@pytest.mark.usefixtures("ill")
def test_the_doctor_shows_escapes_at_a_terminal_and_keeps_its_colours(terminal: Terminal) -> None:
    with terminal():
        run.doctor(url=None, as_json=False)
    told = terminal.shown
    assert told.startswith(f"  \x1b[31m✗\x1b[0m Home folder   {SHOWN}\n")
    assert f"Mend {SHOWN}\n" in told
    assert told.count("\x1b") == 2


@pytest.mark.usefixtures("ill")
def test_the_doctor_writes_what_it_found_into_a_pipe(capfd: pytest.CaptureFixture[str]) -> None:
    run.doctor(url=None, as_json=False)
    assert capfd.readouterr().out.startswith(f"  ✗ Home folder   {STEERING}\n")


@pytest.mark.usefixtures("ill")
def test_the_doctors_json_has_no_character_that_steers(capfd: pytest.CaptureFixture[str]) -> None:
    run.doctor(url=None, as_json=True)
    told = capfd.readouterr().out
    assert told.removesuffix("\n").isprintable()
    assert r"\u001b[31mb\u007f\u009b2J" in told


@pytest.mark.parametrize("show", [say, complain])
def test_the_launcher_shows_escapes_at_a_terminal(terminal: Terminal, show: Callable[[str], None]) -> None:
    with terminal():
        show(STEERING)
    assert terminal.shown == f"{SHOWN}\n"


def test_an_error_shows_escapes_at_a_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise CommandFailed(f"There is no {STEERING}.")

    monkeypatch.setattr(app, "app", refuse)
    with terminal(), pytest.raises(SystemExit):
        app.main()
    assert terminal.shown == f"mlmini: There is no {SHOWN}.\n"


class _Logs(Client):
    """A client whose every answer is the same text."""

    def __init__(self) -> None:
        """No server is asked."""

    def text(self, call: Any, *, accept: str = "") -> str:  # noqa: ARG002 - whatever is asked
        return f"{STEERING}\n"


@pytest.mark.asvs("1.3.3")
def test_logs_show_escapes_at_a_terminal(terminal: Terminal) -> None:
    with terminal():
        show_logs(_Logs(), Output(), "id")
    assert terminal.shown == f"{SHOWN}\n"


def test_logs_in_a_pipe_are_exact(capfd: pytest.CaptureFixture[str]) -> None:
    show_logs(_Logs(), Output(), "id")
    assert capfd.readouterr().out == f"{STEERING}\n"


def written(file: Any) -> None:
    """A header and a row, which steer."""
    copy_text([f"name {STEERING},prediction\n", f"{STEERING},is {STEERING}\n"], file)


def test_predictions_at_a_terminal_show_escapes(terminal: Terminal) -> None:
    with terminal():
        written(sys.stdout)
    assert terminal.shown == f"name {SHOWN},prediction\n{SHOWN},is {SHOWN}\n"


def test_predictions_in_a_file_are_exact() -> None:
    file = io.StringIO()
    written(file)
    assert file.getvalue() == f"name {STEERING},prediction\n{STEERING},is {STEERING}\n"
