"""What the steps before the estimator make of values, to the number: gaps, categories that are new, and rare ones."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from shared.estimators.catalogue import find_estimator
from shared.estimators.signature import InputColumn
from shared.training.frame import model_input
from shared.training.plan import plan_of
from shared.training.recipe import build_estimator, build_model
from shared.training.treatment import MAX_CATEGORIES
from tests.support.training_tables import profile_of, spec_of, trained

# It needs scaling; it does not; it takes gaps; it takes nothing but categories.
LOGISTIC = "linear_model.LogisticRegression"
GAUSSIAN = "naive_bayes.GaussianNB"
BOOSTING = "ensemble.HistGradientBoostingClassifier"
CATEGORICAL = "naive_bayes.CategoricalNB"

# Median 1.5, mean 26, most frequent 1.
SKEWED = [1.0, 1.0, 2.0, 100.0, None, None]
WORDS = ["oak", "oak", "oak", "elm", "fir", None] * 2


class Recipe:
    """The steps that a table and an estimator ask for, fitted to the whole table."""

    def __init__(self, estimator: str, **columns: Any) -> None:
        table = pd.DataFrame(columns)
        table["target"] = ["no", "yes"] * (len(table) // 2)
        found = find_estimator(*estimator.split("."))
        plan = plan_of(spec_of(estimator), found, columns=profile_of(table), rows=len(table))
        self.numeric = plan.numeric
        self.inputs = [
            InputColumn(name=each.column, kind=each.kind, missing_allowed=True, used=each.role != "left_out")
            for each in plan.treatments
        ]
        self.model: Any = build_model(plan, build_estimator(found, {}))
        self.model.fit(self._taken(table), table["target"])

    def encoded(self, **columns: Any) -> list[list[float]]:
        """What the estimator gets for raw rows."""
        made = self.model[:-1].transform(self._taken(columns))
        assert isinstance(made, np.ndarray)
        rows: list[list[float]] = made.tolist()
        return rows

    def _taken(self, columns: Any) -> Any:
        return model_input(columns, self.inputs, numeric=self.numeric)


def scaled(values: list[float], by: list[float]) -> NDArray[np.float64]:
    return np.asarray((np.array(values) - np.mean(by)) / np.std(by))


def test_a_gap_among_numbers_becomes_the_median_and_is_told_of() -> None:
    recipe = Recipe(GAUSSIAN, x=SKEWED)
    assert recipe.numeric
    assert recipe.encoded(x=[7.0, None]) == [[7.0, 0.0], [1.5, 1.0]]


def test_a_gap_among_numbers_of_a_mixed_table_becomes_the_median_and_is_told_of() -> None:
    recipe = Recipe(GAUSSIAN, x=SKEWED, flag=[True, True, True, False, False, True])
    assert not recipe.numeric
    assert recipe.encoded(x=[7.0, None], flag=[True, False]) == [[7.0, 0.0, 1.0], [1.5, 1.0, 0.0]]


@pytest.mark.parametrize("mixed", [False, True])
def test_numbers_are_scaled_after_their_gaps_are_filled(mixed: bool) -> None:
    flag = {"flag": [True, True, True, False, False, True]} if mixed else {}
    recipe = Recipe(LOGISTIC, x=SKEWED, **flag)
    assert recipe.numeric is not mixed
    (known, gap) = recipe.encoded(x=[7.0, None], **({"flag": [True, True]} if mixed else {}))
    filled, marks = [1.0, 1.0, 2.0, 100.0, 1.5, 1.5], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    values, marked = scaled([7.0, 1.5], filled), scaled([0.0, 1.0], marks)
    assert known[:2] == pytest.approx([values[0], marked[0]])
    assert gap[:2] == pytest.approx([values[1], marked[1]])


def test_a_gap_among_booleans_becomes_the_more_frequent_one() -> None:
    recipe = Recipe(LOGISTIC, flag=[True, False, True, None, False, True])
    assert recipe.encoded(flag=[None, False, True]) == [[1.0], [0.0], [1.0]]


def test_gaps_are_left_to_an_estimator_that_takes_them() -> None:
    recipe = Recipe(BOOSTING, x=SKEWED, flag=[True, None, True, False, False, True])
    ((x, flag),) = recipe.encoded(x=[None], flag=[None])
    assert np.isnan([x, flag]).all()


@pytest.mark.parametrize("estimator", [LOGISTIC, GAUSSIAN, BOOSTING])
def test_a_missing_category_is_a_category_of_its_own(estimator: str) -> None:
    recipe = Recipe(estimator, tree=WORDS)
    assert recipe.encoded(tree=["elm", "fir", None, "oak"]) == [
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 1.0],
    ]


def test_a_category_that_was_not_seen_is_none_of_those_that_were() -> None:
    assert Recipe(LOGISTIC, tree=WORDS).encoded(tree=["ginkgo"]) == [[0.0, 0.0, 0.0, 0.0]]


def many_categories() -> list[str]:
    """The first of 60 categories in 61 rows, the next in 60, and so on down to two rows."""
    return [f"c{number:02}" for number in range(60) for _ in range(61 - number)]


def test_of_many_categories_the_rarest_share_one_column_which_new_ones_share_too() -> None:
    recipe = Recipe(LOGISTIC, code=many_categories())
    encoded = recipe.encoded(code=["c00", "c48", "c49", "c59", "new"])
    assert [row.index(1.0) for row in encoded] == [0, 48, 49, 49, 49]
    assert {len(row) for row in encoded} == {MAX_CATEGORIES}
    assert {sum(row) for row in encoded} == {1.0}


def test_an_estimator_of_categories_gets_a_small_number_for_each() -> None:
    recipe = Recipe(CATEGORICAL, tree=WORDS, flag=[True, False, True, None, False, True] * 2)
    encoded = recipe.encoded(tree=["elm", "fir", None, "oak", "ginkgo"], flag=[True, False, None, True, True])
    # What was not seen counts as the most frequent category, oak.
    assert encoded == [[1.0, 0.0], [0.0, 1.0], [1.0, 2.0], [1.0, 3.0], [1.0, 3.0]]


def test_an_estimator_of_categories_gets_one_number_for_the_rarest_of_many() -> None:
    encoded = Recipe(CATEGORICAL, code=many_categories()).encoded(code=["c00", "c48", "c49", "c59", "new"])
    # Together they are more rows than any other, so that a new one counts among them.
    assert encoded == [[0.0], [48.0], [49.0], [49.0], [49.0]]


def test_an_estimator_of_categories_gets_numbers_in_bins_of_about_as_many_rows_each() -> None:
    # Cut at equal distances, all but the last number would be in the first bin.
    numbers = [float(2**power) for power in range(20)]
    recipe = Recipe(CATEGORICAL, x=numbers)
    assert recipe.encoded(x=numbers) == [[float(power // 2)] for power in range(20)]
    with_gaps = Recipe(CATEGORICAL, x=[*numbers, None, None])
    # The median is between the tenth and the eleventh number.
    (gap,), (lower,), (upper,) = with_gaps.encoded(x=[None, numbers[9], numbers[10]])
    assert lower <= gap <= upper
    assert upper - lower <= 1


@pytest.mark.parametrize("estimator", [LOGISTIC, GAUSSIAN])
@pytest.mark.parametrize("mixed", [False, True])
def test_a_column_without_a_value_among_the_rows_to_fit_keeps_its_place(estimator: str, mixed: bool) -> None:
    table = pd.DataFrame({"x": [None] * 5 + [7.0], "y": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]})
    if mixed:
        table["flag"] = pd.Series([None] * 5 + [True], dtype=object)
    table["target"] = ["no", "yes"] * 3
    found = find_estimator(*estimator.split("."))
    plan = plan_of(spec_of(estimator), found, columns=profile_of(table), rows=len(table))
    inputs = [InputColumn(name=each.column, kind=each.kind, missing_allowed=True) for each in plan.treatments]
    model: Any = build_model(plan, build_estimator(found, {}))
    model.fit(model_input(table[:5], inputs, numeric=plan.numeric), table["target"][:5])
    assert len(model.predict(model_input(table[5:], inputs, numeric=plan.numeric))) == 1


@pytest.mark.parametrize("mixed", [False, True])
def test_a_class_that_shows_in_the_gaps_of_a_number_alone_is_learnt(mixed: bool) -> None:
    generator = np.random.default_rng(11)
    target = np.arange(200) % 2
    table = pd.DataFrame({"x": np.where(target, np.nan, generator.uniform(0, 1, 200))})
    if mixed:
        table["flag"] = pd.Series(generator.choice([True, False], 200), dtype=object)
    # Where the gaps are filled, half of the values of the other class are on each side.
    table["target"] = np.where(target, "yes", "no")
    assert trained(LOGISTIC, table).facts.metrics["accuracy"] == 1


@pytest.mark.parametrize("estimator", [LOGISTIC, CATEGORICAL])
def test_a_class_that_shows_in_the_gaps_of_a_category_alone_is_learnt(estimator: str) -> None:
    target = np.arange(200) % 2
    words = np.random.default_rng(12).choice(["oak", "elm"], 200).astype(object)
    table = pd.DataFrame({"tree": pd.Series(words, dtype="str").where(target == 0)})
    table["target"] = np.where(target, "yes", "no")
    assert trained(estimator, table).facts.metrics["accuracy"] == 1


@pytest.mark.parametrize("word", ["missing", "infrequent_sklearn", "nan", "None"])
@pytest.mark.parametrize("estimator", [LOGISTIC, GAUSSIAN, BOOSTING, CATEGORICAL])
def test_no_word_is_the_same_category_as_a_gap_or_as_rare_words(estimator: str, word: str) -> None:
    words = [word] * 20 + ["oak"] * 20
    recipe = Recipe(estimator, tree=[*words, *([None] * 10), *(many_categories() if estimator != CATEGORICAL else [])])
    known, gap, unseen = recipe.encoded(tree=[word, None, "ginkgo"])
    assert known != gap
    assert unseen not in ([known] if estimator != CATEGORICAL else [gap])


def test_a_word_that_training_did_not_meet_is_no_gap_whatever_it_is() -> None:
    recipe = Recipe(LOGISTIC, tree=WORDS)
    assert recipe.encoded(tree=["missing"]) == recipe.encoded(tree=["ginkgo"]) != recipe.encoded(tree=[None])
