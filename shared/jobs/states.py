"""The states of a job and the only transitions between them."""

from enum import StrEnum


class Kind(StrEnum):
    """What a job does."""

    TRAIN = "train"
    PROMOTE = "promote"
    PREDICT = "predict"
    COMPILE = "compile"
    REPRODUCE = "reproduce"


class State(StrEnum):
    """Where a job is; the value is what clients see as `status`."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    QUARANTINED = "quarantined"


TERMINAL = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.QUARANTINED})

# From each state: where it may go, and by which acts.
TRANSITIONS: dict[State, dict[State, frozenset[str]]] = {
    State.QUEUED: {
        State.RUNNING: frozenset({"claim"}),
        State.CANCELLED: frozenset({"cancel"}),
    },
    State.RUNNING: {
        State.SUCCEEDED: frozenset({"succeed"}),
        State.FAILED: frozenset({"fail", "retry"}),
        State.QUEUED: frozenset({"retry", "crash", "hand_back", "rescue"}),
        State.CANCELLED: frozenset({"confirm_cancel", "fail", "retry", "crash", "hand_back", "rescue"}),
        State.QUARANTINED: frozenset({"crash", "rescue"}),
    },
}


def may_follow(before: State, after: State) -> bool:
    """Whether the table has a transition from `before` to `after`."""
    return after in TRANSITIONS.get(before, {})
