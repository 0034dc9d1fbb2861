"""What runs in the computing process of a train job: files in, files out, no database, no store, no secret.

In the folder: a `Work` and the table; afterwards an `Outcome`, and the model when it went well. Importing this module
imports all that the computation needs, so that the fork server has it ready.
"""

import json
from pathlib import Path

import pandas as pd
import sklearn.compose
import sklearn.dummy
import sklearn.ensemble
import sklearn.impute
import sklearn.linear_model
import sklearn.neighbors
import sklearn.neural_network
import sklearn.pipeline
import sklearn.svm

from shared.errors import PlatformError
from shared.jobs.logs import one_line
from shared.registry import artifact
from shared.tables.loading import read_table
from shared.training.facts import ModelFacts
from shared.training.plan import read_columns
from shared.training.trainer import train
from worker.handover import (
    LINES_FILE,
    MODEL_FILE,
    OUTCOME_FILE,
    PROGRESS_FILE,
    TABLE_FILE,
    WORK_FILE,
    Outcome,
    TrainingProblem,
    Work,
)

# scikit-learn imports more when it first sees a table; this makes it do so now.
sklearn.dummy.DummyClassifier().fit(pd.DataFrame({"a": [0.0, 1.0]}), ["b", "c"])


def main(folder: Path) -> None:
    """Train as the `Work` says and write down what came of it."""
    work = Work.model_validate_json((folder / WORK_FILE).read_bytes())
    try:
        outcome = Outcome(facts=_train(work, folder))
    except PlatformError as error:
        outcome = Outcome(problem=TrainingProblem(code=error.code, detail=error.detail))
    _write(folder / OUTCOME_FILE, outcome.model_dump_json())


def _train(work: Work, folder: Path) -> ModelFacts:
    def show(step: str, percent: int, *, measured: bool = False) -> None:
        _write(folder / PROGRESS_FILE, json.dumps({"step": step, "percent": percent, "measured": measured}))

    def say(text: str) -> None:
        with (folder / LINES_FILE).open("a", encoding="utf-8", errors="replace") as lines:
            lines.write(f"{one_line(text)}\n")

    show("reading", 5)
    spec = work.spec
    only = read_columns(spec, work.columns)
    table = read_table(folder / TABLE_FILE, work.reading, columns=work.columns, only=only)
    say(f"read {len(table):,} rows × {table.shape[1]:,} columns")  # noqa: RUF001 - the sign of multiplication is meant
    trained = train(spec, table, work.columns, findings=work.findings, threads=work.threads, on_step=show, say=say)
    show("storing", 95)
    artifact.dump(trained.model, folder / MODEL_FILE)
    return trained.facts


def _write(path: Path, content: str) -> None:
    # The supervisor may read at any moment: it must see the old content or the new one, not half of it.
    new = path.with_suffix(".new")
    new.write_text(content)
    new.rename(path)
