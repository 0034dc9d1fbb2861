"""Rows that go down trees in different ways: alone, four at once, with gaps."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestRegressor

from shared.compiled.making.tree_layout import layout_of, tree_of
from shared.compiled.trees import SumOfTrees

FEATURES, CLASSES = 5, 3
GENERATOR = np.random.default_rng(4)
X = GENERATOR.normal(size=(300, FEATURES)).astype(np.float32).astype(np.float64)
Y = GENERATOR.integers(0, CLASSES, 300)


def trees_of(estimator: ExtraTreesClassifier | RandomForestRegressor) -> SumOfTrees:
    """The mean of what the trees of a forest say."""
    laid = layout_of(tree_of(each, lambda fitted: fitted.tree_.value[:, 0, :]) for each in estimator.estimators_)
    width, count = laid.leaves.shape[1], len(estimator.estimators_)
    columns = np.zeros(count, dtype=np.int64)
    return SumOfTrees(
        **laid._asdict(), features=FEATURES, columns=columns, start=np.zeros(width), scale=1.0, divisor=1.0
    )


@pytest.mark.parametrize("trees", range(1, 10))
def test_any_number_of_rows_goes_down_any_number_of_trees_as_in_scikit_learn(trees: int) -> None:
    forest = ExtraTreesClassifier(trees, random_state=0).fit(X, Y)
    score = trees_of(forest)
    said = np.zeros((len(X), CLASSES))
    for each in forest.estimators_:
        said += each.predict_proba(X)
    for rows in range(1, 10):
        np.testing.assert_array_equal(score.values(X[:rows].copy()), said[:rows])
    np.testing.assert_array_equal(score.values(X), said)


def test_a_gap_goes_its_way_whatever_rows_are_beside_it() -> None:
    gappy = X.copy()
    gappy[GENERATOR.random(X.shape) < 0.2] = np.nan
    forest = RandomForestRegressor(6, random_state=0).fit(gappy, Y)
    score = trees_of(forest)
    assert score.gaps_left.any()
    together = score.values(gappy)[:, 0]
    np.testing.assert_array_equal(together, sum(each.predict(gappy) for each in forest.estimators_))
    for row in range(20):
        assert score.values(gappy[row : row + 1].copy())[0, 0] == together[row]


def test_a_tree_of_one_leaf_says_the_same_of_all_rows() -> None:
    forest = RandomForestRegressor(5, random_state=0).fit(X, np.full(len(X), 2.5))
    assert len(trees_of(forest).nodes) == 5
    np.testing.assert_array_equal(trees_of(forest).values(X), np.full((len(X), 1), 12.5))
