"""Which estimators train with their defaults: each one on a table of numbers, one of words and dates, one with gaps.

Aim: each trains, or its training is refused before it is accepted, with what to do about it. None fails as a job.
"""

import argparse
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bench.measuring import print_table
from shared.errors import PlatformError
from shared.estimators.catalogue import Estimator, all_estimators
from shared.registry import artifact
from shared.tables.inspected import Inspection, TableLimits
from shared.tables.inspection import inspect
from shared.tables.loading import read_table
from shared.training.checks.training import problems_of
from shared.training.spec import EstimatorChoice, TrainingSpec
from shared.training.trainer import train

TARGET = "target"
_SHOWN = 110


class Outcome(NamedTuple):
    """What came of one estimator on one table; `said` is why there is no model."""

    table: str
    estimator: str
    state: str
    said: str = ""


def main() -> None:
    """Train all of them and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300)
    rows = parser.parse_args().rows
    # What is doubtful about a fit is a note in its report.
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        found = [outcome for name in ("numbers", "mixed", "gaps") for outcome in on_table(name, rows, Path(folder))]
    tables = list(dict.fromkeys(each.table for each in found))
    states = ("trained", "refused", "failed")
    print_table(
        f"{len({each.estimator for each in found})} estimators with their defaults on tables of {rows} rows",
        [
            ["table", *states],
            *(
                [name, *(str(sum(each.table == name and each.state == state for each in found)) for state in states)]
                for name in tables
            ),
        ],
    )
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for each in found:
        if each.state != "trained":
            reasons.setdefault((each.state, each.estimator, each.said), []).append(each.table)
    lines = [[state, key, ", ".join(named), said[:_SHOWN]] for (state, key, said), named in reasons.items()]
    print_table("those that do not train", [["", "estimator", "tables", "what is said"], *lines])


def on_table(name: str, rows: int, folder: Path) -> Iterator[Outcome]:
    """Each estimator on one kind of table, which has labels for classifiers and numbers for the others."""
    for task in ("classification", "regression"):
        path = folder / f"{name}-{task}.csv"
        made(name, rows, task).to_csv(path, index=False)
        found = inspect(path, TableLimits())
        table = read_table(path, found.reading, columns=found.columns)
        for estimator in all_estimators():
            if estimator.task == task:
                yield outcome_of(name, estimator, table, found, folder)


def outcome_of(name: str, estimator: Estimator, table: pd.DataFrame, found: Inspection, folder: Path) -> Outcome:
    """What a request for this training would meet, and then its job."""
    spec = TrainingSpec(
        dataset_name=name,
        dataset_version=1,
        target_column=TARGET,
        model=EstimatorChoice(module=estimator.module, class_=estimator.name, params={}),
    )
    problems = problems_of(spec, columns=found.columns, rows=found.rows, findings=found.findings)
    if problems:
        return Outcome(name, estimator.key, "refused", problems[0].detail)
    try:
        trained = train(
            spec, table, found.columns, findings=found.findings, threads=1, folds=0, on_step=lambda *_, **__: None
        )
        artifact.dump(trained.model, folder / "model.pkl")
    except PlatformError as error:
        return Outcome(name, estimator.key, "failed", error.detail)
    return Outcome(name, estimator.key, "trained")


def made(name: str, rows: int, task: str) -> pd.DataFrame:
    """A table of which the target can be learnt; its numbers are above 0, as most that people have."""
    chance = np.random.default_rng(7)
    numbers = chance.gamma(4.0, size=(rows, 4))
    told = numbers @ [1.0, -0.5, 0.25, 0.0] + chance.normal(scale=0.3, size=rows)
    columns: dict[str, Any] = {f"number_{place}": numbers[:, place].round(3) for place in range(4)}
    if name != "numbers":
        columns["colour"] = chance.choice(["red", "green", "blue"], rows)
        columns["city"] = chance.choice([f"city {number}" for number in range(60)], rows)
        columns["is_new"] = chance.random(rows) < 0.3
        columns["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(chance.integers(0, 400, rows), unit="D")
    table = pd.DataFrame(columns)
    if name == "gaps":
        table = table.astype(object).mask(chance.random(table.shape) < 0.1)
    labels = np.array(["low", "middle", "high"])[np.digitize(told, np.quantile(told, [1 / 3, 2 / 3]))]
    table[TARGET] = labels if task == "classification" else (told - told.min() + 1).round(3)
    return table


if __name__ == "__main__":
    main()
