"""A process of its own answers as scikit-learn does here: the same labels and numbers, to the last bit."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.database import Database
from shared.object_store import open_store
from shared.prediction.cache import PredictorCache
from shared.prediction.computing import FittedModel
from shared.prediction.predictor import Predictor
from shared.prediction.sandboxed import SandboxedModel
from shared.settings import Settings
from shared.training.frame import forget_names
from tests.support.models import Fitted, Platform, open_platform
from tests.support.training_tables import dirty, numeric_amounts, numeric_classes, trained

CLASSIFIERS: list[tuple[str, dict[str, Any]]] = [
    ("neighbors.KNeighborsClassifier", {}),
    ("neighbors.NearestCentroid", {}),
    ("svm.SVC", {}),
    ("calibration.CalibratedClassifierCV", {}),
    ("gaussian_process.GaussianProcessClassifier", {}),
    ("semi_supervised.LabelSpreading", {}),
]
REGRESSORS: list[tuple[str, dict[str, Any]]] = [
    ("neighbors.KNeighborsRegressor", {}),
    ("svm.SVR", {}),
    ("kernel_ridge.KernelRidge", {}),
    ("gaussian_process.GaussianProcessRegressor", {"alpha": 0.1}),
]
# Words with half characters and new ones, gaps, moments with and without zone, numbers that JSON cuts if it may.
RECORDS: list[dict[str, Any]] = [
    {"age": 50, "city": "Lyon", "member": True, "since": "2024-02-29", "currency": "EUR", "remark": "none"},
    {"age": 0.1 + 0.2, "city": "Łódź 東京", "member": None, "since": "2024-02-29T23:59:59.999999+14:00"},
    {"age": 5e-324, "city": "", "member": False, "since": "2024-W05-6"},
    {"age": 1e15 + 0.3},
    {},
]
COLUMNS: dict[str, list[Any]] = {
    "age": [50.5, None],
    "city": ["Oslo", None],
    "member": [True, None],
    "since": [datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=UTC), None],
    "currency": ["EUR", None],
    "remark": ["none", None],
}


@pytest.fixture(scope="module")
def platform(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("apart")
    settings = Settings(home=folder / "home")
    settings.home.mkdir()
    (settings.home / "ml_registry.db").write_bytes(sqlite_template.read_bytes())
    database, store = Database(settings.sqlalchemy_url), open_store(settings)
    store.prepare()
    yield open_platform(database, store, settings, folder)
    store.close()
    database.close()


@pytest.fixture(scope="module", name="cache")
def one_cache(platform: Platform) -> Iterator[PredictorCache]:
    cache = PredictorCache(platform.database, platform.store, platform.settings, platform.key)
    yield cache
    cache.close()


def both(platform: Platform, cache: PredictorCache, name: str, table: pd.DataFrame, **params: Any) -> list[Predictor]:
    """A model in this process, and the same in one of its own."""
    result = trained(name, table, params=params)
    signature = result.facts.signature
    key = f"{name.rpartition('.')[2].lower()}_{len(table.columns)}"
    version = platform.train(platform.dataset(key), Fitted(result.model, signature, result.facts.environment), name=key)
    apart = cache.get(key, "dev")
    assert isinstance(apart.computes, SandboxedModel)
    here = FittedModel(forget_names(result.model) if signature.numeric else result.model, signature)
    assert (apart.computes.name, apart.computes.gives_probabilities) == (here.name, here.gives_probabilities)
    return [Predictor(version, here, 1), apart]


def same(here: Any, apart: Any) -> None:
    assert here == apart
    assert list(map(type, here.predictions)) == list(map(type, apart.predictions))


@pytest.mark.parametrize(("name", "params"), CLASSIFIERS + REGRESSORS)
def test_of_a_numeric_table(platform: Platform, cache: PredictorCache, name: str, params: dict[str, Any]) -> None:
    table = numeric_classes() if (name, params) in CLASSIFIERS else numeric_amounts()
    here, apart = both(platform, cache, name, table, **params)
    rows = np.random.default_rng(1).uniform(2, 4, (200, 3)).tolist()
    asked: dict[str, Any] = {"records": None, "max_cells": 10**6, "probabilities": here.computes.gives_probabilities}
    for some in (rows[:1], rows):
        same(here.answer(features=some, **asked), apart.answer(features=some, **asked))
    columns = {
        column.name: list(values) for column, values in zip(here.signature.inputs, zip(*rows, strict=True), strict=True)
    }
    asked = {"rows": len(rows), "probabilities": False}
    same(here.answer_columns(columns, **asked), apart.answer_columns(columns, **asked))


@pytest.mark.parametrize(("name", "params"), [*CLASSIFIERS[:4]])
def test_of_a_table_with_everything(
    platform: Platform, cache: PredictorCache, name: str, params: dict[str, Any]
) -> None:
    here, apart = both(platform, cache, name, dirty(), **params)
    asked: dict[str, Any] = {"features": None, "max_cells": 10**6, "probabilities": here.computes.gives_probabilities}
    for records in (RECORDS[:1], RECORDS):
        same(here.answer(records=records, **asked), apart.answer(records=records, **asked))
    columns = {column.name: COLUMNS[column.name] for column in here.signature.used_inputs}
    asked = {"rows": 2, "probabilities": False}
    same(here.answer_columns(columns, **asked), apart.answer_columns(columns, **asked))


@pytest.mark.parametrize("labels", [(False, True), (1, 2, 3), ("1", "02", "ä")])
def test_labels_stay_what_they_are(platform: Platform, cache: PredictorCache, labels: tuple[Any, ...]) -> None:
    table = numeric_classes(labels=labels)
    result = trained("neighbors.KNeighborsClassifier", table)
    key = f"labels_{type(labels[0]).__name__}"
    fitted = Fitted(result.model, result.facts.signature, result.facts.environment)
    platform.train(platform.dataset(key), fitted, name=key)
    answer = cache.get(key, "dev").answer(
        features=table.drop(columns="target").to_numpy().tolist(), records=None, probabilities=True, max_cells=10**6
    )
    assert set(answer.predictions) == set(labels)
    assert {type(label) for label in answer.predictions} == {type(labels[0])}
