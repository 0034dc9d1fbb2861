"""What Prometheus reads: requests as they were answered, jobs as they are in the database."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from shared.database import Database
from shared.errors import PlatformError
from shared.jobs.listing import count_by_state, count_due_by_priority, oldest_due_seconds

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "mlmini_http_requests",
            "Requests that were answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "mlmini_http_request_seconds",
            "Time until the whole response was sent.",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._overdue = Gauge(
            "mlmini_predictions_overdue",
            "Predictions that took longer than they may and are still computed.",
            registry=self._registry,
        )
        self._waits = Gauge("mlmini_jobs_awaited", "Requests that wait for the end of a job.", registry=self._registry)
        self._streams = Gauge("mlmini_event_streams", "Requests that follow a job.", registry=self._registry)

    def count_request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Take note of one request; `route` is the template of its path, so that labels stay few."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def counting(self, *, method: str, route: str, status: int) -> Callable[[float], None]:
        """What takes note of one request of this kind, given its seconds; it looks nothing up."""
        requests = self._requests.labels(method, route, str(status))
        seconds = self._seconds.labels(method, route)

        def count(taken: float) -> None:
            requests.inc()
            seconds.observe(taken)

        return count

    def render(self, database: Database, *, waits: int, streams: int, overdue: int) -> bytes:
        """All metrics as text. Those of jobs are left out while the database is away."""
        self._waits.set(waits)
        self._streams.set(streams)
        self._overdue.set(overdue)
        text = generate_latest(self._registry)
        jobs = CollectorRegistry()
        try:
            jobs.register(_Jobs(database))
        except PlatformError:
            return text
        return text + generate_latest(jobs)


class _Jobs(Collector):
    """The jobs as they are at this moment."""

    def __init__(self, database: Database) -> None:
        with database.read() as session:
            self._counts = count_by_state(session)
            self._due = count_due_by_priority(session)
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
        yield GaugeMetricFamily(
            "mlmini_oldest_due_job_seconds", "For how long the oldest due job has waited.", value=self._oldest
        )
