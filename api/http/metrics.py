"""What Prometheus reads: counts of answered requests, and jobs as they are in the database."""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from math import inf

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from api.processes.board import Board, BoardFull, Key, Seat, Slate
from shared.database import Database
from shared.errors import PlatformError
from shared.jobs.delivery import count_due_by_pool
from shared.jobs.listing import count_by_state, count_due_by_priority, oldest_due_seconds
from shared.logging import get_logger
from shared.settings import DEFAULT_POOL

log = get_logger(__name__)

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
# The library's own way to write numbers, which has no types.
_BOUNDS: list[str] = [floatToGoString(bound) for bound in (*_BUCKETS, inf)]  # type: ignore[no-untyped-call]

_REQUESTS = "mlmini_http_requests"
_SECONDS = "mlmini_http_request_seconds"
# The numbers of each metric: when counting began, then a count, or a sum and the count of each bucket.
_CREATED, _COUNT, _SUM, _FIRST_BUCKET = 0, 1, 1, 2

_GAUGES = [("mlmini_predictions_overdue", "Predictions that took longer than they may and are still computed.")]
_GAUGES_OF_JOBS = [
    *_GAUGES,
    ("mlmini_jobs_awaited", "Requests that wait for the end of a job."),
    ("mlmini_event_streams", "Requests that follow a job."),
    ("mlmini_rate_limits_apart", "API processes that count requests and logins by themselves, as Redis is away."),
]


class Metrics:
    """The metrics of one application: counted by its process, shown as sums over all processes of its address."""

    def __init__(self, seat: Seat | None = None) -> None:
        """By default, its process is the only one."""
        seat = seat or Seat()
        self._board, self._slate = seat.board, seat.slate
        self._counting: dict[Key, Callable[[float], None]] = {}

    def count_request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is the template of its path, so that there are few labels."""
        method = method if method in _METHODS else "other"
        key = (method, route, str(status))
        count = self._counting.get(key)
        if count is None:
            count = self._counting[key] = self.counting(method=method, route=route, status=status)
        count(seconds)

    def counting(self, *, method: str, route: str, status: int) -> Callable[[float], None]:
        """A function that counts one request of this kind, given its seconds, without looking anything up."""
        slate = self._slate
        try:
            requests = _begun(slate, (_REQUESTS, method, route, str(status)), _COUNT + 1)
            seconds = _begun(slate, (_SECONDS, method, route), _FIRST_BUCKET + len(_BOUNDS))
        except BoardFull:
            log.exception("requests_not_counted", method=method, route=route, status=status)
            return lambda _: None
        numbers, lock = slate.numbers, slate.lock
        at_count, at_sum, at_bucket = requests + _COUNT, seconds + _SUM, seconds + _FIRST_BUCKET

        def count(taken: float) -> None:
            with lock:
                numbers[at_count] += 1
                numbers[at_bucket + bisect_left(_BUCKETS, taken)] += 1
                numbers[at_sum] += taken

        return count

    def tell(self, *, overdue: int, waits: int = 0, streams: int = 0, apart: bool = False) -> None:
        """Let all processes know what is under way in this one."""
        for which, value in enumerate((overdue, waits, streams, apart)):
            self._slate.mark(which, value)

    def render(self) -> bytes:
        """The metrics of requests and predictions of all processes, as text."""
        return self._render(_GAUGES)

    def render_with_jobs(self, database: Database) -> bytes:
        """All metrics of all processes as text. Those of jobs are left out while the database is away."""
        text = self._render(_GAUGES_OF_JOBS)
        jobs = CollectorRegistry()
        try:
            jobs.register(_Jobs(database))
        except PlatformError:
            return text
        return text + generate_latest(jobs)

    def _render(self, gauges: Sequence[tuple[str, str]]) -> bytes:
        registry = CollectorRegistry()
        registry.register(_Requests(self._board, gauges))
        return generate_latest(registry)


def _begun(slate: Slate, key: Key, count: int) -> int:
    start = slate.numbers_of(key, count)
    # A process that takes over the slate of an ended one goes on counting from there.
    slate.numbers[start + _CREATED] = slate.numbers[start + _CREATED] or time.time()
    return start


class _Requests(Collector):
    """What all processes have counted so far, and what is under way in them."""

    def __init__(self, board: Board, gauges: Sequence[tuple[str, str]]) -> None:
        self._board = board
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        sums = _sums(self._board)
        labels = ["method", "route", "status"]
        requests = CounterMetricFamily(_REQUESTS, "Requests that were answered.", labels=labels)
        seconds = HistogramMetricFamily(_SECONDS, "Time until the whole response was sent.", labels=labels[:2])
        for (name, *values), (created, *numbers) in sums.items():
            if name == _REQUESTS:
                requests.add_metric(values, numbers[0], created=created)
            else:
                total, *buckets = numbers
                seconds.add_metric(values, list(zip(_BOUNDS, accumulate(buckets), strict=True)), total)
                seconds.add_sample(f"{_SECONDS}_created", dict(zip(labels, values, strict=False)), created)
        yield requests
        yield seconds
        for which, (name, text) in enumerate(self._gauges):
            yield GaugeMetricFamily(name, text, value=sum(slate.marked(which) for slate in self._board.slates))
        if len(self._board.slates) > 1:
            yield GaugeMetricFamily(
                "mlmini_api_processes", "API processes that take requests.", value=self._board.serving
            )
            restarts = sum(slate.restarts for slate in self._board.slates)
            text = "API processes that were started in the stead of one that had ended."
            yield CounterMetricFamily("mlmini_api_process_restarts", text, value=restarts)


def _sums(board: Board) -> dict[Key, list[float]]:
    """The numbers of each key, added up over all processes; the beginning is that of the first one."""
    sums: dict[Key, list[float]] = {}
    for slate in board.slates:
        for key, (created, *numbers) in slate.records():
            first, *before = sums.get(key, [created] + [0.0] * len(numbers))
            sums[key] = [min(first, created), *(a + b for a, b in zip(before, numbers, strict=True))]
    return sums


class _Jobs(Collector):
    """The jobs as they are at this moment."""

    def __init__(self, database: Database) -> None:
        with database.read() as session:
            self._counts = count_by_state(session)
            self._due = count_due_by_priority(session)
            self._pools = {DEFAULT_POOL: 0} | count_due_by_pool(session)
            self._oldest = oldest_due_seconds(session)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        counts = GaugeMetricFamily("mlmini_jobs", "Jobs by kind and status.", labels=["kind", "status"])
        for (kind, state), count in self._counts.items():
            counts.add_metric([kind, state], count)
        yield counts
        due = GaugeMetricFamily("mlmini_due_jobs", "Jobs that could begin, by priority.", labels=["priority"])
        for priority, count in self._due.items():
            due.add_metric([str(priority)], count)
        yield due
        pools = GaugeMetricFamily("mlmini_due_jobs_of_pool", "Jobs that could begin, by pool.", labels=["pool"])
        for pool, count in self._pools.items():
            pools.add_metric([pool], count)
        yield pools
        yield GaugeMetricFamily(
            "mlmini_oldest_due_job_seconds", "For how long the oldest due job has waited.", value=self._oldest
        )
