"""Small trainings in the fork server: what libraries make at their first use, each computation then has from the start.

Signatures of functions, imports in the middle of functions, machine code of kernels: for a small table this takes a
fifth of a training.
"""

import importlib

import joblib
import numpy as np
import pandas as pd

from shared.tables.columns import Column, ColumnKind
from shared.training.spec import EstimatorChoice, TrainingSpec
from shared.training.trainer import train

_ROWS = 20
# What most jobs name, and what a recipe needs.
_MODULES = (
    "compose",
    "ensemble",
    "impute",
    "linear_model",
    "naive_bayes",
    "neighbors",
    "neural_network",
    "svm",
    "tree",
)
# One of each task; the one of many members uses what runs in threads, too.
_CLASSIFIER = EstimatorChoice(module="ensemble", class_="RandomForestClassifier", params={"n_estimators": 2})
_REGRESSOR = EstimatorChoice(module="linear_model", class_="Ridge", params={})


def rehearse() -> None:
    """Import the usual modules, and train on a small table for both tasks, in one thread."""
    # Asked of a program that reads what isolated processes do not see, and known from then on.
    joblib.cpu_count(only_physical_cores=True)
    for name in _MODULES:
        importlib.import_module(f"sklearn.{name}")
    words = pd.Series(["no", "yes"] * (_ROWS // 2), dtype="str")
    amounts = pd.Series(np.arange(_ROWS) / 2)
    for target, choice in ((words, _CLASSIFIER), (amounts, _REGRESSOR)):
        table = pd.DataFrame({"amount": amounts[::-1].to_numpy(), "word": words, "target": target})
        _train(choice, table)


def _train(choice: EstimatorChoice, table: pd.DataFrame) -> None:
    spec = TrainingSpec(dataset_name="rehearsal", dataset_version=1, model=choice, target_column="target")
    columns = [_column(str(name), table[name]) for name in table]
    train(spec, table, columns, threads=1, folds=2, on_step=lambda _step, _percent, **_measured: None)


def _column(name: str, values: "pd.Series[float] | pd.Series[str]") -> Column:
    kind = ColumnKind.NUMBER if pd.api.types.is_numeric_dtype(values) else ColumnKind.CATEGORY
    return Column(name=name, kind=kind, missing=0, unique=values.nunique(), examples=values.unique().tolist()[:2])
