"""What GET /estimators publishes, read by a JSON schema validator of others, and our check of parameters agree."""

from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.schemas.estimators import EstimatorDescription
from shared.estimators.catalogue import Estimator, all_estimators
from shared.estimators.json_schema import LARGEST_INTEGER
from shared.estimators.parameters import problems_of_parameters
from tests.property.test_parameter_agreement import values_of
from tests.support.nested import small_tree

# Other tests run the same lines once; to count them here takes as long as all the rest of it.
pytestmark = pytest.mark.no_cover

ESTIMATORS = {estimator.key: estimator for estimator in all_estimators()}
# As the reader of bodies lets them through: finite, and of no more digits than a float64 has.
NUMBERS = (
    st.integers(-3, 12)
    | st.integers(-(10**307), 10**307)
    | st.sampled_from([LARGEST_INTEGER, LARGEST_INTEGER + 1, -LARGEST_INTEGER, -LARGEST_INTEGER - 1, 2**32, 1e300])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(-3, 12).map(lambda value: round(value, 1))
    | st.integers(-3, 20_000).map(float)
)
WORDS = ["auto", "func", "__a", "inf", "warn", "deprecated", "a" * 256, "a" * 257]
TEXTS = st.text(max_size=5) | st.sampled_from(WORDS)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
TREE = small_tree("classification")
PARAMS: list[Any] = [{}, [], None, dict.fromkeys(map(str, range(101)), 1)]
MODELS: list[Any] = [
    TREE,
    *[TREE | {"params": params} for params in PARAMS],
    *[{name: value for name, value in TREE.items() if name != left_out} for left_out in TREE],
    TREE | {"more": 1},
    TREE | {"class": 1},
    *[[["a", TREE]] * count for count in (1, 20, 21)],
    *[[pair] for pair in (["a"], ["a", TREE, 1], [1, TREE], ["", TREE], ["a" * 61, TREE], ["a", {}], TREE)],
]
LISTS = st.lists(SCALARS, max_size=4) | st.sampled_from([[1] * 10, [1] * 11, [1] * 1_001])
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)


@cache
def validators(key: str) -> dict[str, jsonschema_rs.Validator]:
    described = EstimatorDescription.from_estimator(ESTIMATORS[key]).model_dump(mode="json", by_alias=True)
    return {
        parameter["name"]: jsonschema_rs.validator_for(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "anyOf": parameter["allowed"]}
        )
        for parameter in described["parameters"]
    }


def agree(estimator: Estimator, name: str, value: Any) -> None:
    refused = list(problems_of_parameters(estimator, {name: value}))
    assert validators(estimator.key)[name].is_valid(value) == (not refused), refused


@st.composite
def probes(draw: st.DrawFn) -> tuple[str, str, Any]:
    """A parameter with a value that is anything, or near what the parameter takes."""
    estimator = ESTIMATORS[draw(st.sampled_from([key for key, each in ESTIMATORS.items() if each.parameters]))]
    name = draw(st.sampled_from(sorted(estimator.parameters)))
    allowed = estimator.parameters[name].allowed
    bounds = [bound for schema in allowed for key, bound in schema.items() if "imum" in key]
    near = [st.sampled_from([bound + step for bound in bounds for step in (-1, -0.5, 0, 0.5, 1)])] if bounds else []
    value = draw(st.one_of([*map(values_of, allowed), *near, SCALARS, LISTS, JSON]))
    return estimator.key, name, value


@settings(max_examples=2_000, deadline=None)
@given(probes())
@example(("ensemble.RandomForestClassifier", "n_estimators", 100.0))
@example(("ensemble.RandomForestClassifier", "n_estimators", True))
@example(("ensemble.RandomForestClassifier", "max_features", 1))
@example(("ensemble.RandomForestClassifier", "min_samples_split", 1.0))
@example(("ensemble.RandomForestClassifier", "class_weight", {"func": 1}))
@example(("ensemble.RandomForestClassifier", "class_weight", {"a": {"b": 1}}))
@example(("ensemble.HistGradientBoostingClassifier", "max_features", 1))
@example(("ensemble.HistGradientBoostingClassifier", "interaction_cst", [["a"]]))
@example(("linear_model.RANSACRegressor", "stop_score", "inf"))
def test_a_value_is_valid_by_the_published_schema_just_when_it_is_taken(probe: tuple[str, str, Any]) -> None:
    key, name, value = probe
    agree(ESTIMATORS[key], name, value)


@pytest.mark.parametrize("key", ESTIMATORS)
def test_both_agree_on_plain_values_of_every_parameter(key: str) -> None:
    plain = [None, True, False, 0, 1, 1.0, -1, 0.5, 2, 2.0, 10**300, 1e300, "", "auto", [], [1], [1.0], ["a"], [[1]]]
    estimator = ESTIMATORS[key]
    for name, parameter in estimator.parameters.items():
        for value in [*plain, parameter.default, {}, {"a": 1}, {"a": [1]}, {"func": 1}, {"a": None}, *MODELS]:
            agree(estimator, name, value)


@pytest.mark.parametrize("key", ESTIMATORS)
def test_every_default_is_valid_by_the_published_schema(key: str) -> None:
    for name, parameter in ESTIMATORS[key].parameters.items():
        if parameter.required:
            continue
        assert validators(key)[name].is_valid(parameter.default), name
