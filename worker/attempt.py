"""One attempt of one job: the claim and what its steps need."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from shared.jobs import claims, logs
from shared.jobs.claims import Claim
from shared.jobs.limits import cores_of, limits_of
from shared.machine import this_machine
from shared.sandbox import Ending
from worker.heartbeat import Heartbeat
from worker.runtime import Runtime

# Clients see this name as the one who brought a model to a stage. The worker's own name is only in the log, because it
# tells the name of a host.
ACTOR = "worker"

# Adds a job's effect to the transaction that ends the job, and returns the job's result.
Effect = Callable[[Session], dict[str, object]]


@dataclass
class Attempt:
    """The claim, its heartbeat and its private folder; `ending` is that of its computation, once it is over."""

    runtime: Runtime
    claim: Claim
    heartbeat: Heartbeat
    folder: Path
    ending: Ending | None = None
    began_at: float = field(default_factory=time.monotonic)

    @property
    def threads(self) -> int:
        """How many threads its computation may use: one for each core that it gets."""
        settings = self.runtime.settings
        limits = limits_of(self.claim.limits, settings)
        return cores_of(limits, machine_cores=this_machine().cores, slots=settings.worker_slots)

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

    def conclude(self, session: Session, text: str, **outcome: dict[str, object]) -> None:
        """Add a last line to the log, and what the attempt used, in the transaction that has just ended it.

        Of a success, `result` is what its effect turned out to be.
        """
        claims.put_outcome(session, self.claim, usage=self._usage(), **outcome)
        lines = self.heartbeat.lines.waiting_and(text)
        logs.add(session, self.claim.job_id, self.claim.epoch, lines, most=self.runtime.settings.job_log_lines)

    def _usage(self) -> dict[str, float | None]:
        """What the computation used, where there was one and somebody saw its end; the time of the whole."""
        ending = self.ending or Ending()
        return {
            "peak_memory_mb": ending.peak_memory_mb,
            "cpu_seconds": ending.cpu_seconds,
            "wall_seconds": round(time.monotonic() - self.began_at, 3),
            "cpus": None if self.ending is None else self.threads,
        }
