"""What a train job costs beyond its fit: POST to `succeeded` on an idle worker, beside the same fit in this process.

Aim: at most 3 times the fit plus 0.3 s, from the second job on.
"""

import argparse
import statistics
from typing import Any

import httpx2
import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from bench.measuring import milliseconds, platform, print_table, seconds_of, spread

REQUEST: dict[str, Any] = {
    "dataset_name": "iris",
    "use_example": True,
    "model": {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 100}},
    "target_column": "target",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=20)
    jobs = parser.parse_args().jobs
    with platform() as url, httpx2.Client(base_url=url, timeout=60) as client:
        first = seconds_of(lambda: train(client))
        pairs = [(seconds_of(fit), seconds_of(lambda: train(client))) for _ in range(jobs)]
    fits, trains = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    aim = 3 * statistics.median(fits) + 0.3
    print_table(
        f"RandomForest(100) on iris, {jobs} jobs in turn with {jobs} fits",
        [
            ["what", "median (middle half)", "ratio to the fit"],
            ["the same fit in-process", spread(fits), "1.0"],
            ["POST to succeeded, from the second job on", spread(trains), ratio(trains, fits)],
            ["the first job", milliseconds(first), f"{first / statistics.median(fits):.1f}"],
            ["aim: 3 x fit + 300 ms", milliseconds(aim), f"{aim / statistics.median(fits):.1f}"],
        ],
    )


def fit() -> None:
    """The fit of the job, as the job does it."""
    inputs, target = load_iris(return_X_y=True, as_frame=True)
    train_inputs, _, train_target, _ = train_test_split(
        inputs, np.asarray(target), test_size=0.2, random_state=42, stratify=target
    )
    RandomForestClassifier(n_estimators=100, random_state=42).fit(train_inputs, train_target)


def train(client: httpx2.Client) -> None:
    """One job, to its end."""
    accepted = client.post("/train", json=REQUEST)
    accepted.raise_for_status()
    ended = client.get(f"/jobs/{accepted.json()['job_id']}", params={"wait": 60}).json()
    if ended["status"] != "succeeded":
        raise SystemExit(f"the job ended as {ended}")


def ratio(values: list[float], reference: list[float]) -> str:
    """How many times the reference, by medians."""
    return f"{statistics.median(values) / statistics.median(reference):.1f}"


if __name__ == "__main__":
    main()
