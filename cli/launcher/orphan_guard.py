"""Ends the parts when the launcher is gone, on systems whose kernel does not (see `shared.processes`).

`python -m cli.launcher.orphan_guard` is a process that reads the ids of process groups from its standard input. That
input ends when the launcher does, however it ends, and then the guard kills the groups.
"""

import subprocess
import sys
from contextlib import suppress

from shared.processes import kill_group


class Guard:
    """The launcher's side."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli.launcher.orphan_guard"], stdin=subprocess.PIPE, start_new_session=True
        )

    def watch(self, group: int) -> None:
        """Have a process group end with the launcher."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.write(f"{group}\n".encode())
                self._process.stdin.flush()

    def close(self) -> None:
        """Have the groups end now, and wait for it."""
        self._process.communicate()


def main() -> None:
    """The guard's side."""
    groups = [int(line) for line in sys.stdin]
    for group in groups:
        kill_group(group)


if __name__ == "__main__":
    main()
