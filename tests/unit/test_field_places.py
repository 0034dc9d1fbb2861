"""Problems of requests are told by the names of fields: what pydantic calls the types of a union is not told."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.app import create_app
from api.http.field_places import placed
from api.http.validation import invalid_request
from api.schemas.train import TrainRequest
from shared.settings import Settings

# One of them fits none of the types of any union, or is wrong inside of one that it fits.
VALUES: list[Any] = [True, 5, "x", [[]], ["x"], {"a": []}, {"a": {"kind": 5}}, []]


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The type of each field of each request, as Pydantic has it."""
    app = create_app(Settings(home=tmp_path_factory.mktemp("home")))
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    bodies = [route.body_field for route in routes if isinstance(route, APIRoute) and route.body_field]
    return dict(each for body in bodies for each in fields_in(body.field_info.annotation))


def fields_in(annotation: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield f"{annotation.__name__}.{name}", field.rebuild_annotation()
            yield from fields_in(field.annotation)
    for part in get_args(annotation):
        yield from fields_in(part)


def wrong(kind: Any, value: Any) -> list[Any]:
    try:
        TypeAdapter(kind).validate_python(value, strict=True)
    except ValidationError as error:
        return [{**problem, "loc": ("body", *problem["loc"])} for problem in error.errors()]
    return []


def parts_of(value: Any) -> set[Any]:
    """The names and numbers that a place inside of a value may have."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {part for name, each in inner for part in ({name} | parts_of(each))}


def test_places_of_all_fields_have_names_that_the_request_has(fields: dict[str, Any]) -> None:
    leaking = set()
    for name, kind in fields.items():
        for value in VALUES:
            problems = wrong(kind, value)
            told = placed(problems, kind)
            for each in told:
                missing = {each.place[-1]} if each.problem["type"] == "missing" else set()
                assert set(each.place[1:]) <= parts_of(value) | missing, (name, value, each)
            assert len({(each.place, each.problem["msg"]) for each in told}) == len(told)
            assert bool(told) is bool(problems)
            if any(set(problem["loc"][1:]) - parts_of(value) for problem in problems if problem["type"] != "missing"):
                leaking.add(name)
    # What pydantic says of them has names of types in it.
    assert leaking >= {"TrainRequest.preprocessing", "TrainRequest.models", "ThresholdRequest.positive"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"preprocessing": "yes"}, "Field 'preprocessing': it must be 'auto', 'none' or an object, not 'yes'."),
        ({"models": 3}, "Field 'models': it must be a list or 'auto', not 3."),
        ({"models": []}, "Field 'models': it must have 1 item or more."),
        (
            {"threshold": {"positive": [1]}},
            "Field 'threshold.positive': it must be true, false, a whole number, a number or a text.",
        ),
        (
            {"preprocessing": {"age": {"imput": "mean"}}},
            "Field 'preprocessing.age.imput': there is no such field. Did you mean 'impute'?",
        ),
        (
            {"models": [{"module": "tree", "clas": "x", "class": "x"}]},
            "Field 'models.0.clas': there is no such field. Did you mean 'class'?",
        ),
    ],
)
def test_what_the_types_of_a_union_say_of_one_value_is_one_sentence(changes: dict[str, Any], told: str) -> None:
    model = {} if "models" in changes else {"model": {"module": "tree", "class": "x"}}
    problems = wrong(TrainRequest, {"dataset_name": "a", **model, **changes})
    found = invalid_request(problems, body=TrainRequest)
    assert (found.detail, len(found.errors)) == (told, 1)
