"""Checks of parts: what one tells, and how all are made at once, each within its time."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import PlatformError

LIMIT_SECONDS = 8.0


class CheckState(StrEnum):
    """Whether the platform can work with what was found."""

    OK = "ok"
    NOTE = "note"  # It works without, or makes it when it starts.
    BROKEN = "broken"


@dataclass(frozen=True)
class CheckResult:
    """One part: how it is, what was found, how to put it right, and whether it is one of the platform that runs."""

    part: str
    state: CheckState
    found: str
    hint: str = ""
    running: bool = False


Check = Callable[[], CheckResult]


def ok(part: str, found: str) -> CheckResult:
    """The part is well."""
    return CheckResult(part, CheckState.OK, found)


def note(part: str, found: str, hint: str) -> CheckResult:
    """The part is missing, or not as it could be, and the platform can work."""
    return CheckResult(part, CheckState.NOTE, found, hint)


def broken(part: str, found: str, hint: str) -> CheckResult:
    """The platform cannot work like this."""
    return CheckResult(part, CheckState.BROKEN, found, hint)


def examine(checks: dict[str, Check]) -> Iterator[CheckResult]:
    """The results in the order of the checks; a check that hangs is left alone after its time."""
    began = time.monotonic()
    running = [_Running(part, check) for part, check in checks.items()]
    for each in running:
        yield each.result(began + LIMIT_SECONDS)


class _Running:
    """A check in a thread of its own, which does not keep the process from ending."""

    def __init__(self, part: str, check: Check) -> None:
        self._part = part
        self._check = check
        self._result: CheckResult | None = None
        self._thread = threading.Thread(target=self._run, name=f"doctor-{part}", daemon=True)
        self._thread.start()

    def result(self, deadline: float) -> CheckResult:
        self._thread.join(timeout=max(0.0, deadline - time.monotonic()))
        if self._result is None:
            hung = f"no answer within {LIMIT_SECONDS:g} s"
            return broken(self._part, hung, "Look at its log and its load, and at the network on the way to it.")
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._check()
        except PlatformError as error:
            self._result = broken(self._part, "cannot be used", error.detail)
        except Exception as error:  # noqa: BLE001 - one check that breaks must not hide the others
            kind = type(error).__name__
            self._result = broken(
                self._part, f"the check itself failed ({kind})", "This is a bug of `mlmini doctor`: report it."
            )
