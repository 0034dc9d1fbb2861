"""Small tables to train on, with their column profiles as the catalog would describe them."""

import pickle
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from shared.tables.columns import Column, ColumnKind
from shared.training.spec import EstimatorChoice, TrainingSpec
from shared.training.trainer import Trained, train

ROWS = 60

_TRAINED: dict[bytes, Trained] = {}


def profile_of(table: pd.DataFrame) -> list[Column]:
    """Describe each column as the check of an upload does."""
    return [_column(str(name), table[name]) for name in table.columns]


def spec_of(estimator: str, *, params: dict[str, Any] | None = None, **fields: Any) -> TrainingSpec:
    """A specification for `estimator`, given like `ensemble.RandomForestClassifier`."""
    module, _, name = estimator.rpartition(".")
    choice = EstimatorChoice(module=module, class_=name, params=params or {})
    return TrainingSpec(
        **{"dataset_name": "a_table", "dataset_version": 1, "model": choice, "target_column": "target", **fields}
    )


def trained(estimator: str, table: pd.DataFrame, *, threads: int = 1, **fields: Any) -> Trained:
    """Train on a whole table, without folds unless `split` asks for them."""
    spec = spec_of(estimator, **fields)
    return train(spec, table, profile_of(table), threads=threads, folds=0, on_step=quiet)


def quiet(_step: str, _percent: int, *, measured: bool = False) -> None:
    """Hears of the steps of a training and says nothing."""


def trained_once(estimator: str, table: pd.DataFrame, **fields: Any) -> Trained:
    """The same, made once in this process: for tests that only ask the model."""
    made_of = pickle.dumps((estimator, table, fields))
    if made_of not in _TRAINED:
        _TRAINED[made_of] = trained(estimator, table, **fields)
    return _TRAINED[made_of]


def heard_steps(estimator: str, table: pd.DataFrame, **fields: Any) -> list[tuple[str, int, bool]]:
    """The steps of a training as they are told: name, percent, and whether it tells of more."""
    heard: list[tuple[str, int, bool]] = []

    def hear(step: str, percent: int, *, measured: bool = False) -> None:
        heard.append((step, percent, measured))

    train(spec_of(estimator, **fields), table, profile_of(table), threads=1, folds=0, on_step=hear)
    return heard


def treatment(result: Trained, column: str) -> dict[str, Any]:
    """What the report says of a column."""
    found: dict[str, Any] = next(entry for entry in result.facts.report["columns"] if entry["column"] == column)
    return found


def numeric_classes(labels: tuple[Any, ...] = ("no", "maybe", "yes"), *, rows: int = ROWS) -> pd.DataFrame:
    """Three columns of positive numbers near each other, with a class that they tell, balanced over the rows."""
    generator = np.random.default_rng(7)
    codes = np.arange(rows) % len(labels)
    return pd.DataFrame(
        {
            "width": 2 + codes + generator.uniform(0, 0.8, rows),
            "height": 3 + 0.5 * codes + generator.uniform(0, 0.8, rows),
            "count": codes + generator.integers(0, 3, rows),
            "target": [labels[code] for code in codes],
        }
    )


def numeric_amounts(*, rows: int = ROWS) -> pd.DataFrame:
    """The same inputs with a positive number to estimate."""
    table = numeric_classes(rows=rows)
    table["target"] = 1 + 2 * table["width"] + table["height"] + np.random.default_rng(8).uniform(0, 0.3, rows)
    return table


def dirty(*, rows: int = 200) -> pd.DataFrame:
    """Everything that real tables have: gaps, words, booleans, dates, an identifier, a constant and free text."""
    generator = np.random.default_rng(9)
    age = generator.integers(18, 80, rows).astype("float64")
    city = generator.choice(["Berlin", "Lyon", "Oslo"], rows).astype(object)
    member = generator.choice([True, False], rows).astype(object)
    since = [datetime(2020, 1, 1) + timedelta(days=int(days)) for days in generator.integers(0, 2000, rows)]  # noqa: DTZ001 - tables hold UTC without a zone
    likely = (age > 45) ^ (city == "Oslo")
    age[::11], city[::13], member[::17] = np.nan, None, None
    return pd.DataFrame(
        {
            "customer_id": np.arange(1000, 1000 + rows),
            "age": age,
            "city": pd.Series(city, dtype="str"),
            "member": pd.Series(member, dtype=object),
            "since": pd.Series(since).where(np.arange(rows) % 19 > 0).astype("datetime64[us]"),
            "remark": pd.Series([f"Customer {row} said nothing of note" for row in range(rows)], dtype="str"),
            "currency": pd.Series(["EUR"] * rows, dtype="str"),
            "empty": np.full(rows, np.nan),
            "target": pd.Series(np.where(likely, "buys", "leaves"), dtype="str").where(np.arange(rows) != 5),
        }
    )


def _column(name: str, values: "pd.Series[Any]") -> Column:
    known = values.dropna()
    kind = _kind(values, known)
    numbers = kind in {ColumnKind.INTEGER, ColumnKind.NUMBER} and len(known) > 0
    return Column(
        name=name,
        kind=kind,
        missing=int(values.isna().sum()),
        unique=int(known.nunique()),
        examples=[] if kind is ColumnKind.DATETIME else known.unique().tolist()[:5],
        min=float(known.min()) if numbers else None,
        max=float(known.max()) if numbers else None,
        mean=float(known.mean()) if numbers else None,
    )


def _kind(values: "pd.Series[Any]", known: "pd.Series[Any]") -> ColumnKind:
    if len(known) and known.map(lambda value: isinstance(value, bool | np.bool_)).all():
        return ColumnKind.BOOLEAN
    if pd.api.types.is_datetime64_any_dtype(values):
        return ColumnKind.DATETIME
    if pd.api.types.is_numeric_dtype(values):
        # Whole numbers with gaps are floats to pandas.
        whole = len(known) < len(values) and len(known) > 0 and bool((known == known.round()).all())
        return ColumnKind.INTEGER if whole or pd.api.types.is_integer_dtype(values) else ColumnKind.NUMBER
    return ColumnKind.CATEGORY if known.nunique() <= len(known) / 2 else ColumnKind.TEXT
