"""What jobs do: one file for each kind, which has the kind's name.

A file has `run`, which does the work of an attempt and returns its effect, and `success_line`, which says in the log of
the job what came of it.
"""

from importlib import import_module
from typing import Any, Protocol, cast

from shared.jobs.states import Kind
from worker.attempt import Attempt, Effect


class Task(Protocol):
    """What the file of a kind has."""

    def run(self, attempt: Attempt) -> Effect:
        """Do everything up to the commit."""
        ...

    def success_line(self, result: dict[str, Any]) -> str:
        """The last line in the log of a job that succeeded."""
        ...


# All of them at the start: a file that is missing or broken shows there and not in the first job of its kind.
TASKS: dict[Kind, Task] = {kind: cast("Task", import_module(f"{__name__}.{kind}")) for kind in Kind}
