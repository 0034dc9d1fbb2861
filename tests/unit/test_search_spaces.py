"""What a search draws from: how a space is read, what is usual, and that draws stay inside of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.estimators.tree import read_tree
from shared.training.checks.search import TableSize, problems_of_search
from shared.training.search.drawing import drawn, whole_grid
from shared.training.search.placing import NoSuchPlace, models_of, with_values
from shared.training.search.settling import read_named, read_space, settled
from shared.training.search.space import (
    Range,
    Space,
    UnreadableSpace,
    as_grid,
    key_of,
    read_entry,
    size_of,
    written_space,
)
from shared.training.search.usual_spaces import USUAL
from shared.training.spec import EstimatorChoice, SearchChoice
from tests.support.training_tables import spec_of


def test_an_empty_metric_is_not_taken_for_none() -> None:
    tree = choice("tree.DecisionTreeClassifier")
    assert settled(SearchChoice(method="random"), tree).metric == "accuracy"
    assert settled(SearchChoice(method="random", metric=""), tree).metric == ""


def choice(key: str, **params: Any) -> EstimatorChoice:
    module, _, name = key.partition(".")
    return EstimatorChoice(module=module, class_=name, params=params)


@pytest.mark.parametrize("key", USUAL)
def test_every_usual_space_is_one_that_a_request_may_have(key: str) -> None:
    model = choice(key)
    tree, _ = read_tree(model.module, model.class_, {})
    assert tree is not None
    for method in ("random", "grid"):
        search = settled(SearchChoice(method=method), model)
        assert list(problems_of_search(search, model, tree, TableSize(cells=1000, classes=2))) == []
        assert 1 <= (search.trials or 0) <= 30
        assert len(read_space(search.space or {}, model)) == len(search.space or {})


@pytest.mark.parametrize(
    ("key", "name", "written", "whole"),
    [
        ("svm.SVC", "C", {"low": 1, "high": 10}, False),
        ("svm.SVC", "C", {"low": 1, "high": 10, "int": True}, True),
        ("tree.DecisionTreeClassifier", "max_depth", {"low": 1, "high": 10}, True),
        ("tree.DecisionTreeClassifier", "max_depth", {"low": 1.0, "high": 10.0}, True),
        ("tree.DecisionTreeClassifier", "min_samples_leaf", {"low": 1, "high": 10}, True),
        ("tree.DecisionTreeClassifier", "min_samples_leaf", {"low": 0.1, "high": 0.4}, False),
    ],
)
def test_the_parameter_decides_whether_a_range_is_of_whole_numbers(
    key: str, name: str, written: dict[str, Any], *, whole: bool
) -> None:
    entry = read_named(name, written, choice(key))
    assert isinstance(entry, Range)
    assert (entry.whole, type(entry.low)) == (whole, int if whole else float)


ENDS = st.one_of(st.integers(-(10**6), 10**6), st.floats(allow_nan=False))
SHARES = st.floats(0, 1)


@given(low=ENDS, high=ENDS, log=st.booleans(), share=SHARES)
def test_what_is_drawn_from_a_range_is_inside_of_it(low: float, high: float, log: bool, share: float) -> None:
    try:
        entry = read_entry("a", {"low": low, "high": high, "log": log})
    except UnreadableSpace:
        assert low > high or (log and low <= 0) or max(abs(low), abs(high)) > 1e300
        return
    assert isinstance(entry, Range)
    values = [entry.number_at(share), *entry.points()]
    assert all(low <= value <= high for value in values)
    assert not entry.whole or all(isinstance(value, int) for value in values)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["low", "high", "log", "x"]), inner),
    max_leaves=6,
)


@given(written=JSON)
def test_whatever_stands_in_a_space_is_read_or_told_to_be_wrong(written: Any) -> None:
    try:
        entry = read_entry("a", written)
    except UnreadableSpace:
        return
    again = written_space({"a": entry})["a"]
    assert read_entry("a", again) == entry


def test_the_same_seed_draws_the_same_different_candidates() -> None:
    space: Space = {"a": Range(1, 3, whole=True), "b": (True, 1, 1.0, [1], {"x": None})}
    first = drawn(space, 12, seed=5)
    assert first == drawn(space, 12, seed=5)
    assert first != drawn(space, 12, seed=6)
    assert len({key_of(values) for values in first}) == 12
    assert size_of(space) == 15


def test_a_small_space_is_drawn_once_as_a_whole() -> None:
    space: Space = {"a": (1, 2), "b": ("x", "y")}
    assert sorted(map(key_of, drawn(space, 30, seed=1))) == sorted(map(key_of, whole_grid(space)))
    assert len(drawn({"a": Range(1, 2, whole=True)}, 30, seed=1)) == 2


def test_a_space_with_more_combinations_than_a_computer_counts_is_drawn_from() -> None:
    huge: Space = {f"a{number}": tuple(range(100)) for number in range(30)}
    assert len({key_of(values) for values in drawn(huge, 10, seed=1)}) == 10


def test_logarithmic_draws_are_as_frequent_in_each_power_of_ten() -> None:
    values = [each["a"] for each in drawn({"a": Range(0.001, 1000, log=True)}, 300, seed=1)]
    assert 110 < sum(value < 1 for value in values) < 190
    assert all(float(f"{value:.6g}") == value for value in values)


def test_points_of_a_range_have_its_ends_and_the_steps_that_it_means() -> None:
    assert as_grid({"a": Range(1, 1000, log=True, whole=True)}) == {"a": (1, 10, 100, 1000)}
    assert as_grid({"a": Range(0.0, 1.0)}) == {"a": (0.0, 0.333, 0.667, 1.0)}


STACK = choice(
    "ensemble.StackingClassifier",
    estimators=[["small", {"module": "tree", "class": "DecisionTreeClassifier", "params": {"max_depth": 9}}]],
)


def test_a_name_with_two_underscores_leads_into_the_model_inside() -> None:
    changed = with_values(STACK, {"small__max_depth": 2, "final_estimator__C": 0.5, "passthrough": True})
    assert changed.params["estimators"][0][1]["params"] == {"max_depth": 2}
    assert changed.params["final_estimator"]["class"] == "LogisticRegression"
    assert changed.params["final_estimator"]["params"] == {"C": 0.5}
    assert changed.params["passthrough"] is True
    # What the request says is not changed by a candidate.
    assert STACK.params["estimators"][0][1]["params"] == {"max_depth": 9}


def test_an_inner_model_may_be_chosen_together_with_its_parameters() -> None:
    trees = [{"module": "tree", "class": name} for name in ("DecisionTreeClassifier", "ExtraTreeClassifier")]
    changed = with_values(choice("ensemble.BaggingClassifier"), {"estimator__max_depth": 3, "estimator": trees[1]})
    assert changed.params["estimator"] == {**trees[1], "params": {"max_depth": 3}}


@pytest.mark.parametrize("name", ["large__max_depth", "estimators__small", "small__inner__C"])
def test_a_name_that_leads_nowhere_is_told(name: str) -> None:
    with pytest.raises(NoSuchPlace, match="has no model"):
        with_values(STACK, {name: 1})


def test_the_models_of_a_search_are_known_before_it_runs() -> None:
    small = {"module": "tree", "class": "ExtraTreeClassifier", "params": {}}
    search = SearchChoice(method="grid", space={"estimator": [None, small], "n_estimators": [2, 3]})
    spec = spec_of("ensemble.BaggingClassifier", search=search)
    keys = {node.estimator.key for model in models_of(spec) for node in model.tree().all()}
    assert keys == {"ensemble.BaggingClassifier", "tree.ExtraTreeClassifier"}
