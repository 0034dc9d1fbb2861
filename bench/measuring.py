"""Medians, tables, and a platform to measure."""

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def seconds_of(act: Callable[[], object]) -> float:
    """Wall time of one call, in seconds."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def milliseconds(seconds: float) -> str:
    """A duration for people."""
    return f"{seconds * 1000:.1f} ms"


def spread(values: Sequence[float]) -> str:
    """Median with the range of the middle half."""
    low, _, high = statistics.quantiles(values, n=4)
    return f"{milliseconds(statistics.median(values))} ({milliseconds(low)} - {milliseconds(high)})"


def print_table(title: str, rows: Sequence[Sequence[str]]) -> None:
    """Print rows under a title; the first row is the heading."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print(f"\n{title}")
    for number, row in enumerate(rows):
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))


@contextmanager
def platform(**settings: str) -> Iterator[str]:
    """The whole platform as `make run` starts it, in a home of its own; gives the API's URL."""
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        environment = os.environ | {
            "MLMINI_HOME": home,
            "MLMINI_PORT": str(port),
            "MLMINI_FLOWER_PORT": str(free_port()),
        }
        log = Path(home) / "bench.log"
        with log.open("wb") as output:
            launcher = subprocess.Popen(
                [sys.executable, "-m", "cli", "up"], env=environment | settings, stdout=output, stderr=output
            )
        try:
            wait_until_ready(url, launcher, log)
            yield url
        finally:
            launcher.send_signal(signal.SIGTERM)
            launcher.wait(timeout=30)


def wait_until_ready(url: str, launcher: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the platform says that all of it is ready."""
    deadline = time.monotonic() + 120
    while True:
        try:
            answer = httpx2.get(f"{url}/readyz", timeout=5)
            if answer.status_code == 200 and answer.json()["status"] == "ok":
                return
        except httpx2.TransportError:
            pass
        if launcher.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(log.read_text())
        time.sleep(0.02)
