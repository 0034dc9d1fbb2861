"""What the job protocol promises, as plain Python without SQL: the answers and rows that the real one must give."""

from dataclasses import dataclass, field

from shared.jobs.rows import MIDDLE_PRIORITY
from shared.jobs.states import TERMINAL, TRANSITIONS, Kind, State

MAX_CRASHES = 3
MAX_TRANSIENT_FAILURES = 2


@dataclass(frozen=True)
class Event:
    """One line of a job's history."""

    before: str | None
    after: str
    epoch: int
    actor: str


@dataclass
class ModelJob:
    """The predicted row of one job and its predicted history. Each method is one act and returns its answer."""

    kind: Kind
    priority: int = MIDDLE_PRIORITY
    status: State = State.QUEUED
    epoch: int = 0
    attempt: int = 0
    crashes: int = 0
    transients: int = 0
    due: bool = True
    told: bool = False
    lease_valid: bool = False
    cancel_asked: bool = False
    # The epoch of the attempt whose usage the job shows.
    used_by: int | None = None
    lines: list[tuple[int, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=lambda: [Event(None, State.QUEUED, 0, "api")])

    @property
    def ended(self) -> bool:
        """Whether nothing may change any more."""
        return self.status in TERMINAL

    @property
    def expired(self) -> bool:
        """Whether it may be taken away from its attempt."""
        return self.status is State.RUNNING and not self.lease_valid

    @property
    def waits(self) -> bool:
        """Whether a worker may begin it now."""
        return self.status is State.QUEUED and self.due

    def owned_by(self, epoch: int) -> bool:
        """Whether the attempt of that epoch may still decide anything."""
        return self.status is State.RUNNING and self.epoch == epoch

    def claim(self, worker: str) -> bool:
        """Whether the worker gets the job."""
        if not self.waits:
            return False
        self.epoch += 1
        self.attempt += 1
        self.lease_valid = True
        self._go(State.RUNNING, act="claim", actor=worker)
        return True

    def beat(self, epoch: int) -> bool:
        """Whether the lease was renewed."""
        if not self.owned_by(epoch):
            return False
        self.lease_valid = True
        return True

    def say(self, epoch: int, number: int, text: str) -> None:
        """Add a line of an attempt, unless it has lost the job or has said it before."""
        said = sum(line_epoch == epoch for line_epoch, _ in self.lines)
        if self.owned_by(epoch) and number == said + 1:
            self.lines.append((epoch, text))

    def succeed(self, epoch: int, worker: str) -> bool:
        """Whether the attempt may commit."""
        if not self.owned_by(epoch) or self.cancel_asked:
            return False
        self._go(State.SUCCEEDED, act="succeed", actor=worker)
        return True

    def fail(self, epoch: int, worker: str) -> State | None:
        """Where the job is afterwards; None when the attempt does not own it."""
        return self._leave(State.FAILED, epoch=epoch, act="fail", worker=worker)

    def retry(self, epoch: int, worker: str, *, delayed: bool) -> State | None:
        """Like `fail`."""
        if self.owned_by(epoch):
            self.transients += 1
            self.due = not delayed
        after = State.FAILED if self.transients > MAX_TRANSIENT_FAILURES else State.QUEUED
        return self._leave(after, epoch=epoch, act="retry", worker=worker)

    def crash(self, epoch: int, worker: str) -> State | None:
        """Like `fail`."""
        if self.owned_by(epoch):
            self.crashes += 1
        return self._leave(self._after_crash(), epoch=epoch, act="crash", worker=worker)

    def hand_back(self, epoch: int, worker: str) -> State | None:
        """Like `fail`."""
        return self._leave(State.QUEUED, epoch=epoch, act="hand_back", worker=worker)

    def confirm_cancel(self, epoch: int, worker: str) -> State | None:
        """Like `fail`; None also when no cancel was requested."""
        if not self.cancel_asked:
            return None
        return self._leave(State.CANCELLED, epoch=epoch, act="confirm_cancel", worker=worker)

    def rescue(self, rescuer: str) -> State | None:
        """Like `fail`, with an expired lease instead of ownership."""
        if not self.expired:
            return None
        self.epoch += 1
        self.crashes += not self.cancel_asked
        return self._leave(self._after_crash(), epoch=self.epoch, act="rescue", worker=rescuer)

    def cancel(self) -> bool:
        """Whether the cancel is accepted."""
        if self.ended:
            return False
        self.cancel_asked = True
        if self.status is State.QUEUED:
            self._go(State.CANCELLED, act="cancel", actor="api")
        return True

    def _after_crash(self) -> State:
        return State.QUARANTINED if self.crashes >= MAX_CRASHES else State.QUEUED

    def _leave(self, after: State, *, epoch: int, act: str, worker: str) -> State | None:
        if not self.owned_by(epoch):
            return None
        self._go(State.CANCELLED if self.cancel_asked else after, act=act, actor=worker)
        return self.status

    def _go(self, after: State, *, act: str, actor: str) -> None:
        assert act in TRANSITIONS[self.status][after], f"{act} may not lead from {self.status} to {after}"
        self.events.append(Event(self.status, after, self.epoch, actor))
        if self.status is State.RUNNING:
            self.used_by = None if act == "rescue" else self.epoch
        self.status = after
        # A job that comes back is news to everybody.
        self.told = False
