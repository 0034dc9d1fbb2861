"""Trainings in batches of tables that are files, as a computing process has them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from shared.evaluation.answers import ask
from shared.evaluation.measuring import evaluate
from shared.tables.findings import Finding
from shared.tables.inspected import TableLimits
from shared.tables.inspection import inspect
from shared.training.batches.drawing import StoredRows
from shared.training.batches.training import prepared, train_in_batches
from shared.training.preparing import Prepared
from shared.training.spec import BatchesChoice
from shared.training.trainer import Trained
from tests.support.training_tables import quiet, spec_of

ROWS = 6_000


@dataclass(frozen=True)
class StoredTable:
    """A table in a file, and what the check of its upload found."""

    file: StoredRows
    findings: list[Finding]

    def train(self, estimator: str, *, rows: int = 1_000, passes: int = 1, **fields: Any) -> Trained:
        """Train on it in batches."""
        spec = spec_of(estimator, batches=BatchesChoice(rows=rows, passes=passes), **fields)
        return train_in_batches(
            spec, self.file, findings=self.findings, folder=self.file.path.parent, threads=1, on_step=quiet
        )

    def fit(self, estimator: str, *, passes: int = 1, **fields: Any) -> tuple[Any, Prepared]:
        """Only fit, and tell what was prepared for that."""
        spec = spec_of(estimator, batches=BatchesChoice(rows=1_000, passes=passes), **fields)
        with prepared(spec, self.file, self.findings, self.file.path.parent, quiet) as (ready, fitting):
            return fitting(ready, quiet).model, ready


def store(folder: Path, table: pd.DataFrame) -> StoredTable:
    """Write a table as Parquet and look at it as an upload does."""
    path = folder / "table"
    table.to_parquet(path)
    found = inspect(path, TableLimits())
    return StoredTable(StoredRows(path, found.reading, found.columns, found.rows), found.findings)


def by_label(task: str = "classification", *, rows: int = ROWS) -> pd.DataFrame:
    """Numbers from 0 on, with gaps, and words, which tell the target: labels or amounts. It is sorted by the target."""
    random = np.random.default_rng(3)
    width, height = random.uniform(0, 4, rows), random.uniform(0, 2, rows)
    city = random.choice(["Berlin", "Lyon", "Oslo"], rows, p=[0.5, 0.3, 0.2])
    amount = 2 * width - height + 2 * (city == "Oslo") + random.normal(0, 0.3, rows)
    labels = np.where(amount > np.quantile(amount, 0.7), "much", "little")
    width[::13] = np.nan
    table = pd.DataFrame({"width": width, "height": height, "city": city})
    table["target"] = labels if task == "classification" else amount
    return table.sort_values("target").reset_index(drop=True)


def score_of(model: Any, ready: Prepared) -> float:
    """The accuracy or r2 on the rows that were kept back."""
    test = ready.split.test
    measured = evaluate(ask(model, ready.data.iloc[test]), ready.target[test], task=ready.task)
    return measured.metrics["accuracy" if ready.task == "classification" else "r2"]
