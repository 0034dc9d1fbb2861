"""Accepted jobs per second: `POST /train` at 8 connections, beside a constant FastAPI route in the same rounds.

A 202 follows a durable commit. One API process, and two of them over the same database.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx2

from bench.load import load
from bench.measuring import milliseconds, print_table
from bench.references import CONSTANT, reference
from bench.sites import sites
from shared.settings import Settings
from tests.support.api_server import ApiServer
from tests.support.server import running

CONNECTIONS = 8
TRAIN = {
    "dataset_name": "iris",
    "model": {"module": "linear_model", "class": "LogisticRegression"},
    "target_column": "target",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of load for each round and target")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rows = [["database", "API processes", "accepted/s", "p50", "p99", "share of constant"]]
    with sites() as found, reference(CONSTANT) as constant:
        for name, settings in (("SQLite", found.sqlite), ("PostgreSQL", found.postgresql)):
            for processes in (1, 2):
                # Nobody works on them: after a while so many would wait that further ones are refused.
                with api(settings.model_copy(update={"max_queued_jobs": 10**6}), processes) as urls:
                    rows.append([name, str(processes), *compare(urls, constant, arguments.rounds, arguments.seconds)])
    print_table(f"POST /train, {CONNECTIONS} connections, {arguments.rounds} rounds in turns with the constant", rows)


def compare(urls: list[str], constant: str, rounds: int, seconds: float) -> list[str]:
    """Rate, response times and share, by medians of the rounds."""
    rates: list[float] = []
    references: list[float] = []
    times: list[float] = []
    for _ in range(rounds):
        took = load(urls, "/train", TRAIN, connections=CONNECTIONS, seconds=seconds, status=202)
        rates.append(len(took) / seconds)
        times += took
        references.append(len(load([constant], "/predict", {}, connections=CONNECTIONS, seconds=seconds)) / seconds)
    rate = statistics.median(rates)
    p99 = statistics.quantiles(times, n=100)[98]
    share = f"{rate / statistics.median(references):.0%}"
    return [f"{rate:.0f}", milliseconds(statistics.median(times)), milliseconds(p99), share]


@contextmanager
def api(settings: Settings, processes: int) -> Iterator[list[str]]:
    """API processes that have all in memory, without a worker."""
    with ExitStack() as opened:
        servers = [ApiServer(settings) for _ in range(processes)]
        for server in servers:
            opened.enter_context(running(server))
            httpx2.post(f"{server.url}/train", json=TRAIN | {"use_example": True}, timeout=60).raise_for_status()
        # They import what predictions need in the background, which is no part of the load.
        time.sleep(10)
        yield [server.url for server in servers]


if __name__ == "__main__":
    main()
