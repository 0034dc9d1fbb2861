"""`mlmini` as a process: in a pipe, and at a terminal of 80 columns."""

import json
import os
import pty
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ
from typing import Any

from shared.settings import PREFIX
from tests.support.processes import finish, launch

MODULE = "cli"
PROGRAM = [sys.executable, "-m", MODULE]
SECONDS = 120
WIDTH = 80

# What steers a terminal: colours, and moves of the cursor.
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOURS = re.compile(r"\x1b\[[0-9;]*(3[0-9]|4[0-7]|9[0-7]|38;[0-9;]+)m")


@dataclass(frozen=True)
class Ended:
    """What a process showed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output, which is JSON and nothing else."""
        return json.loads(self.out)


# Runs a verb and returns what it showed.
Verb = Callable[..., Ended]


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """The test's own environment without settings, and these variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return kept | dict(variables or {})


@dataclass(frozen=True)
class CommandLine:
    """`mlmini` in a folder, for one platform if there is a URL."""

    folder: Path
    url: str | None = None

    def variables(self, **more: str) -> dict[str, str]:
        """The environment of the process."""
        return environment(({"MLMINI_URL": self.url} if self.url else {}) | more)

    def run(self, *words: str, stdin: bytes = b"", **variables: str) -> Ended:
        """Run a verb in a pipe."""
        done = finish([MODULE, *words], env=self.variables(**variables), cwd=self.folder, given=stdin)
        ended = Ended(done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in ended.err, ended.err
        return ended

    def succeed(self, *words: str, stdin: bytes = b"", **variables: str) -> Ended:
        """Run a verb that has to work."""
        ended = self.run(*words, stdin=stdin, **variables)
        assert ended.status == 0, (words, ended)
        return ended

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start a verb whose end is not waited for, in a group of its own."""
        return subprocess.Popen(
            [*PROGRAM, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=self.variables(),
            start_new_session=True,
        )

    def at_terminal(self, *words: str, **variables: str) -> tuple[int, str]:
        """Run a verb at a terminal; its exit status and all that the terminal got."""
        ours, theirs = pty.openpty()
        ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
        with os.fdopen(theirs, "r+b", buffering=0) as terminal:
            process = launch(
                [MODULE, *words],
                stdin=theirs,
                output=terminal,
                cwd=self.folder,
                env=self.variables(TERM="xterm-256color", **variables),
                new_session=True,
            )
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:
            # So a terminal says that nobody is at its other end any more.
            pass
        os.close(ours)
        return process.wait(SECONDS), shown.decode()
