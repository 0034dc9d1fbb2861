"""Fits the model of a case and keeps it: `python fitting.py CASE FILE`, in the environment of the server it is for."""

import sys

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FOREST = RandomForestClassifier(100, random_state=42, n_jobs=1)


def wide() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(20_000, 30)).round(4)
    return numbers, (numbers[:, :5].sum(axis=1) + generator.normal(size=len(numbers)) > 0).astype(int)


def mixed() -> tuple[pd.DataFrame, list[str]]:
    generator = np.random.default_rng(0)
    rows = [
        {
            "age": None if at % 11 == 0 else float(generator.integers(18, 80)),
            "city": str(generator.choice(["Oslo", "Lyon", "Ulm"])),
            "member": float(bool(at % 3)),
            "on": 19_700.0 + at % 365,
        }
        for at in range(2_000)
    ]
    return pd.DataFrame(rows), ["yes" if (row["age"] or 0) > 45 else "no" for row in rows]


def fitted(case: str) -> object:
    iris = load_iris()
    scaled = make_pipeline(StandardScaler(), LogisticRegression())
    if case == "logistic":
        return scaled.fit(iris.data, iris.target_names[iris.target])
    if case == "forest":
        return FOREST.fit(iris.data, iris.target_names[iris.target])
    if case == "boosting":
        return HistGradientBoostingClassifier().fit(iris.data, iris.target_names[iris.target])
    if case == "neighbors":
        return KNeighborsClassifier().fit(iris.data, iris.target_names[iris.target])
    if case == "wide":
        return FOREST.fit(*wide())
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), ["age", "member", "on"]),
            ("words", OneHotEncoder(handle_unknown="ignore"), ["city"]),
        ]
    )
    return make_pipeline(columns, FOREST).fit(*mixed())


joblib.dump(fitted(sys.argv[1]), sys.argv[2])
