"""Whatever protocol asks for rows, the model says the same of them: labels, numbers and probabilities, bit by bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.parts import Parts
from tests.support.models import Fitted, Platform
from tests.support.protocols import OF_ANY_TABLE, OF_NUMBERS, Model, Rows, Said, by_predict
from tests.support.training_tables import dirty, numeric_amounts, numeric_classes, trained

pytestmark = pytest.mark.any_stack

FOREST = "ensemble.RandomForestClassifier"
# By the name of their dataset, which are many kinds of labels.
NUMERIC: dict[str, tuple[str, Callable[[], pd.DataFrame]]] = {
    "texts": (FOREST, numeric_classes),
    "integers": (FOREST, lambda: numeric_classes((0, 1, 7))),
    "booleans": (FOREST, lambda: numeric_classes((False, True))),
    "no_shares": ("svm.LinearSVC", numeric_classes),
    "amounts": ("ensemble.RandomForestRegressor", numeric_amounts),
}
TYPES = {"texts": "BYTES", "integers": "INT64", "booleans": "BOOL", "no_shares": "BYTES", "amounts": "FP64"}
MIXED = "customers"

NUMBERS = st.integers(-1000, 1000) | st.floats(-1e6, 1e6)
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-(2**40), 2**40) | st.floats(-1e6, 1e6),
    "number": NUMBERS,
    "boolean": st.booleans(),
    "datetime": st.datetimes().map(lambda moment: moment.isoformat()),
}
WORDS = st.sampled_from(["Berlin", "Lyon", "Oslo", "EUR", "Ulm", "a word", "\u00e9t\u00e9"])


def furnish(parts: Parts, folder: Path) -> Platform:
    """A trained model of each kind of labels, and one of a table with all kinds of columns."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    tables = NUMERIC | {MIXED: ("ensemble.HistGradientBoostingClassifier", dirty)}
    for name, (estimator, table) in tables.items():
        params = {"n_estimators": 5} if "Forest" in estimator else {}
        result = trained(estimator, table(), params=params)
        fitted = Fitted(result.model, result.facts.signature, result.facts.environment)
        platform.train(platform.dataset(name), fitted, name=name)
    return platform


@pytest.fixture(scope="module")
def models(one_client: TestClient, one_platform: Platform) -> dict[str, Model]:
    """The models by their names."""
    return {name: Model.described_by(one_client, name) for name in (*NUMERIC, MIXED)}


FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def rows_of(cells: list[st.SearchStrategy[Any]]) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    return st.lists(st.tuples(*cells), min_size=1, max_size=5)


def check_agreement(model: Model, rows: Rows, protocols: list[Callable[[Model, Rows], Said]]) -> None:
    known = by_predict(model, rows)
    assert len(known.predictions) == len(rows)
    assert model.probable == (known.probabilities is not None)
    for ask in protocols:
        said = ask(model, rows)
        assert said == known, ask.__name__
        assert list(map(type, said.predictions)) == list(map(type, known.predictions)), ask.__name__


@pytest.mark.parametrize("name", NUMERIC)
@FEW
@given(data=st.data())
def test_models_of_numbers_say_the_same_by_each_protocol(
    models: dict[str, Model], name: str, data: st.DataObject
) -> None:
    model = models[name]
    rows = data.draw(rows_of([NUMBERS] * len(model.columns)))
    check_agreement(model, rows, OF_ANY_TABLE + OF_NUMBERS)


@FEW
@given(data=st.data())
def test_a_model_of_a_mixed_table_with_gaps_says_the_same_by_each_protocol(
    models: dict[str, Model], data: st.DataObject
) -> None:
    model = models[MIXED]
    described = model.client.get(f"/v2/models/{MIXED}@dev").json()["inputs"]
    cells = [CELLS.get(tensor["parameters"]["kind"], WORDS) for tensor in described]
    rows = data.draw(rows_of([st.none() | cell for cell in cells]))
    check_agreement(model, rows, OF_ANY_TABLE)


@pytest.mark.parametrize("name", NUMERIC)
def test_predictions_have_the_type_that_the_metadata_says(models: dict[str, Model], name: str) -> None:
    described = models[name].client.get(f"/v2/models/{name}@dev").json()["outputs"]
    assert described[0]["datatype"] == TYPES[name]


def test_the_columns_of_a_mixed_table_have_their_types(models: dict[str, Model]) -> None:
    types = dict(models[MIXED].columns)
    assert (types["city"], types["member"], types["since"]) == ("BYTES", "BOOL", "BYTES")
    assert types["age"] in {"INT64", "FP64"}
    described = {each["name"]: each for each in models[MIXED].client.get(f"/v2/models/{MIXED}@dev").json()["inputs"]}
    assert described["customer_id"]["parameters"]["used"] is False
    assert described["age"]["parameters"]["missing_allowed"] is True
