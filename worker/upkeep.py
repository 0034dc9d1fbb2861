"""The threads that every worker has beside its tasks. Any worker can do their work, and doing it twice does no harm.

poll      runs due jobs that no message brought here, so that work goes on while Redis is away
relay     tells workers again of due jobs whose messages were lost
rescue    frees jobs whose worker went silent
announce  says that this worker is ready and alive
janitor   tidies up what time and failures leave behind: see `worker.janitor`

Two more do nothing before the worker is asked to stop: `leave` takes it off the list of workers, and `drain` ends the
time that running jobs are given.
"""

import threading
import time
from collections.abc import Callable
from uuid import UUID

import redis
from kombu.exceptions import KombuError
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.errors import DatabaseFailure
from shared.jobs import delivery, logs
from shared.jobs.logs import Line
from shared.jobs.rescue import abandoned, rescue
from shared.jobs.rows import JobRow
from shared.jobs.states import State
from shared.logging import get_logger
from worker.execution import execute_in_slot
from worker.janitor import Janitor
from worker.outcomes import told_of_rescue
from worker.runtime import Runtime

log = get_logger(__name__)

_ANNOUNCE_SECONDS = 4
_JOIN_SECONDS = 6
_RELAY_BATCH = 100


class Upkeep:
    """The threads, started and stopped together."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        settings = runtime.settings
        self._polled: set[threading.Thread] = set()
        self._threads = [
            self._every(settings.poll_seconds, self.poll),
            self._every(settings.relay_seconds, self.relay),
            self._every(settings.rescue_seconds, self.rescue),
            self._every(_ANNOUNCE_SECONDS, self.announce),
            Janitor(runtime).thread,
            threading.Thread(target=self.leave, name="leave", daemon=True),
        ]
        self._drain = threading.Thread(target=runtime.drain, name="drain", daemon=True)

    def start(self) -> None:
        """Start all threads."""
        for thread in [*self._threads, self._drain]:
            thread.start()
        log.info("upkeep_started", worker=self._runtime.name)

    def join(self) -> None:
        """Wait for the end of the drain; then, but not forever, until all threads have noticed it."""
        self._drain.join()
        deadline = time.monotonic() + _JOIN_SECONDS
        for thread in [*self._polled, *self._threads]:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))

    def poll(self) -> None:
        """Run due jobs in free slots.

        Fresh jobs are left to their messages for a moment, so that tasks and not the poller run them while Redis
        is well.
        """
        self._polled = {thread for thread in self._polled if thread.is_alive()}
        settings = self._runtime.settings
        with self._runtime.database.read() as session:
            due = delivery.due(
                session,
                limit=settings.worker_slots,
                since_seconds=settings.poll_seconds,
                pools=settings.pools,
                most_running=settings.max_running_per_owner,
            )
        for job in due:
            if not self._runtime.try_slot():
                return
            thread = threading.Thread(target=self._run_in_slot, args=(job.job_id,), name=f"polled-{job.job_id}")
            try:
                thread.start()
            except RuntimeError:
                # The system has no more threads for us just now.
                self._runtime.free_slot()
                raise
            self._polled.add(thread)

    def relay(self) -> None:
        """Publish due jobs of its pools again when there are fewer messages than jobs that wait for one."""
        settings = self._runtime.settings
        with self._runtime.database.read() as session:
            waiting = delivery.count_due(session, pools=settings.pools, most_running=settings.max_running_per_owner)
        missing = waiting - self._runtime.queue.depth(settings.pools) if waiting else 0
        if missing <= 0:
            return
        with self._runtime.database.write() as session:
            lost = delivery.take_unpublished(
                session,
                limit=min(missing, _RELAY_BATCH),
                quiet_seconds=settings.relay_seconds,
                pools=settings.pools,
                most_running=settings.max_running_per_owner,
            )
        self._runtime.queue.publish_all(lost)

    def rescue(self) -> None:
        """Free every job whose lease ran out."""
        with self._runtime.database.read() as session:
            lost = abandoned(session)
        for job_id in lost:
            with self._runtime.database.write() as session:
                state = rescue(
                    session, job_id, actor=self._runtime.name, max_crashes=self._runtime.settings.max_crashes
                )
                if state is not None:
                    self._tell_of_rescue(session, job_id, state)
            if state is not None:
                log.warning("job_rescued", job_id=str(job_id), state=state)

    def _tell_of_rescue(self, session: Session, job_id: UUID, state: State) -> None:
        # The line gets the epoch that the rescue has just begun, which no attempt uses.
        epoch = session.execute(select(JobRow.epoch).where(JobRow.id == job_id)).scalar_one()
        line = Line(1, told_of_rescue(state))
        logs.add(session, job_id, epoch, [line], most=self._runtime.settings.job_log_lines)

    def announce(self) -> None:
        """Say that this worker is alive, once its fork server has imported what a computation needs."""
        self._runtime.sandbox.start()
        if not self._runtime.draining.is_set():
            self._runtime.queue.announce(self._runtime.name, pools=self._runtime.settings.pools)

    def leave(self) -> None:
        """Once the worker takes no job any more, no longer count as one."""
        self._runtime.draining.wait()
        self._runtime.queue.leave(self._runtime.name)

    def _run_in_slot(self, job_id: UUID) -> None:
        try:
            execute_in_slot(self._runtime, job_id, by_message=False)
        finally:
            self._runtime.free_slot()

    def _every(self, seconds: float, act: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            while not self._runtime.stopping.is_set():
                try:
                    act()
                except (redis.RedisError, KombuError, OSError, DatabaseFailure) as error:
                    log.info("upkeep_skipped", act=act.__name__, error=type(error).__name__)
                except Exception:
                    # An error in one round must not end the thread: it may be gone in the next round.
                    log.exception("upkeep_failed", act=act.__name__)
                self._runtime.stopping.wait(seconds)

        return threading.Thread(target=run, name=act.__name__, daemon=True)
