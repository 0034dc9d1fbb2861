"""`/predict` for a single row at 1 and 8 connections, beside a constant FastAPI route on the same server program.

The two servers answer the same client in turns, so that a busy machine slows both. The client is a bare socket with
a prepared request: what is measured is the server.
"""

import argparse
import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2

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
            times = load(base, body, connections, seconds)
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


def load(base: str, body: dict[str, Any], connections: int, seconds: float) -> list[float]:
    """Response times in seconds of as many requests as the connections manage in the time."""
    times: list[float] = []
    threads = [threading.Thread(target=_ask, args=(base, body, seconds, times)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def _ask(base: str, body: dict[str, Any], seconds: float, times: list[float]) -> None:
    content = json.dumps(body).encode()
    host = urlsplit(base)
    head = f"POST /predict HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content
    with socket.create_connection((host.hostname or "", host.port or 0)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            connection.sendall(request)
            _read_answer(connection)
            times.append(time.perf_counter() - start)


def _read_answer(connection: socket.socket) -> None:
    answer = connection.recv(65536)
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, content = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(answer.decode())
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(content) < length:
        content += connection.recv(65536)


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
