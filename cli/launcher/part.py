"""One process of the platform: started in a session of its own, watched, and ended with all that it started."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cli.launcher.home_lock import fresh_log, older_log
from shared.processes import follow_parent, kill_group

_TAIL_BYTES = 16_384
# A longer log is started again; with the older one, twice as much is kept of each part.
LOG_BYTES = 10_000_000


class Part:
    """A started process. Create it from the main thread: the kernel ends it when the thread that forked it ends."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        home: Path,
        environment: Mapping[str, str],
        stdin: str = "",
        descriptors: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.log = fresh_log(home, name.lower())
        self.started = time.monotonic()
        launcher = os.getpid()
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=home,
                env=dict(environment),
                pass_fds=descriptors,
                # Ctrl-C in the terminal reaches the launcher alone, which then stops the parts in order.
                start_new_session=True,
                # Safe here: the launcher starts its threads after the last part.
                preexec_fn=lambda: follow_parent(signal.SIGKILL, parent=launcher),  # noqa: PLW1509 - see above
            )
        if self._process.stdin is not None:
            with suppress(BrokenPipeError), self._process.stdin as pipe:
                pipe.write(stdin.encode())

    @property
    def pid(self) -> int:
        """The process's id, which is also that of its group."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    @property
    def status(self) -> int:
        """The exit status of a process that has ended; negative for the signal that ended it."""
        return int(self._process.returncode)

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        if self.status < 0:
            return f"was ended by {signal.Signals(-self.status).name}"
        return f"ended with status {self.status}"

    def tail(self, lines: int) -> list[str]:
        """The last lines of its log."""
        with self.log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return file.read().decode(errors="replace").splitlines()[-lines:]

    def limit_log(self) -> None:
        """Move the contents of a long log to where the log of the run before is.

        The process keeps its file open, so the file stays and is emptied; what is written to it goes to its end.
        """
        if self.log.stat().st_size > LOG_BYTES:
            with self.log.open("r+b") as full, older_log(self.log).open("wb") as older:
                shutil.copyfileobj(full, older)
                full.truncate(0)

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the process, which knows how to stop what it has started."""
        if not self.ended:
            self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL to the process and to what is left of its group."""
        kill_group(self.pid)
        self._process.wait()
