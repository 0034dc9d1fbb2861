"""From a training to an answer: what was trained, stored and loaded again predicts as it did before."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from shared.database import Database
from shared.errors import InvalidInput, MissingNotAllowed
from shared.object_store import open_store
from shared.prediction.cache import PredictorCache
from shared.prediction.predictor import Predictor
from shared.settings import Settings
from shared.training.trainer import Trained, train
from tests.support.models import Fitted, open_platform
from tests.support.training_tables import dirty, numeric_amounts, numeric_classes, profile_of, spec_of

ESTIMATORS = [
    "ensemble.RandomForestClassifier",
    "ensemble.HistGradientBoostingClassifier",
    "linear_model.LogisticRegression",
    "neighbors.KNeighborsClassifier",
    "svm.SVC",
    "naive_bayes.GaussianNB",
]


def trained(estimator: str, table: pd.DataFrame) -> Trained:
    return train(
        spec_of(estimator),
        table,
        profile_of(table),
        threads=1,
        folds=0,
        on_step=lambda _step, _percent, **_measured: None,
    )


@pytest.fixture
def serve(sqlite_url: str, settings: Settings, tmp_path: Path) -> Any:
    """Registers a training and gives the predictor that the cache makes of it."""
    database = Database(sqlite_url)
    store = open_store(settings)
    store.prepare()
    platform = open_platform(database, store, settings, tmp_path)
    cache = PredictorCache(database, store, settings, platform.key)

    def register(result: Trained) -> Predictor:
        platform.train(platform.dataset(), Fitted(result.model, result.facts.signature, result.facts.environment))
        return cache.get("iris", "dev")

    yield register
    cache.close()
    database.close()


def ask(predictor: Predictor, *, features: Any = None, records: Any = None, probabilities: bool = False) -> Any:
    return predictor.answer(features=features, records=records, probabilities=probabilities, max_cells=10_000)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_numeric_model_predicts_as_it_did_when_it_was_trained(serve: Any, estimator: str) -> None:
    table = numeric_classes()
    result = trained(estimator, table)
    inputs = table.drop(columns="target")
    expected = result.model.predict(inputs.astype("float64")).tolist()
    prediction = ask(serve(result), features=inputs.to_numpy().tolist())
    assert prediction.predictions == expected
    assert set(prediction.predictions) <= {"no", "maybe", "yes"}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_model_of_a_dirty_table_takes_raw_records_with_gaps_and_new_categories(serve: Any, estimator: str) -> None:
    predictor = serve(trained(estimator, dirty()))
    whole = {"age": 50, "city": "Lyon", "member": True, "since": "2024-02-29", "currency": "EUR", "remark": "none"}
    records: list[dict[str, Any]] = [whole, whole | {"city": "Ulm", "member": None}, {"age": 20}, {}]
    prediction = ask(predictor, records=records)
    assert len(prediction.predictions) == 4
    assert set(prediction.predictions) <= {"buys", "leaves"}
    rows = [[record.get(column.name) for column in predictor.signature.inputs] for record in records]
    assert ask(predictor, features=rows) == prediction
    with pytest.raises(InvalidInput):
        ask(predictor, records=[whole | {"age": "fifty"}])


@pytest.mark.parametrize(
    "estimator", ["linear_model.Ridge", "ensemble.RandomForestRegressor", "cross_decomposition.PLSRegression"]
)
def test_a_regressor_answers_with_one_number_per_row(serve: Any, estimator: str) -> None:
    table = numeric_amounts()
    prediction = ask(serve(trained(estimator, table)), features=table.drop(columns="target").to_numpy().tolist())
    assert len(prediction.predictions) == len(table)
    assert all(type(number) is float for number in prediction.predictions)


def test_whole_numbers_and_booleans_stay_what_they_are_as_labels(serve: Any) -> None:
    table = numeric_classes(labels=(False, True))
    prediction = ask(
        serve(trained(ESTIMATORS[0], table)),
        features=table.drop(columns="target").to_numpy().tolist(),
        probabilities=True,
    )
    assert {type(label) for label in prediction.predictions} == {bool}
    assert prediction.classes == [False, True]


def test_a_model_that_takes_no_gaps_says_where_one_is(serve: Any) -> None:
    with pytest.raises(MissingNotAllowed, match="'height' is missing in row 0"):
        ask(serve(trained("linear_model.LogisticRegression", numeric_classes())), features=[[2.0, None, 1]])
