"""Time until `mlmini up` serves requests: `python -m bench.start`.

The first start makes the home folder, the second finds it. The reference is what any process of this kind has to do:
import FastAPI and Celery.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx2

from bench.measuring import free_port, print_table, seconds_of, spread


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="homes to start twice each")
    times: int = parser.parse_args().times
    reference, first, second, everything = [], [], [], []
    for _ in range(times):
        reference.append(seconds_of(import_libraries))
        with tempfile.TemporaryDirectory() as home:
            first.append(start(Path(home) / "home")[0])
            serving, complete = start(Path(home) / "home")
        second.append(serving)
        everything.append(complete)
    rows = [
        ("import fastapi, celery (reference)", reference),
        ("first start until /readyz is 200", first),
        ("second start until /readyz is 200", second),
        ("second start until all parts are ready", everything),
    ]
    print_table(
        f"Time to ready, {times} homes",
        [
            ("", "median (middle half)", "of the reference"),
            *((name, spread(values), f"{median(values) / median(reference):.1f}") for name, values in rows),
        ],
    )


def import_libraries() -> None:
    """A process that only imports."""
    subprocess.run([sys.executable, "-c", "import fastapi, celery"], check=True)


def start(home: Path) -> tuple[float, float]:
    """Seconds from the start of the launcher until the API is ready, and until the worker is, too."""
    port = free_port()
    own = {"MLMINI_HOME": str(home), "MLMINI_PORT": str(port), "MLMINI_FLOWER_PORT": str(free_port())}
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "up"], env=os.environ | own, stdout=subprocess.DEVNULL
    ) as launcher:
        try:
            serving = await_status(port, began, wanted={"ok", "degraded"})
            complete = await_status(port, began, wanted={"ok"})
        finally:
            launcher.send_signal(signal.SIGTERM)
    return serving, complete


def await_status(port: int, began: float, *, wanted: set[str]) -> float:
    """Seconds since `began` until /readyz is answered with 200 and one of the wanted states."""
    while time.perf_counter() < began + 60:
        try:
            answer = httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=5, trust_env=False)
        except httpx2.TransportError:
            time.sleep(0.01)
            continue
        if answer.status_code == 200 and answer.json()["status"] in wanted:
            return time.perf_counter() - began
    raise SystemExit("the platform did not become ready")


if __name__ == "__main__":
    main()
