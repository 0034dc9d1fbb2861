"""Our check of parameters and scikit-learn's own agree: what we let pass, it takes."""

import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyRegressor
from sklearn.utils._param_validation import Hidden, InvalidParameterError

from shared.estimators.catalogue import Estimator, all_estimators
from shared.estimators.hosts import slots_of
from shared.estimators.json_schema import meets
from shared.estimators.model_form import KEYWORD
from shared.estimators.parameters import problems_of_parameters
from shared.estimators.restrictions import WITHOUT
from shared.training.building import build_tree
from shared.training.checks.shape import flaws_of_weights
from shared.training.recipe import build_estimator
from shared.training.spec import EstimatorChoice
from tests.support.nested import needed_by, small_tree

# Other tests run the same lines once; to count them here takes as long as all the rest of it.
pytestmark = pytest.mark.no_cover

# Other libraries publish no constraints to compare with.
ESTIMATORS = [estimator for estimator in all_estimators() if estimator.library is None]
_LARGE = 10**6

# Values of every kind that JSON has, right and wrong alike.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def numbers_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if schema["type"] == "integer":
        low = schema["exclusiveMinimum"] + 1 if "exclusiveMinimum" in schema else low
        return st.integers(low if low is not None else -_LARGE, high if high is not None else _LARGE)
    low = schema.get("exclusiveMinimum", low)
    high = schema.get("exclusiveMaximum", high)
    floats = st.floats(
        low if low is not None else -_LARGE,
        high if high is not None else _LARGE,
        exclude_min="exclusiveMinimum" in schema,
        exclude_max="exclusiveMaximum" in schema,
    )
    return floats | floats.map(round).filter(lambda value: meets(value, schema))


def values_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "const" in schema or KEYWORD in schema:
        return st.just(schema["const"] if "const" in schema else models_of(schema))
    kind = schema["type"]
    if kind == "string":
        return st.sampled_from(schema["enum"]) if "enum" in schema else st.text(max_size=20)
    if kind == "array":
        return st.lists(
            st.one_of([values_of({**schema["items"], "type": one}) for one in item_kinds(schema)]), max_size=5
        )
    if kind == "object":
        return class_weights()
    if kind == "null":
        return st.none()
    return st.booleans() if kind == "boolean" else numbers_of(schema)


def class_weights() -> st.SearchStrategy[dict[str, int]]:
    """Weights that count for something, for classes that no estimator takes for the same number."""
    names = st.text(st.characters(codec="ascii", categories=["L"]), max_size=5)
    return st.dictionaries(names, st.integers(0, 5), max_size=3).filter(lambda all_: not all_ or any(all_.values()))


def models_of(schema: dict[str, Any]) -> Any:
    tree = small_tree(schema[KEYWORD])
    return [["a", tree], ["b", tree]] if schema["type"] == "array" else tree


def item_kinds(schema: dict[str, Any]) -> list[str]:
    kinds: list[str] = schema["items"]["type"]
    return kinds


@st.composite
def choices(draw: st.DrawFn) -> tuple[Estimator, dict[str, Any]]:
    """An estimator with values near what its parameters take, and some that are far from it."""
    estimator = draw(st.sampled_from(ESTIMATORS))
    names = draw(st.lists(st.sampled_from(sorted(estimator.parameters) or [""]), max_size=5, unique=True))
    params = {}
    for name in names:
        near = st.one_of([values_of(schema) for schema in estimator.parameters[name].allowed])
        params[name] = draw(st.one_of(near, near, near, JSON))
    return estimator, params


def refused_by_us(estimator: Estimator, params: dict[str, Any]) -> bool:
    """Whether the parameters are wrong by themselves, or the weights for any classes at all."""
    weights = params.get("class_weight")
    wrong_weights = flaws_of_weights(estimator.name, weights, weights if isinstance(weights, dict) else ())
    return bool(list(problems_of_parameters(estimator, params)) or list(wrong_weights))


def refused_by_scikit_learn(estimator: Estimator, params: dict[str, Any]) -> str:
    choice = EstimatorChoice(module=estimator.module, class_=estimator.name, params=needed_by(estimator) | params)
    with warnings.catch_warnings():
        # Some of the classes are deprecated and say so.
        warnings.simplefilter("ignore")
        # Weights go by label; scikit-learn's check does not look into them.
        classes = list(params.get("class_weight") or {})
        built = build_tree(choice.tree(), seed=1, classes=classes, shown=classes)
        return refused_as_it_is(built.estimator)


def refused_as_it_is(model: BaseEstimator) -> str:
    try:
        model._validate_params()
    except InvalidParameterError as error:
        return str(error)
    return ""


def built_by_hand(estimator: Estimator, settings: dict[str, Any]) -> BaseEstimator:
    inner = {slot.name: DummyRegressor() for slot in slots_of(estimator.key) if slot.required}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_estimator(estimator, inner | settings)


@settings(max_examples=500, deadline=None)
@given(choices())
def test_scikit_learn_takes_whatever_passes_our_check(choice: tuple[Estimator, dict[str, Any]]) -> None:
    estimator, params = choice
    for name, value in params.items():
        if not refused_by_us(estimator, {name: value}):
            assert refused_by_scikit_learn(estimator, {name: value}) == ""


@settings(max_examples=500, deadline=None)
@given(choices())
def test_what_we_refuse_is_told_in_a_sentence_of_bounded_length(choice: tuple[Estimator, dict[str, Any]]) -> None:
    estimator, params = choice
    for problem in problems_of_parameters(estimator, params):
        assert 20 < len(problem.detail) < 1000


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ESTIMATORS), st.data())
def test_every_value_within_the_schemas_passes_both_checks(estimator: Estimator, data: st.DataObject) -> None:
    for name, parameter in estimator.parameters.items():
        value = data.draw(st.one_of([values_of(schema) for schema in parameter.allowed]), label=name)
        assert not refused_by_us(estimator, {name: value})
        assert refused_by_scikit_learn(estimator, {name: value}) == ""


# scikit-learn lets any text through here and fails in the fit; ours must be the name of a scorer.
NAMED_BY_US = {"scoring"}
WORDS = sorted(
    {word for e in ESTIMATORS for p in e.parameters.values() for s in p.allowed for word in s.get("enum", [])}
)
SCALARS = st.none() | st.integers(-3, 15) | st.floats(-2, 3, allow_nan=False) | st.sampled_from(WORDS)


def documented(estimator: Estimator) -> list[str]:
    """The parameters that have no values which scikit-learn takes but does not speak of."""
    constraints = built_by_hand(estimator, {})._parameter_constraints
    return [
        name
        for name in estimator.parameters
        if name not in NAMED_BY_US and not any(isinstance(constraint, Hidden) for constraint in constraints[name])
    ]


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(ESTIMATORS), SCALARS)
def test_a_plain_value_that_scikit_learn_takes_passes_our_check(estimator: Estimator, value: Any) -> None:
    for name in documented(estimator):
        share_of_all = name == "min_samples_split" and value == 1
        if (
            refused_as_it_is(built_by_hand(estimator, {name: value})) == ""
            and value not in WITHOUT.get(name, ())
            and not share_of_all
        ):
            assert not refused_by_us(estimator, {name: value})
