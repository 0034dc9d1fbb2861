"""The server's side of one run: the reports to its owner, and what the process prints."""

import contextlib
import json
import os
import socket
from resource import struct_rusage

_STEP_BYTES = 2**16
_LAST_BYTES = 4000


class Run:
    """One process that was forked.

    What it prints goes through a pipe, and only the end is kept, so that no process can fill a disk by printing.
    """

    def __init__(self, news: socket.socket, printed: int) -> None:
        """`news` is the socket to the owner, `printed` the reading end of the pipe."""
        os.set_blocking(printed, False)
        self.news = news
        self.printed = printed
        self._said = b""

    def tell(self, news: dict[str, object]) -> None:
        """Report to the owner."""
        # An owner that has closed its socket wants the run to end, or is dead.
        with contextlib.suppress(OSError):
            self.news.sendall(json.dumps(news).encode() + b"\n")

    def listen(self) -> bool:
        """Read some of what the process has printed; False when nobody can print any more."""
        try:
            chunk = os.read(self.printed, _STEP_BYTES)
        except BlockingIOError:
            return True
        self._said = (self._said + chunk)[-_LAST_BYTES:]
        return bool(chunk)

    def end(self, status: int, used: struct_rusage) -> None:
        """Report how the process ended and what it used, and close pipe and socket."""
        # One step reads all that a pipe can hold.
        self.listen()
        code = os.waitstatus_to_exitcode(status)
        self.tell(
            {
                "signal" if code < 0 else "exit_code": abs(code),
                "peak_memory_mb": round(used.ru_maxrss / 1024, 1),
                "cpu_seconds": round(used.ru_utime + used.ru_stime, 3),
                "said": self._said.decode(errors="replace"),
            }
        )
        os.close(self.printed)
        self.news.close()
