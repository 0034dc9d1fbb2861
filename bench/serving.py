"""`/predict` beside what serves nothing and what serves the same model in the way of a tutorial.

Each server has one core, the client the other. All answer in turns, five rounds of them, so that a busy machine slows
all down; a line has the medians. The echo is a bare ASGI application that sends back what it got, the constant route is
FastAPI's, and the tutorial is FastAPI with the fitted model of scikit-learn: `model.predict(rows)` in a plain function.
"""

import argparse
import csv
import io
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import httpx2
import numpy as np
import psutil

from bench.measuring import free_port, milliseconds, platform, print_table
from bench.wire import Measured, ask

ROUNDS = 5
SERVER_CORE, CLIENT_CORE = 0, 1
ECHO = """
import sys, uvicorn

async def echo(scope, receive, send):
    if scope["type"] == "http":
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

uvicorn.run(echo, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False, lifespan="off")
"""
CONSTANT = """
import sys, fastapi, uvicorn
app = fastapi.FastAPI()

@app.post("/predict")
async def constant():
    return {"dataset_name": "iris", "environment": "dev", "version": 1, "predictions": ["setosa"]}

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
"""
TUTORIAL = """
import sys, fastapi, pydantic, uvicorn
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
app = fastapi.FastAPI()
model = RandomForestClassifier(100, random_state=0).fit(*load_iris(return_X_y=True))

class Rows(pydantic.BaseModel):
    features: list[list[float]]

class Body(pydantic.BaseModel):
    input_data: Rows

@app.post("/predict")
def predict(body: Body):
    return {"predictions": model.predict(body.input_data.features).tolist()}

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
"""
FOREST = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 100}}
LOGISTIC = {"module": "linear_model", "class": "LogisticRegression", "params": {}}
BOOSTING = {"module": "ensemble", "class": "HistGradientBoostingClassifier", "params": {}}


class Case(NamedTuple):
    """A model on a dataset, and how a row is sent."""

    name: str
    dataset: str
    model: dict[str, Any]
    row: Any


MIXED_ROW = {"age": 41, "city": "Oslo", "member": True, "on": "2024-05-01"}
CASES = [
    Case("logistic regression, iris", "iris", LOGISTIC, [5.1, 3.5, 1.4, 0.2]),
    Case("forest of 100, iris", "iris", FOREST, [5.1, 3.5, 1.4, 0.2]),
    Case("histogram boosting, iris", "iris", BOOSTING, [5.1, 3.5, 1.4, 0.2]),
    Case("forest of 100, 20,000 x 30", "wide", FOREST, [0.5] * 30),
    Case(
        "forest of 100, mixed columns", "mixed", FOREST, {"age": 41, "city": "Oslo", "member": True, "on": "2024-05-01"}
    ),
]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="of load for each round and target")
    parser.add_argument("--only", default="", help="cases whose name has this word")
    options = parser.parse_args()
    with ExitStack() as stack:
        url = stack.enter_context(platform())
        servers = {"echo": ECHO, "constant": CONSTANT, "tutorial": TUTORIAL}
        references = {name: stack.enter_context(reference(program)) for name, program in servers.items()}
        pin_api()
        for case in CASES:
            if options.only in case.name:
                serve(url, case)
                measure(url, references, case, options.seconds)


def measure(url: str, references: dict[str, str], case: Case, seconds: int) -> None:
    """Print the table of a case."""
    lines = [["rows", "connections", "target", "requests/s", "p50", "p99", "share of the echo"]]
    for rows in (1, 100):
        body = body_of(case, rows)
        # Only the small model is in the tutorial's server.
        left_out = set() if case.dataset == "iris" and case.model is FOREST else {"tutorial"}
        targets = {"/predict": url} | {name: base for name, base in references.items() if name not in left_out}
        for connections in (1, 8, 64):
            found: dict[str, list[Measured]] = {name: [] for name in targets}
            for _ in range(ROUNDS):
                for name, base in targets.items():
                    asked = ask(f"{base}/predict", body, connections=connections, seconds=seconds, core=CLIENT_CORE)
                    found[name].append(asked)
            echo = statistics.median(each.rate for each in found["echo"])
            for name, measured in found.items():
                lines.append([str(rows), str(connections), name, *told(measured, echo)])
    print_table(f"{case.name}: {ROUNDS} rounds of {seconds} s for each target in turns", lines)


def told(measured: Sequence[Measured], echo: float) -> list[str]:
    """The medians of several rounds."""
    rate = statistics.median(each.rate for each in measured)
    half, most = (statistics.median(getattr(each, name) for each in measured) for name in ("half", "most"))
    return [f"{rate:,.0f}", milliseconds(half), milliseconds(most), f"{rate / echo:.2f}"]


def body_of(case: Case, rows: int) -> dict[str, Any]:
    """A request with the same row so many times."""
    form = "records" if isinstance(case.row, dict) else "features"
    return {"dataset_name": case.dataset, "environment": "dev", "input_data": {form: [case.row] * rows}}


def serve(url: str, case: Case) -> None:
    """Make the model of a case the one that serves its dataset in dev, and warm it."""
    with httpx2.Client(base_url=url, timeout=600) as client:
        request: dict[str, Any] = {"dataset_name": case.dataset, "model": case.model, "target_column": "target"}
        if case.dataset == "iris":
            request["use_example"] = True
        else:
            table = wide() if case.dataset == "wide" else mixed()
            client.post("/datasets/upload", files={"file": (f"{case.dataset}.csv", table)}).raise_for_status()
        job = client.post("/train", json=request).raise_for_status().json()
        while (state := client.get(f"/jobs/{job['job_id']}", params={"wait": 30}).json())["status"] != "succeeded":
            if state["status"] in {"failed", "cancelled"}:
                raise SystemExit(state)
        while client.post("/predict", json=body_of(case, 1)).json().get("version") != state["result"]["version"]:
            time.sleep(0.05)


def wide() -> bytes:
    """20,000 rows of 30 numbers, and a class that some of them tell."""
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(20_000, 30)).round(4)
    labels = (numbers[:, :5].sum(axis=1) + generator.normal(size=len(numbers)) > 0).astype(int)
    return written([f"n{number}" for number in range(30)], np.column_stack([numbers, labels]).tolist())


def mixed() -> bytes:
    """2,000 rows of numbers, words, booleans and dates, some missing."""
    generator = np.random.default_rng(0)
    rows = []
    for number in range(2_000):
        age = int(generator.integers(18, 80))
        city = generator.choice(["Oslo", "Lyon", "Ulm", ""])
        day = f"2024-{1 + number % 12:02}-{1 + number % 28:02}"
        rows.append(["" if number % 11 == 0 else age, city, bool(number % 3), day, "yes" if age > 45 else "no"])
    return written(["age", "city", "member", "on"], rows)


def written(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """A CSV with a column `target` at the end."""
    text = io.StringIO()
    csv.writer(text).writerows([[*names, "target"], *rows])
    return text.getvalue().encode()


def pin_api() -> None:
    """Keep the API of the platform that this process started on its core."""
    for process in psutil.Process().children(recursive=True):
        if "api.server" in process.cmdline():
            process.cpu_affinity([SERVER_CORE])


@contextmanager
def reference(program: str) -> Iterator[str]:
    """A server of its own on the core of the servers."""
    port = free_port()
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", program, str(port)]
    server = subprocess.Popen(command)
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
