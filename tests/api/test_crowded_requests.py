"""Requests with far more items than anybody needs: refused before work is done for each of them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from annotated_types import MaxLen
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient
from pydantic import BaseModel

from api.app import create_app
from api.http import problems, validation
from shared.errors import MOST_PROBLEMS
from shared.settings import Settings
from tests.support.searches import counted_searches

pytestmark = pytest.mark.any_stack

MANY = 50_000
CROWD = {f"field{n}": 0 for n in range(MANY)}
PREDICT = {"dataset_name": "a", "environment": "dev", "input_data": {"features": [[1]]}}
MODEL = {"module": "a", "class": "b"}
TRAIN = {"dataset_name": "a", "target_column": "b", "model": MODEL}
PROMOTE = {"dataset_name": "a", "version": 1, "target_stage": "staging"}
BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "items of a list": ("/predict", PREDICT | {"return": ["x"] * MANY}),
    "fields of a prediction": ("/predict", PREDICT | CROWD),
    "fields of its input": ("/predict", PREDICT | {"input_data": CROWD}),
    "fields of a training": ("/train", TRAIN | CROWD),
    "fields of an estimator": ("/train", TRAIN | {"model": MODEL | CROWD}),
    "parameters": ("/train", TRAIN | {"model": MODEL | {"params": CROWD}}),
    "parameters of a dry run": (
        "/train?dry_run=true",
        TRAIN | {"model": MODEL | {"params": CROWD}},
    ),
    "parameters of a search": ("/train", TRAIN | {"search": {"method": "random", "space": CROWD}}),
    "fields of limits": ("/train", TRAIN | {"limits": CROWD}),
    "columns": ("/train", TRAIN | {"features": ["x"] * MANY}),
    "columns that are none": ("/train", TRAIN | {"features": list(range(MANY))}),
    "fields of a promotion": ("/promote", PROMOTE | CROWD),
    "fields of a retirement": ("/models/1/retire", {"stage": "dev", "reason": "old"} | CROWD),
}


@pytest.fixture
def counted_problems(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many problems each refused request was found to have."""
    found: list[int] = []
    refuse = validation.invalid_request

    def counting(problems: Any, *, body: Any) -> Any:
        found.append(len(problems))
        return refuse(problems, body=body)

    monkeypatch.setattr(problems, "invalid_request", counting)
    return found


@pytest.mark.parametrize(("path", "body"), BODIES.values(), ids=BODIES)
def test_a_crowd_in_a_body_costs_no_work_for_each(
    one_client: TestClient, counted_problems: list[int], path: str, body: dict[str, Any]
) -> None:
    with counted_searches() as searches:
        answer = one_client.post(path, content=json.dumps(body), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert 1 <= len(answer.json()["errors"]) <= MOST_PROBLEMS
    assert sum(counted_problems) <= 5_001
    assert searches.words <= MOST_PROBLEMS


def test_more_rows_than_a_prediction_may_have_cells_are_refused_before_they_are_read(one_client: TestClient) -> None:
    most = Settings().predict_max_cells
    rows = ",".join(["[]"] * (most + 100))
    content = f'{{"dataset_name": "a", "environment": "dev", "input_data": {{"features": [{rows}]}}}}'
    answer = one_client.post("/predict", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert "lists and objects" in answer.json()["detail"]


def test_a_crowd_in_the_address_costs_no_work_for_each(one_client: TestClient) -> None:
    with counted_searches() as searches:
        answer = one_client.get("/jobs?" + "&".join(f"n{n}=1" for n in range(5_000)))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "5,000 query parameters" in answer.json()["detail"]
    assert searches.words == 0


def test_a_hundred_of_more_problems_are_told_with_their_number(one_client: TestClient) -> None:
    body = TRAIN | {"features": [*range(150)]}
    answer = one_client.post("/train", json=body)
    assert len(answer.json()["errors"]) == MOST_PROBLEMS
    assert answer.json()["problem_count"] == 150
    assert "(150 problems in all; `errors` lists the first 100.)" in answer.json()["detail"]


def test_a_long_list_is_told_how_long_it_may_be(one_client: TestClient) -> None:
    answer = one_client.post("/predict", json=PREDICT | {"return": ["label"] * 4})
    assert answer.json()["errors"] == [{"loc": ["body", "return"], "msg": "It must have at most 3 items."}]


# Their cells are counted when the model is known, and each row is looked at once.
COUNTED_LATER = {
    ("InputTensor", "data"),
    *(("InputData", name) for name in ("features", "records")),
    *(("SplitFrame", name) for name in ("columns", "index", "data")),
    *(("Invocation", name) for name in ("dataframe_records", "instances", "inputs")),
}


def models_of_bodies() -> set[type[BaseModel]]:
    app = create_app(Settings(home=Path("never-opened")))
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    bodies = [
        route.body_field.field_info.annotation for route in routes if isinstance(route, APIRoute) and route.body_field
    ]
    return {model for body in bodies for model in _all_models(body)}


@pytest.mark.asvs("15.3.3", "15.3.5")
def test_no_body_takes_fields_that_it_does_not_have_or_values_of_another_type() -> None:
    models = models_of_bodies()
    assert [model.__name__ for model in models if model.model_config.get("extra") != "forbid"] == []
    # Forms hold nothing but texts, and how a file is read can be said in one. The words of a choice are listed.
    lenient = {model.__name__ for model in models if not model.model_config.get("strict")}
    assert lenient == {"TokenForm", "LoginForm", "LeaveForm", "RereadRequest", "ColumnChoice"}


@pytest.mark.asvs("2.3.2")
def test_every_list_and_every_object_that_clients_send_has_a_most() -> None:
    models = models_of_bodies()
    assert {"PredictRequest", "InputData", "TrainRequest", "EstimatorRequest"} <= {model.__name__ for model in models}
    unbounded = {
        (model.__name__, name)
        for model in models
        for name, field in model.model_fields.items()
        if any(word in str(field.annotation) for word in ("list[", "dict[", "set[", "tuple["))
        and not any(isinstance(rule, MaxLen) for rule in [*field.metadata, *_rules_inside(field.annotation)])
    }
    assert unbounded == COUNTED_LATER


def _rules_inside(annotation: Any) -> Iterator[Any]:
    """The rules of the alternatives of a union."""
    for each in get_args(annotation):
        for inner in getattr(each, "__metadata__", ()):
            yield from getattr(inner, "metadata", ())
        yield from _rules_inside(each)


def _all_models(annotation: Any) -> set[type[BaseModel]]:
    found = set(validation._models_in(annotation))
    inner = {each for model in found for field in model.model_fields.values() for each in _all_models(field.annotation)}
    return found | inner
