"""Batch predictions of many rows by a job, beside a script that reads, predicts and writes the same file.

The script is pandas and the fitted pipeline in one process, with one thread, as a job has. The memory is what the
computing process had at most: it must not grow with the table.
"""

import argparse
import csv
import io
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import joblib
import numpy as np
import pandas as pd

from bench.measuring import milliseconds, platform, print_table

ROUNDS = 3
FOREST = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 100}}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    lines = [["rows", "job", "rows/s", "memory of the job", "script", "rows/s", "ratio"]]
    with platform() as url, httpx2.Client(base_url=url, timeout=3600) as client, TemporaryDirectory() as name:
        upload(client, "known", table(5_000, 0))
        result = done(client, client.post("/train", json=train_request()))["result"]
        model = Path(name) / "model.pkl"
        model.write_bytes(client.get(f"/models/{result['version']}/artifact").raise_for_status().content)
        for rows in (options.rows // 10, options.rows):
            content = table(rows, 1)
            upload(client, "asked", content)
            file = Path(name) / "asked.csv"
            file.write_bytes(content)
            jobs, scripts, memory = [], [], 0.0
            for _ in range(ROUNDS):
                job = done(client, client.post("/predict/batch", json=batch_request()))
                jobs.append(job["usage"]["wall_seconds"])
                memory = max(memory, job["usage"]["peak_memory_mb"])
                began = time.perf_counter()
                script(model, file)
                scripts.append(time.perf_counter() - began)
            ours, theirs = float(np.median(jobs)), float(np.median(scripts))
            cells = [f"{rows:,}", milliseconds(ours), f"{rows / ours:,.0f}", f"{memory:.0f} MB", milliseconds(theirs)]
            lines.append([*cells, f"{rows / theirs:,.0f}", f"{theirs / ours:.2f}"])
    print_table(f"a forest of 100, 6 numbers and 4 words, labels and probabilities: medians of {ROUNDS}", lines)


def script(model: Path, file: Path) -> None:
    """What a data scientist writes."""
    fitted = joblib.load(model)
    fitted[-1].n_jobs = 1
    rows = pd.read_csv(file)[fitted.feature_names_in_]
    labels, shares = fitted.predict(rows), fitted.predict_proba(rows)
    found = pd.DataFrame(shares, columns=[f"probability_{label}" for label in fitted.classes_])
    found.insert(0, "prediction", labels)
    found.to_csv(file.with_suffix(".out"), index=False)


def train_request() -> dict[str, Any]:
    """The training of the model."""
    return {"dataset_name": "known", "model": FOREST, "target_column": "target"}


def batch_request() -> dict[str, Any]:
    """The rows to predict for."""
    return {
        "dataset_name": "known",
        "environment": "dev",
        "input": {"dataset_name": "asked"},
        "format": "csv",
        "return": ["label", "probability"],
    }


def done(client: httpx2.Client, accepted: httpx2.Response) -> dict[str, Any]:
    """The job at its end, which must be a success."""
    job = accepted.raise_for_status().json()
    while job["status"] in {"queued", "running"}:
        job = client.get(f"/jobs/{job['job_id']}", params={"wait": 30}).json()
    if job["status"] != "succeeded":
        raise SystemExit(job)
    found: dict[str, Any] = job
    return found


def upload(client: httpx2.Client, name: str, content: bytes) -> None:
    """A dataset, or a new version of it."""
    client.post("/datasets/upload", files={"file": (f"{name}.csv", content)}).raise_for_status()


def table(rows: int, seed: int) -> bytes:
    """Numbers and words without gaps, and a class that some of them tell."""
    generator = np.random.default_rng(seed)
    numbers = generator.normal(size=(rows, 6)).round(3)
    words = generator.choice([f"w{at}" for at in range(8)], size=(rows, 4))
    labels = np.where(numbers[:, 0] + (words[:, 0] == "w1") > 0.2, "yes", "no")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*(f"n{at}" for at in range(6)), *(f"c{at}" for at in range(4)), "target"])
    writer.writerows([*first, *second, label] for first, second, label in zip(numbers, words, labels, strict=True))
    return text.getvalue().encode()


if __name__ == "__main__":
    main()
