"""One attempt of one job: the claim and what its steps need."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from shared.errors import DatabaseUnavailable
from shared.jobs import lifecycle
from shared.jobs.lifecycle import Claim
from shared.logging import get_logger
from worker.heartbeat import Heartbeat
from worker.runtime import Runtime

log = get_logger(__name__)

_PROGRESS_SECONDS = 0.5

# Adds a job's effect to the transaction that ends the job, and returns the job's result.
Effect = Callable[[Session], dict[str, object]]


@dataclass
class Attempt:
    """The claim, its heartbeat and its private folder."""

    runtime: Runtime
    claim: Claim
    heartbeat: Heartbeat
    folder: Path
    _shown: tuple[int, str] = (0, "reading")
    _shown_at: float = field(default_factory=time.monotonic)

    def check(self) -> None:
        """Return while the attempt may go on.

        Raises:
            Stopping: when this worker stops.
            Fenced, CancelRequested: as the heartbeat learned.
        """
        self.heartbeat.check()
        self.runtime.raise_if_stopping()

    def show(self, percent: int, step: str) -> None:
        """Show progress on the job, not more often than people can see. A database that is away misses it."""
        now = time.monotonic()
        if (percent, step) == self._shown or now - self._shown_at < _PROGRESS_SECONDS:
            return
        self._shown, self._shown_at = (percent, step), now
        try:
            with self.runtime.database.write() as session:
                lifecycle.report_progress(session, self.claim, percent=percent, step=step)
        except DatabaseUnavailable:
            log.info("progress_not_shown", step=step)

    def show_progress_of_computation(self) -> None:
        """Show what the computing process wrote about itself."""
        try:
            said = json.loads((self.folder / "progress.json").read_bytes())
        except FileNotFoundError:
            return
        self.show(said["percent"], said["step"])
