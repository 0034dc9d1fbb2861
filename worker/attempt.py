"""One attempt of one job: the claim and what its steps need."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from shared.jobs import logs
from shared.jobs.lifecycle import Claim
from worker.heartbeat import Heartbeat
from worker.runtime import Runtime
from worker.work import PROGRESS_FILE

# Who brought a model to a stage, as clients see it. Which worker it was is in the log: hosts are nobody's business.
ACTOR = "worker"

# Adds a job's effect to the transaction that ends the job, and returns the job's result.
Effect = Callable[[Session], dict[str, object]]


@dataclass
class Attempt:
    """The claim, its heartbeat and its private folder."""

    runtime: Runtime
    claim: Claim
    heartbeat: Heartbeat
    folder: Path

    def check(self) -> None:
        """Return while the attempt may go on.

        Raises:
            Stopping: when this worker stops.
            Fenced, CancelRequested: as the heartbeat learned.
        """
        self.heartbeat.check()
        self.runtime.raise_if_stopping()

    def show(self, percent: int, step: str) -> None:
        """Show progress on the job."""
        self.heartbeat.show(percent, step)

    def say(self, text: str) -> None:
        """Add a line to the job's log; returns at once."""
        if text.strip():
            self.heartbeat.lines.say(text)

    def conclude(self, session: Session, text: str) -> None:
        """Complete the log with a last line, in the transaction that has just ended the attempt."""
        lines = self.heartbeat.lines.waiting_and(text)
        logs.add(session, self.claim.job_id, self.claim.epoch, lines, most=self.runtime.settings.job_log_lines)

    def show_progress_of_computation(self) -> None:
        """Show what the computing process wrote about itself."""
        try:
            said = json.loads((self.folder / PROGRESS_FILE).read_bytes())
        except FileNotFoundError:
            return
        self.show(said["percent"], said["step"])
