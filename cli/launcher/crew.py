"""The parts that run together: all of them, or none."""

import sys
import threading
import time
from collections.abc import Callable

from cli.launcher.errors import PartEnded, StartFailed, StopRequested
from cli.launcher.orphan_guard import Guard
from cli.launcher.part import Part
from cli.render.screen import say, tick
from shared.interruption import Interruption

READY_SECONDS = 60
_TAIL_LINES = 15
# How often the sizes of logs are checked. The end of a part is noticed at once.
LOOK_SECONDS = 5.0

# The order in which parts are asked to stop, and the longest wait before the next one, in seconds: first no more
# requests, then no more work, then what watched and carried it.
PATIENCE = {"Storage": 0.5, "API": 1.5, "Worker": 5.0, "Flower": 1.0, "Valkey": 0.5}
# What has not ended by then is killed.
STOP_SECONDS = 9


class Crew:
    """The running parts, and what tells the launcher to stop."""

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption
        self._parts: list[Part] = []
        self._expected: dict[Part, tuple[Callable[[], bool], str]] = {}
        self._guard: Guard | None = None if sys.platform == "linux" else Guard()

    def add(self, part: Part, *, ready: Callable[[], bool] | None = None, note: str = "") -> Part:
        """Watch a part, and stop it with the others.

        `wait_ready` waits for it until `ready` says that it is, and then shows the note beside it.
        """
        self._parts.append(part)
        if ready:
            self._expected[part] = (ready, note)
        if self._guard:
            self._guard.watch(part.pid)
        return part

    def remove(self, part: Part) -> None:
        """Forget a part, and end what is left of it."""
        part.kill()
        self._parts.remove(part)

    def pause(self, seconds: float) -> None:
        """Sleep until something happens, at most so long.

        Raises:
            StopRequested: when the launcher is asked to stop.
        """
        if not self._interruption.requests:
            self._interruption.wait(seconds)
        if self._interruption.requests:
            raise StopRequested

    def finish(self, part: Part) -> int:
        """Wait for a part that has one thing to do, and return its exit status.

        Raises:
            StartFailed: when it takes too long.
            StopRequested: when the launcher is asked to stop.
        """
        deadline = part.started + READY_SECONDS
        while not part.ended:
            if time.monotonic() > deadline:
                raise StartFailed(self.failure_report(part))
            self.pause(0.01)
        return part.status

    def wait_ready(self) -> None:
        """Show each part as it becomes ready; return when all are. No part may be started after this.

        Raises:
            StartFailed: when one ends, or is not ready in time.
            StopRequested: when the launcher is asked to stop.
        """
        waiting = {part: _watch(ready) for part, (ready, _) in self._expected.items()}
        deadline = time.monotonic() + READY_SECONDS
        while waiting:
            for part in [part for part, ready in waiting.items() if ready.is_set()]:
                tick(part.name, time.monotonic() - part.started, self._expected[part][1])
                del waiting[part]
            if waiting and time.monotonic() > deadline:
                raise StartFailed(self.failure_report(next(iter(waiting))))
            self._look()
            self.pause(0.02)

    def run(self) -> None:
        """Wait for something to end the run.

        Raises:
            PartEnded: when a part ends by itself.
            StopRequested: when the launcher is asked to stop.
        """
        while True:
            self._look()
            for part in self._parts:
                part.limit_log()
            self.pause(LOOK_SECONDS)

    def stop(self) -> None:
        """Stop all parts in order. Another request to stop, while this one is under way, kills what is left."""
        began, asked = time.monotonic(), self._interruption.requests
        parts = sorted(self._parts, key=lambda part: list(PATIENCE).index(part.name))
        if parts:
            say(f"Stopping {', '.join(part.name for part in parts if not part.ended)} ...")
        for part in parts:
            part.ask_to_stop()
            self._await_end(part, seconds=PATIENCE[part.name], asked=asked)
        for part in parts:
            self._await_end(part, seconds=began + STOP_SECONDS - time.monotonic(), asked=asked)
            if not part.ended:
                say(f"  {part.name} did not stop and is killed.")
            part.kill()
        if parts:
            say(f"Stopped in {time.monotonic() - began:.1f} s.")
        self._parts.clear()
        if self._guard:
            self._guard.close()

    def _await_end(self, part: Part, *, seconds: float, asked: int) -> None:
        deadline = time.monotonic() + seconds
        while not part.ended and self._interruption.requests == asked and time.monotonic() < deadline:
            self._interruption.wait(0.05)

    def failure_report(self, part: Part) -> str:
        """What happened to a part, with the last lines of its log."""
        what = part.ending if part.ended else f"is not ready after {READY_SECONDS} s"
        lines = "".join(f"\n    {line}" for line in part.tail(_TAIL_LINES)) or "\n    (nothing)"
        return f"{part.name} {what}. Everything else is stopped. The last lines of {part.log}:{lines}"

    def _look(self) -> None:
        for part in self._parts:
            if part.ended:
                raise PartEnded(self.failure_report(part))


def _watch(check: Callable[[], bool]) -> threading.Event:
    """An event that is set once the check passes; checks run in threads, because a part may be slow to answer."""
    ready = threading.Event()

    def look() -> None:
        while not check():
            time.sleep(0.02)
        ready.set()

    threading.Thread(target=look, daemon=True).start()
    return ready
