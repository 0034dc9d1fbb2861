"""A training on a tall table: the job, beside a script that reads the same CSV with pandas and does the same fit.

Both have one core. The memory is the most that the process had that reads and fits. The job does more: it measures on
folds, looks at columns one by one, and writes the report; without folds it is shown, too.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import numpy as np
import pandas as pd

from bench.batch import done
from bench.measuring import platform, print_table, seconds_of

MODELS: dict[str, dict[str, Any]] = {
    "linear_model.LogisticRegression": {"max_iter": 200},
    "ensemble.HistGradientBoostingClassifier": {"max_iter": 100, "random_state": 42},
}
SCRIPT = """
import json, sys, time
from importlib import import_module
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
file, key, params = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
module, _, name = key.partition(".")
began = time.perf_counter()
table = pd.read_csv(file)
inputs, target = table.drop(columns="target"), table["target"]
learnt, held, labels, truth = train_test_split(inputs, target, test_size=0.2, random_state=42, stratify=target)
chosen = getattr(import_module(f"sklearn.{module}"), name)(**params)
model = make_pipeline(StandardScaler(), chosen) if module == "linear_model" else chosen
model.fit(learnt, labels)
score = model.score(held, truth)
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"whole": time.perf_counter() - began, "peak": int(peak) / 1024, "score": score}))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    lines = [["estimator", "what", "seconds", "peak memory", "accuracy"]]
    with TemporaryDirectory() as name, platform() as url, httpx2.Client(base_url=url, timeout=3600) as client:
        file = Path(name) / "tall.csv"
        write(file, rows)
        megabytes = file.stat().st_size / 2**20
        with file.open("rb") as content:
            taken = seconds_of(
                lambda: client.post("/datasets/upload", files={"file": ("tall.csv", content)}).raise_for_status()
            )
        for key, params in MODELS.items():
            alone = script(file, key, params)
            lines.append([key, "pandas.read_csv and the fit", *shown(alone["whole"], alone["peak"], alone["score"])])
            for folds in (0, None):
                job = done(client, client.post("/train", json=request(key, params, folds)))
                score = job["result"]["metrics"]["accuracy"]
                used = job["usage"]
                what = "job without folds" if folds == 0 else "job with the usual folds"
                lines.append(["", what, *shown(used["wall_seconds"], used["peak_memory_mb"], score)])
    print_table(f"{rows:,} rows of 12 columns, {megabytes:.0f} MiB of CSV; the upload took {taken:.1f} s", lines)


def shown(seconds: float, megabytes: float, score: float) -> list[str]:
    """Three cells."""
    return [f"{seconds:.1f}", f"{megabytes:,.0f} MiB", f"{score:.4f}"]


def script(file: Path, key: str, params: dict[str, Any]) -> dict[str, float]:
    """What a data scientist writes, with one thread."""
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PATH": ""}
    command = [sys.executable, "-c", SCRIPT, str(file), key, json.dumps(params)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, env=one).stdout)
    return found


def request(key: str, params: dict[str, Any], folds: int | None) -> dict[str, Any]:
    """The training, on one core."""
    module, _, name = key.partition(".")
    split = {} if folds is None else {"split": {"folds": folds}}
    model = {"module": module, "class": name, "params": params}
    return {"dataset_name": "tall", "model": model, "target_column": "target", "limits": {"cpus": 1}, **split}


def write(file: Path, rows: int) -> None:
    """Eleven columns of numbers, and a label that some of them tell."""
    chance = np.random.default_rng(0)
    numbers = chance.normal(size=(rows, 11)).round(4)
    told = numbers[:, 0] + numbers[:, 1] * numbers[:, 2] + chance.normal(size=rows)
    table = pd.DataFrame(numbers, columns=[f"n{place}" for place in range(11)])
    table.assign(target=np.where(told > 0, "yes", "no")).to_csv(file, index=False)


if __name__ == "__main__":
    main()
