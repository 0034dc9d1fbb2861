"""Makes all checks at once and gives each one its time."""

import threading
import time
from collections.abc import Callable, Iterator

from cli.doctor.finding import Finding, broken
from shared.errors import PlatformError

LIMIT_SECONDS = 8.0

Check = Callable[[], Finding]


def examine(checks: dict[str, Check]) -> Iterator[Finding]:
    """The findings in the order of the checks; one that hangs is left alone after its time."""
    began = time.monotonic()
    running = [_Running(part, check) for part, check in checks.items()]
    for each in running:
        yield each.finding(began + LIMIT_SECONDS)


class _Running:
    """A check in a thread of its own, which does not keep the process from ending."""

    def __init__(self, part: str, check: Check) -> None:
        self._part = part
        self._check = check
        self._found: Finding | None = None
        self._thread = threading.Thread(target=self._run, name=f"doctor-{part}", daemon=True)
        self._thread.start()

    def finding(self, deadline: float) -> Finding:
        self._thread.join(timeout=max(0.0, deadline - time.monotonic()))
        if self._found is None:
            hung = f"no answer within {LIMIT_SECONDS:g} s"
            return broken(self._part, hung, "Look at its log and its load, and at the network on the way to it.")
        return self._found

    def _run(self) -> None:
        try:
            self._found = self._check()
        except PlatformError as error:
            self._found = broken(self._part, "cannot be used", error.detail)
        except Exception as error:  # noqa: BLE001 - a doctor that dies of what he finds tells nothing of the rest
            kind = type(error).__name__
            self._found = broken(self._part, f"the check failed ({kind})", "This is a fault of the doctor: report it.")
