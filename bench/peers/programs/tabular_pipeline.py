"""Fits skrub's tabular pipeline to tables: `tabular_pipeline.py FOLDER WORK`.

`WORK` is a JSON file: a list of table, target, task, estimator and the numbers of the rows to measure on. What is
printed is a list of scores, accuracy or R2, or what went wrong.
"""

import importlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.metrics import accuracy_score, r2_score
from skrub import tabular_pipeline


def score(folder: Path, work: dict[str, Any]) -> float:
    """Fit to the rows that are not named, and measure on those that are."""
    table = pd.read_csv(folder / f"{work['name']}.csv")
    target = table[work["target"]]
    held = table.index.isin(work["rows"])
    fitted = ~held & target.notna()
    chosen = getattr(importlib.import_module(f"sklearn.{work['module']}"), work["class"])
    pipeline = tabular_pipeline(chosen(**work["params"]))
    inputs = table.drop(columns=work["target"])
    pipeline.fit(inputs[fitted], target[fitted])
    measure = accuracy_score if work["task"] == "classification" else r2_score
    return float(measure(target[held], pipeline.predict(inputs[held])))


def main(folder: Path, path: Path) -> None:
    """Print what came of each."""
    warnings.simplefilter("ignore")
    found: list[float | str] = []
    for work in json.loads(path.read_text()):
        try:
            found.append(score(folder, work))
        except Exception as error:  # noqa: BLE001 - it is told, and the others are measured
            found.append(f"{type(error).__name__}: {error}"[:200])
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
