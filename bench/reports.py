"""How large the pages of reports are and how long they take: small models, and ones with as much to tell as there is.

Aim: less than 500 kB and less than a second, for each.
"""

import argparse
import statistics
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pandas as pd

from bench.batch import done, upload
from bench.measuring import milliseconds, platform, print_table, seconds_of

PENGUINS = Path("cli/data/penguins.csv")
MANY = {"learning_curve": True, "split": {"folds": 5}}
FOREST = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 30}}
CASES: dict[str, dict[str, Any]] = {
    "penguins, a forest": {"dataset_name": "penguins", "target_column": "species", "model": FOREST},
    "penguins, all that can be asked for": {
        "dataset_name": "penguins",
        "target_column": "sex",
        "model": FOREST,
        "threshold": {"metric": "f1"},
        "search": {"method": "random", "trials": 30},
        **MANY,
    },
    "20,000 rows, 100 columns, 30 labels": {
        "dataset_name": "labels",
        "target_column": "target",
        "model": {"module": "naive_bayes", "class": "GaussianNB"},
        **MANY,
    },
    "20,000 rows, 100 columns, numbers": {
        "dataset_name": "amounts",
        "target_column": "target",
        "model": {"module": "linear_model", "class": "Ridge"},
        **MANY,
    },
}


def main() -> None:
    """Train, look at the pages, and print what they take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    lines = [["model", "page", "median", "slowest", "as JSON"]]
    with platform() as url, httpx2.Client(base_url=url, timeout=600) as client:
        upload(client, "penguins", PENGUINS.read_bytes())
        for name, labels in (("labels", 30), ("amounts", 0)):
            upload(client, name, wide(labels))
        for case, request in CASES.items():
            version = done(client, client.post("/train", json=request))["result"]["version"]
            lines.append([case, *looked_at(client, f"/models/{version}/report", rounds)])
    print_table(f"the report of a model, {rounds} times each", lines)


def looked_at(client: httpx2.Client, path: str, rounds: int) -> list[str]:
    """The size of the page, how long it takes, and the size of the document."""

    def look() -> httpx2.Response:
        return client.get(path, headers={"Accept": "text/html"}).raise_for_status()

    times = [seconds_of(look) for _ in range(rounds)]
    document = client.get(path).raise_for_status()
    sizes = [f"{len(answer.content) / 1000:,.0f} kB" for answer in (look(), document)]
    return [sizes[0], milliseconds(statistics.median(times)), milliseconds(max(times)), sizes[1]]


def wide(labels: int) -> bytes:
    """A table of a hundred columns, of which some tell a label, or a number."""
    chance = np.random.default_rng(3)
    inputs = chance.normal(size=(20_000, 99)).round(3)
    told = inputs[:, :5].sum(axis=1) + chance.normal(size=len(inputs))
    table = pd.DataFrame(inputs, columns=[f"column_{place}" for place in range(99)])
    codes = pd.qcut(told, labels, labels=[f"label {place}" for place in range(labels)]) if labels else told.round(3)
    return table.assign(target=codes).to_csv(index=False).encode()


if __name__ == "__main__":
    main()
