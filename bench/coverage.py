"""Whether intervals keep what they promise: the share of test rows for which the truth is inside, over many seeds.

Aim: within 2 points of the level that is promised. Split and table are new with each seed.
"""

import argparse
from statistics import fmean, stdev

import numpy as np
import pandas as pd

from bench.measuring import print_table
from shared.evaluation.conformal import LEVEL
from shared.tables.columns import Column, ColumnKind
from shared.training.spec import EstimatorChoice, TrainingSpec
from shared.training.trainer import train

_ESTIMATORS = {
    "numbers, noise alike everywhere": ("linear_model.Ridge", "ensemble.HistGradientBoostingRegressor"),
    "numbers, noise that grows": ("linear_model.Ridge", "ensemble.RandomForestRegressor"),
    "3 labels": ("linear_model.LogisticRegression", "ensemble.RandomForestClassifier"),
    "2 labels, one rare": ("naive_bayes.GaussianNB", "ensemble.HistGradientBoostingClassifier"),
}


def main() -> None:
    """Train with each seed and print the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", type=int, default=1_000)
    given = parser.parse_args()
    lines = [["table", "estimator", "promised", "came true", "off by", "deviation of a seed", "size"]]
    for kind, keys in _ESTIMATORS.items():
        for key in keys:
            found = [checked(kind, key, rows=given.rows, seed=seed) for seed in range(given.seeds)]
            shares = [coverage for coverage, _ in found]
            off = 100 * (fmean(shares) - LEVEL)
            size = fmean(each for _, each in found)
            lines.append(
                [
                    *(kind, key, f"{LEVEL:.0%}", f"{fmean(shares):.1%}"),
                    *(f"{off:+.1f}", f"{100 * stdev(shares):.1f}", f"{size:.3g}"),
                ]
            )
    print_table(f"{given.rows:,} rows, of which a fifth is measured on, {given.seeds} seeds", lines)


def checked(kind: str, key: str, *, rows: int, seed: int) -> tuple[float, float]:
    """The share of test rows inside, and the mean size of what is promised."""
    module, _, name = key.partition(".")
    table, spec = made(kind, rows, seed), {"dataset_name": "made", "dataset_version": 1, "target_column": "target"}
    model = EstimatorChoice(module=module, class_=name, params={})
    facts = train(
        TrainingSpec(**spec, model=model, random_state=seed),
        table,
        [described(table[name]) for name in table],
        threads=1,
        folds=5,
        on_step=lambda *_, **__: None,
    ).facts
    told = facts.assessment.uncertainty if facts.assessment is not None else None
    if told is None:
        raise SystemExit(f"{key} promises nothing: {facts.report['notes']}")
    return told.coverage, told.size


def made(kind: str, rows: int, seed: int) -> pd.DataFrame:
    """A table of five columns and a target that follows some of them."""
    chance = np.random.default_rng(seed)
    inputs = chance.normal(size=(rows, 5))
    told = inputs[:, 0] + np.sin(2 * inputs[:, 1]) + 0.5 * inputs[:, 2] * inputs[:, 3]
    noise = chance.normal(size=rows)
    table = pd.DataFrame(inputs, columns=[f"x{place}" for place in range(5)])
    if kind.startswith("numbers"):
        return table.assign(target=told + noise * (0.2 + np.abs(inputs[:, 0]) if "grows" in kind else 0.5))
    edges = [0.33, 0.66] if kind == "3 labels" else [0.9]
    codes = np.digitize(told + 0.5 * noise, np.quantile(told, edges))
    return table.assign(target=np.array(["a", "b", "c"])[codes])


def described(column: "pd.Series[float]") -> Column:
    """What the catalog would say of it."""
    numbers = column.dtype == float
    kind = ColumnKind.NUMBER if numbers else ColumnKind.CATEGORY
    labels = [] if numbers else sorted(column.unique())
    return Column(name=str(column.name), kind=kind, missing=0, unique=column.nunique(), examples=labels)


if __name__ == "__main__":
    main()
