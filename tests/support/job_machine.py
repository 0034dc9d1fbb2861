"""Three workers, their stale claims and impatient clients, in any order that Hypothesis thinks of."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.counters import CounterRow
from shared.database import Database
from shared.errors import AlreadyInStage, IdempotencyKeyReused, JobEnded
from shared.jobs import acceptance, claims, delivery, endings, expiry, logs, rescue
from shared.jobs.acceptance import IdempotencyKey, fingerprint
from shared.jobs.claims import Claim, Fenced
from shared.jobs.endings import Failure
from shared.jobs.logs import Line
from shared.jobs.rows import MIDDLE_PRIORITY, IdempotencyKeyRow, JobEventRow, JobRow
from shared.jobs.states import Kind, State, may_follow
from shared.registry.promotion import Promotion, check_promotion, commit_promotion
from shared.registry.rows import DeploymentRow, RegistryRow
from shared.registry.versions import take_model_version
from tests.support.job_model import MAX_CRASHES, MAX_TRANSIENT_FAILURES, Event, ModelJob
from tests.support.registry import COPIED, STAGES, clean, register_model

WORKERS = ("worker-1", "worker-2", "worker-3")
LEASE_SECONDS = 3600
MOST_LINES = 1000
FAILURE = Failure("test", "A fault for the test.")

ENDINGS = ("fail", "retry now", "retry later", "crash", "hand_back", "confirm_cancel")
workers = st.sampled_from(WORKERS)

T = TypeVar("T")


class JobProtocol(RuleBasedStateMachine):
    """Does each act on the database and on the model, and compares the answers and all rows."""

    # Hypothesis makes the machines and passes nothing: `on` binds the database.
    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.data = clean(self.database)
        self.model: dict[UUID, ModelJob] = {}
        self.claims: list[Claim] = []
        self.keys: dict[str, tuple[UUID, dict[str, Any]]] = {}
        self.numbers: dict[tuple[UUID, int], int] = {}
        self.registered: dict[int, UUID] = {}
        self.plans: dict[tuple[UUID, int], Promotion] = {}
        self.promoted: dict[int, UUID] = {}
        self.frozen: dict[UUID, tuple[object, ...]] = {}
        # Those that nobody has used again since they ran out.
        self.expired_keys: set[str] = set()
        # How many steps there were, and how many in a row, up to which one, forgot what is old.
        self.steps = 0
        self.forgot, self.forgot_at = 0, 0

    # Few rules with several acts each: Hypothesis leaves whole rules out of a run, and most acts need the others.

    @initialize(promote=st.booleans())
    def start_with_a_job(self, promote: bool) -> None:
        self._accept_train(key=None, body={})
        if promote:
            self._claim(next(iter(self.model)), WORKERS[0])
            self._commit(self.claims[0])
            self._accept_promotion_twice(version=1)

    @precondition(lambda self: len(self._in(State.QUEUED, State.RUNNING)) < 3)
    @rule(data=st.data())
    def accept(self, data: st.DataObject) -> None:
        promote: bool = bool(self.registered) and data.draw(st.booleans())
        if promote:
            self._accept_promotion_twice(version=data.draw(st.sampled_from(sorted(self.registered))))
        else:
            key = data.draw(st.sampled_from(["red", "green", None, None]))
            body = data.draw(st.sampled_from([{"n": 1}, {"n": 2}]))
            self._accept_train(key=key, body=body, priority=data.draw(st.sampled_from([0, MIDDLE_PRIORITY, 9])))

    @precondition(lambda self: self._in(State.RUNNING))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job = _draw(data, self._in(State.RUNNING), list(self.model))
        allowed = self.model[job].cancel()
        try:
            with self.database.write() as session:
                row = acceptance.cancel(session, job)
        except JobEnded:
            assert not allowed
        else:
            assert allowed
            assert row.status == self.model[job].status

    @precondition(lambda self: self._can_run_out())
    @rule(data=st.data())
    def run_out(self, data: st.DataObject) -> None:
        run_out, what = data.draw(st.sampled_from(self._can_run_out()))
        run_out(what)

    @precondition(lambda self: self._in(State.QUEUED))
    @rule(data=st.data(), worker=workers)
    def claim(self, data: st.DataObject, worker: str) -> None:
        job = _draw(data, [job for job in self._in(State.QUEUED) if self.model[job].due], list(self.model))
        self._claim(job, worker)

    @precondition(lambda self: self._in(State.QUEUED))
    @rule(limit=st.sampled_from([1, 100]))
    def relay(self, limit: int) -> None:
        unseen = [job for job in self.model.values() if job.waits and not job.told]
        with self.database.write() as session:
            taken = delivery.take_unpublished(session, limit=limit, quiet_seconds=LEASE_SECONDS)
        assert len(taken) == min(limit, len(unseen))
        expected = sorted(job.priority for job in unseen)[: len(taken)]
        assert [each.priority for each in taken] == expected, "the lower priority goes first"
        for each in taken:
            job = self.model[each.job_id]
            assert job in unseen, "told twice, or of a job that cannot be begun"
            job.told = True

    @rule()
    def forget(self) -> None:
        """Every second step forgets, for nothing else can always be done: in a row, the third time changes nothing."""
        self.forgot = self.forgot + 1 if self.forgot_at == self.steps - 1 else 1
        self.forgot_at = self.steps
        if self.forgot > 2:
            return
        with self.database.write() as session:
            assert expiry.forget_keys(session, expiry.expired_keys(session)) == len(self.expired_keys)
            old = expiry.old_logs(session, keep_days=-1)
            assert set(old) == {job_id for job_id, job in self.model.items() if job.ended and job.lines}
            expiry.forget_logs(session, old)
        self.expired_keys.clear()
        for job_id in old:
            self.model[job_id].lines.clear()

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), what=st.sampled_from(["beat", "look", "number", "say", "say again"]))
    def go_on(self, data: st.DataObject, what: str) -> None:
        claim = self._some_claim(data)
        if what == "beat":
            self._beat(claim)
        elif what == "look":
            self._look_for_a_cancel(claim)
        elif what.startswith("say"):
            self._say(claim, again=what == "say again")
        elif claim.kind is Kind.TRAIN:
            self._number(claim)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        self._commit(self._some_claim(data))

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), how=st.sampled_from(ENDINGS))
    def end_without_effect(self, data: st.DataObject, how: str) -> None:
        self._end(self._some_claim(data), how)

    @precondition(lambda self: self._in(State.RUNNING))
    @rule(data=st.data(), worker=workers)
    def rescue(self, data: st.DataObject, worker: str) -> None:
        expired = [job_id for job_id, job in self.model.items() if job.expired]
        job = _draw(data, expired, self._in(State.RUNNING))
        with self.database.write() as session:
            assert set(rescue.abandoned(session)) == set(expired)
            state = rescue.rescue(session, job, actor=worker, max_crashes=MAX_CRASHES)
        assert state == self.model[job].rescue(worker)

    # What must hold after every step.

    @invariant()
    def everything_is_as_predicted(self) -> None:
        step, self.steps = self.steps, self.steps + 1
        if self.forgot_at == step and self.forgot > 2:
            return
        with self.database.read() as session:
            self._check_jobs({row.id: row for row in session.scalars(select(JobRow))})
            self._check_histories(session.scalars(select(JobEventRow).order_by(JobEventRow.seq)).all())
            self._check_effects(session)
            self._check_queue(session)
            self._check_logs(session)

    def _check_jobs(self, rows: dict[UUID, JobRow]) -> None:
        assert rows.keys() == self.model.keys()
        for job_id, job in self.model.items():
            row = rows[job_id]
            found = (row.status, row.epoch, row.attempt, row.crash_count, row.transient_count)
            assert found == (job.status, job.epoch, job.attempt, job.crashes, job.transients)
            assert (row.cancel_requested_at is not None) == job.cancel_asked
            assert (row.lease_until is not None) == (job.status is State.RUNNING)
            assert (row.finished_at is not None) == job.ended
            assert (row.result is not None) == (job.status is State.SUCCEEDED)
            assert row.usage == (None if job.used_by is None else usage_of(job.used_by))
            assert not (job.cancel_asked and row.status == State.SUCCEEDED)
            assert row.status != State.QUARANTINED or row.crash_count == MAX_CRASHES
            if job.ended:
                content = tuple(getattr(row, column.key) for column in JobRow.__mapper__.columns)
                assert self.frozen.setdefault(job_id, content) == content, "a terminal state changed"

    def _check_histories(self, rows: Sequence[JobEventRow]) -> None:
        for job_id, job in self.model.items():
            history = [row for row in rows if row.job_id == job_id]
            assert [row.seq for row in history] == list(range(1, len(history) + 1))
            assert [Event(row.from_state, row.to_state, row.epoch, row.actor) for row in history] == job.events
            check_path(history)
            check_claims(history)

    def _check_effects(self, session: Session) -> None:
        registry = {row.version: row.job_id for row in session.execute(select(RegistryRow.version, RegistryRow.job_id))}
        columns = select(DeploymentRow.version, DeploymentRow.stage).where(DeploymentRow.retired_at.is_(None))
        active = [(row.version, row.stage) for row in session.execute(columns)]
        counter = session.scalars(select(CounterRow.value).where(CounterRow.name == "model_version")).one()
        succeeded = self._in(State.SUCCEEDED)
        assert registry == self.registered
        assert sorted([*registry.values(), *self.promoted.values()]) == sorted(succeeded)
        expected = [(version, STAGES[0]) for version in registry] + [(version, STAGES[1]) for version in self.promoted]
        assert sorted(active) == sorted(expected)
        taken = list(self.numbers.values())
        assert taken == list(range(1, counter + 1)), "numbers rise in the order in which they were taken"

    def _check_queue(self, session: Session) -> None:
        due = delivery.due(session, limit=1000)
        waiting = {job_id: job for job_id, job in self.model.items() if job.waits}
        assert {each.job_id for each in due} == set(waiting)
        assert [each.priority for each in due] == sorted(job.priority for job in waiting.values())
        assert delivery.count_due(session) == len(waiting)

    def _check_logs(self, session: Session) -> None:
        kept = logs.read_many(session, [(job_id, 0) for job_id in self.model], limit=MOST_LINES)
        for job_id, job in self.model.items():
            assert [line.text for line in kept.get(job_id, [])] == [text for _, text in job.lines]

    # The parts of the acts above.

    def _in(self, *states: State) -> list[UUID]:
        return [job_id for job_id, job in self.model.items() if job.status in states]

    def _some_claim(self, data: st.DataObject) -> Claim:
        """One that is good, one whose job another attempt runs by now, or any."""
        good = [claim for claim in self.claims if self.model[claim.job_id].owned_by(claim.epoch)]
        running = [claim for claim in self.claims if self.model[claim.job_id].status is State.RUNNING]
        stale = [claim for claim in running if claim not in good]
        which: list[Claim] = data.draw(st.sampled_from([good, good, good, stale, stale, self.claims]))
        return data.draw(st.sampled_from(which or self.claims))

    def _accept_train(self, *, key: str | None, body: dict[str, Any], priority: int = MIDDLE_PRIORITY) -> None:
        known = self.keys.get(key) if key else None
        try:
            job_id = self._accept(Kind.TRAIN, body, key=key, priority=priority)
        except IdempotencyKeyReused:
            assert known is not None
            assert known[1] != body
            return
        if known is not None:
            assert known == (job_id, body)
            return
        self.model[job_id] = ModelJob(Kind.TRAIN, priority)
        if key:
            self.keys[key] = (job_id, body)
            self.expired_keys.discard(key)

    def _accept(
        self, kind: Kind, body: dict[str, Any], *, key: str | None = None, priority: int = MIDDLE_PRIORITY
    ) -> UUID:
        with self.database.write() as session:
            taken = IdempotencyKey("me", key, fingerprint(kind, body), keep_hours=24) if key else None
            job = acceptance.accept(
                session,
                kind=kind,
                request=body,
                dataset_name="iris",
                dataset_version_id=self.data.version_id,
                priority=priority,
                key=taken,
            )
            return job.id

    def _accept_promotion_twice(self, *, version: int) -> None:
        for _ in range(2):
            job_id = self._accept(Kind.PROMOTE, {"version": version})
            self.model[job_id] = ModelJob(Kind.PROMOTE)

    def _can_run_out(self) -> list[tuple[Callable[[Any], None], Any]]:
        leases = [(self._run_out_of_lease, job) for job in self._in(State.RUNNING) if not self.model[job].expired]
        delays = [(self._run_out_of_delay, job) for job in self._in(State.QUEUED) if not self.model[job].due]
        return [*leases, *delays, *((self._run_out_of_key, key) for key in self.keys)]

    def _run_out_of_key(self, key: str) -> None:
        with self.database.write() as session:
            session.execute(update(IdempotencyKeyRow).where(IdempotencyKeyRow.key == key).values(expires_at=Now(-1)))
        del self.keys[key]
        self.expired_keys.add(key)

    def _run_out_of_lease(self, job: UUID) -> None:
        with self.database.write() as session:
            session.execute(update(JobRow).where(JobRow.id == job).values(lease_until=Now(-1)))
        self.model[job].lease_valid = False

    def _run_out_of_delay(self, job: UUID) -> None:
        with self.database.write() as session:
            session.execute(update(JobRow).where(JobRow.id == job).values(run_at=Now()))
        self.model[job].due = True

    def _claim(self, job: UUID, worker: str) -> None:
        allowed = self.model[job].claim(worker)
        with self.database.write() as session:
            claim = claims.claim(session, job, worker=worker, lease_seconds=LEASE_SECONDS)
        assert (claim is not None) == allowed
        if claim is not None:
            assert claim.epoch == self.model[job].epoch
            self.claims.append(claim)
            if claim.kind is Kind.PROMOTE:
                self._plan(claim)

    def _beat(self, claim: Claim) -> None:
        with self.database.write() as session:
            renewed = claims.beat(session, claim, lease_seconds=LEASE_SECONDS)
        assert renewed == self.model[claim.job_id].beat(claim.epoch)

    def _look_for_a_cancel(self, claim: Claim) -> None:
        job = self.model[claim.job_id]
        try:
            with self.database.read() as session:
                asked = claims.cancel_requested(session, claim)
        except Fenced:
            assert not job.owned_by(claim.epoch)
        else:
            assert job.owned_by(claim.epoch)
            assert asked == job.cancel_asked

    def _say(self, claim: Claim, *, again: bool) -> None:
        job = self.model[claim.job_id]
        said = sum(epoch == claim.epoch for epoch, _ in job.lines)
        number = max(1, said) if again else said + 1
        text = f"line {number} of attempt {claim.attempt}"
        with self.database.write() as session:
            logs.append(session, claim, [Line(number, text)], most=MOST_LINES)
        job.say(claim.epoch, number, text)

    def _number(self, claim: Claim) -> int | None:
        """The version of the attempt; None when it is fenced before it has one."""
        attempt = (claim.job_id, claim.epoch)
        if attempt not in self.numbers:
            try:
                with self.database.write() as session:
                    number = take_model_version(session, claim)
            except Fenced:
                assert not self.model[claim.job_id].owned_by(claim.epoch)
                return None
            assert self.model[claim.job_id].owned_by(claim.epoch)
            self.numbers[attempt] = number
        return self.numbers[attempt]

    def _end(self, claim: Claim, how: str) -> None:
        with self.database.write() as session:
            state = self._ask_to_end(session, claim, how)
            if state is not None:
                claims.put_outcome(session, claim, usage=usage_of(claim.epoch))
        job = self.model[claim.job_id]
        match how:
            case "retry now" | "retry later":
                assert state == job.retry(claim.epoch, claim.worker, delayed=how == "retry later")
            case _:
                act: Callable[[int, str], State | None] = getattr(job, how)
                assert state == act(claim.epoch, claim.worker)

    def _ask_to_end(self, session: Session, claim: Claim, how: str) -> State | None:
        match how:
            case "retry now" | "retry later":
                delay = 3600 if how == "retry later" else 0
                most = MAX_TRANSIENT_FAILURES
                return endings.retry(session, claim, FAILURE, delay_seconds=delay, max_transient_failures=most)
            case "crash":
                return endings.crash(session, claim, FAILURE, max_crashes=MAX_CRASHES)
            case "hand_back":
                return endings.hand_back(session, claim)
            case "confirm_cancel":
                return endings.confirm_cancel(session, claim)
            case _:
                return endings.fail(session, claim, FAILURE)

    def _plan(self, claim: Claim) -> Promotion | None:
        """What the attempt found when it began: by the time of its commit, another one may have been faster."""
        attempt = (claim.job_id, claim.epoch)
        if attempt not in self.plans:
            version = claim.request["version"]
            try:
                with self.database.read() as session:
                    plan = check_promotion(
                        session, dataset_name="iris", version=version, target_stage=STAGES[1], stages=STAGES
                    )
            except AlreadyInStage:
                assert version in self.promoted
                return None
            assert version not in self.promoted
            self.plans[attempt] = plan
        return self.plans[attempt]

    def _commit(self, claim: Claim) -> None:
        if claim.kind is Kind.TRAIN:
            if (version := self._number(claim)) is not None:
                self._commit_training(claim, version)
        elif (plan := self._plan(claim)) is not None:
            self._commit_promotion(claim, plan)
        else:
            self._end(claim, "fail")

    def _commit_training(self, claim: Claim, version: int) -> None:
        allowed = self.model[claim.job_id].succeed(claim.epoch, claim.worker)
        try:
            with self.database.write() as session:
                claims.succeed(session, claim)
                effect = register_model(session, self.data, version=version, job_id=claim.job_id)
                claims.put_outcome(session, claim, result=effect, usage=usage_of(claim.epoch))
        except Fenced:
            assert not allowed
        else:
            assert allowed
            self.registered[version] = claim.job_id

    def _commit_promotion(self, claim: Claim, plan: Promotion) -> None:
        job = self.model[claim.job_id]
        try:
            with self.database.write() as session:
                claims.succeed(session, claim)
                effect = commit_promotion(session, plan, copied=COPIED, actor=claim.worker)
                claims.put_outcome(session, claim, result=effect, usage=usage_of(claim.epoch))
        except Fenced:
            assert not job.succeed(claim.epoch, claim.worker)
        except AlreadyInStage:
            assert plan.version in self.promoted
            self._end(claim, "fail")
        else:
            assert plan.version not in self.promoted
            assert job.succeed(claim.epoch, claim.worker)
            self.promoted[plan.version] = claim.job_id


def usage_of(epoch: int) -> dict[str, Any]:
    """What the attempt of that epoch used."""
    return {"wall_seconds": epoch}


def _draw(data: st.DataObject, likely: list[T], possible: list[T]) -> T:
    """One of all, but more often one for which the act means something."""
    strays: bool = data.draw(st.sampled_from([False, False, False, True]))
    return data.draw(st.sampled_from(possible if strays or not likely else likely))


def on(database: Database) -> type[JobProtocol]:
    """The machine for one database, whose tables it empties before each run."""
    bound = database

    class JobProtocolHere(JobProtocol):
        database = bound

    return JobProtocolHere


def check_path(history: Sequence[JobEventRow]) -> None:
    """Each transition starts where the one before ended and is in the table; epochs never fall."""
    for earlier, later in pairwise(history):
        assert later.from_state == earlier.to_state
        assert may_follow(State(earlier.to_state), State(later.to_state))
        assert later.epoch >= earlier.epoch


def check_claims(history: Sequence[JobEventRow]) -> None:
    """The times between a claim and its end, read from the history alone, do not overlap, and the last one commits."""
    holder: int | None = None
    for event in history:
        if event.to_state == State.RUNNING:
            assert holder is None, "two attempts held the job at once"
            assert event.lease_until is not None
            holder = event.epoch
        elif event.from_state == State.RUNNING:
            assert holder is not None
            holder = None
        if event.to_state == State.SUCCEEDED:
            claims = [row.epoch for row in history if row.to_state == State.RUNNING]
            assert event.epoch == max(claims), "a stale attempt committed"
