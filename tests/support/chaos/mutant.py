"""A worker that lacks one of the things by which jobs are not lost or doubled: `python -m tests.support.chaos.mutant`.

Only the checker of the chaos run is tested with it: a run with such a worker must not look as if all were well.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import ColumnElement, and_, bindparam, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.hashing import digest_of
from shared.jobs import claims, endings, logs
from shared.jobs.claims import JOBS, Claim
from shared.jobs.rows import JobRow
from shared.jobs.states import State
from shared.object_store.local import LocalStore
from shared.registry import artifact
from worker.__main__ import main
from worker.upkeep import Upkeep


def without_epoch_guard() -> None:
    """An attempt takes the job for its own as long as it runs, whoever runs it."""

    def still_claimed() -> ColumnElement[bool]:
        # What binds the guard binds an epoch, too.
        return and_(JOBS.c.id == bindparam("my_job"), bindparam("my_epoch") > 0, JOBS.c.status == State.RUNNING)

    for module in (claims, endings, logs):
        _replace(module, "still_claimed", still_claimed)


def without_commit_guard() -> None:
    """An attempt commits, whatever has become of the job."""

    def succeed(session: Session, claim: Claim) -> None:
        values = {"status": State.SUCCEEDED, "lease_until": None, "finished_at": Now()}
        session.execute(update(JobRow).where(JobRow.id == claim.job_id).values(**values))
        claims.record(
            session,
            claim.job_id,
            before=State.RUNNING,
            after=State.SUCCEEDED,
            epoch=claim.epoch,
            actor=claim.worker,
        )

    _replace(claims, "succeed", succeed)


def without_relay() -> None:
    """Nobody is told again of a job whose message was lost."""
    _replace(Upkeep, "relay", lambda _self: None)


def without_digest_check() -> None:
    """What is read from the store is taken for what was written there."""
    put_new = LocalStore.put_new

    def put_anything(self: LocalStore, bucket: str, key: str, source: Path, *, sha256: str) -> None:
        del sha256
        put_new(self, bucket, key, source, sha256=digest_of(source)[0])

    _replace(artifact, "verify", lambda *_, **__: None)
    _replace(LocalStore, "put_new", put_anything)


def with_burned_crashes() -> None:
    """A job that a stopping worker hands back is counted as one that crashed."""
    hand_back = endings.hand_back

    def hand_back_and_count(session: Session, claim: Claim) -> State | None:
        session.execute(
            update(JOBS).where(claims.still_claimed()).values(crash_count=JOBS.c.crash_count + 1),
            claims.bind_claim(claim),
        )
        return hand_back(session, claim)

    _replace(endings, "hand_back", hand_back_and_count)


MUTATIONS: dict[str, Callable[[], None]] = {
    "epoch_guard": without_epoch_guard,
    "commit_guard": without_commit_guard,
    "relay": without_relay,
    "digest_check": without_digest_check,
    "right_count": with_burned_crashes,
}


def _replace(where: object, name: str, by: object) -> None:
    assert hasattr(where, name), f"{where} has no {name} any more"
    setattr(where, name, by)


if __name__ == "__main__":
    MUTATIONS[sys.argv[1]]()
    main()
