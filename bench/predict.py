"""`/predict` for a single row at 1 and 8 connections, beside a constant FastAPI route on the same server program.

The two servers answer the same client in turns, so that a busy machine slows both. The client is a bare socket with
a prepared request: what is measured is the server.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from bench.load import load
from bench.measuring import free_port, milliseconds, platform, print_table

ROW = [5.1, 3.5, 1.4, 0.2]
MODELS = {
    "LogisticRegression": {"module": "linear_model", "class": "LogisticRegression", "params": {}},
    "RandomForest(100)": {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 100}},
}
CONSTANT = """
import sys, fastapi, uvicorn
app = fastapi.FastAPI()

@app.post("/predict")
async def constant():
    return {"dataset_name": "iris", "environment": "dev", "version": 1, "predictions": ["setosa"]}

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
"""
ROUNDS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="of load for each round and target")
    seconds = parser.parse_args().seconds
    with platform() as url, constant_server() as reference:
        rows = [["model", "connections", "target", "requests/s", "p50", "p99", "share of constant"]]
        for name, model in MODELS.items():
            train(url, model)
            for connections in (1, 8):
                rows += compare(url, reference, name, connections, seconds)
    print_table(f"One row, {ROUNDS} rounds of {seconds:g} s for each target in turns", rows)


def compare(url: str, reference: str, name: str, connections: int, seconds: float) -> list[list[str]]:
    """Two rows of the table: the platform and the constant route, in the same rounds."""
    body = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [ROW]}}
    measured: dict[str, list[list[float]]] = {"/predict": [], "constant": []}
    rates: dict[str, list[float]] = {"/predict": [], "constant": []}
    for _ in range(ROUNDS):
        for target, base in (("/predict", url), ("constant", reference)):
            times = load([base], "/predict", body, connections=connections, seconds=seconds)
            measured[target].append(times)
            rates[target].append(len(times) / seconds)
    rows = []
    for target in ("/predict", "constant"):
        times = [each for round_ in measured[target] for each in round_]
        p99 = statistics.quantiles(times, n=100)[98]
        share = statistics.median(rates[target]) / statistics.median(rates["constant"])
        rate = f"{statistics.median(rates[target]):.0f}"
        p50 = milliseconds(statistics.median(times))
        rows.append([name, str(connections), target, rate, p50, milliseconds(p99), f"{share:.0%}"])
    return rows


def train(url: str, model: dict[str, Any]) -> None:
    """Make `model` the one that serves iris in dev, and warm it."""
    with httpx2.Client(base_url=url, timeout=60) as client:
        request = {"dataset_name": "iris", "use_example": True, "model": model, "target_column": "target"}
        job = client.post("/train", json=request).json()
        version = client.get(f"/jobs/{job['job_id']}", params={"wait": 60}).json()["result"]["version"]
        body = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [ROW]}}
        while client.post("/predict", json=body).json().get("version") != version:
            time.sleep(0.05)


@contextmanager
def constant_server() -> Iterator[str]:
    """A FastAPI application with one route that does nothing."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", CONSTANT, str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                httpx2.post(f"{url}/predict", json={})
                break
            except httpx2.TransportError:
                time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
