"""`mlmini` whose platform is forked from it, as it is from the zygote: `python -m tests.support.forked_launcher up`.

A launcher from the command line spends eight seconds of a core until its platform is ready, nearly all on imports.
The variable UNFORKED names the module of a part that starts from the command line all the same.
"""

import atexit
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from cli.app import main
from cli.demo import host
from cli.launcher import part
from tests.support.zygote import Forked, Wish, become, look

MODULE = "tests.support.forked_launcher"
UNFORKED = "UNFORKED_PART"
# These start a fork server.
_WITH_STEM = ("api.server", "worker")


class ForkedPart(Forked):
    """A forked process, with what `cli` uses of `subprocess.Popen` besides."""

    stdin = None

    def terminate(self) -> None:
        """Ask it to stop."""
        self.send_signal(signal.SIGTERM)


class Forking:
    """Stands in for the module `subprocess` in `cli`."""

    PIPE, DEVNULL, STDOUT = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT
    TimeoutExpired = subprocess.TimeoutExpired

    @staticmethod
    def Popen(command: Sequence[str], **how: Any) -> "ForkedPart | subprocess.Popen[bytes]":  # noqa: N802 - its name there
        """Fork what is a module of Python, and start all else."""
        python, *words = command
        # A fork of a process with threads has locks that nobody opens.
        forkable = python == sys.executable and threading.active_count() == 1
        if forkable and os.environ.get(UNFORKED) not in words:
            return _fork(words[words.index("-m") + 1 :], **how)
        return subprocess.Popen(command, **how)


def _fork(
    command: Sequence[str],
    *,
    env: dict[str, str],
    stdout: IO[bytes] = sys.stdout.buffer,
    cwd: Path = Path(),
    pass_fds: Sequence[int] = (),
    preexec_fn: Callable[[], None] = lambda: None,
    **_as_always: Any,
) -> ForkedPart:
    sys.stdout.flush()
    if pid := os.fork():
        return ForkedPart(pid, look)
    try:
        preexec_fn()
        # The only name that it can have: the command line is that of the zygote.
        Path("/proc/self/comm").write_text(command[0])
        _forget_the_launcher(stdout, kept=sorted(pass_fds))
        become(Wish(command, env, str(cwd), new_session=True, stem=command[0] in _WITH_STEM))
    except BaseException:  # noqa: BLE001 - nothing may get past this point into the launcher's own code
        traceback.print_exc()
    finally:
        os._exit(1)


def _forget_the_launcher(output: IO[bytes], *, kept: Sequence[int]) -> None:
    """Have no handler, no task at exit and no open file of the launcher."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    atexit._clear()
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    lowest = 3
    for descriptor in kept:
        os.closerange(lowest, descriptor)
        lowest = descriptor + 1
    os.closerange(lowest, os.sysconf("SC_OPEN_MAX"))


if __name__ == "__main__":
    for user in (part, host):
        setattr(user, "subprocess", Forking)  # noqa: B010 - a type checker sees a module there
    main()
