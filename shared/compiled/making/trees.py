"""Makers for trees and for what is built of trees."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import BaseDecisionTree

from shared.compiled.kernels.trees import SET_WORDS
from shared.compiled.making.notion import Compiled, NotCompilable
from shared.compiled.making.tree_layout import FittedTree, TreeArrays, layout_of, tree_of
from shared.compiled.parts import Floats
from shared.compiled.trees import MedianOfTrees, SumOfTrees, SumOverCategories


def of_tree(model: Any) -> Compiled:
    """A single decision tree."""
    if hasattr(model, "classes_"):
        return _classes(_sum(layout_of([tree_of(model, _shares)]), model))
    return Compiled(_sum(layout_of([tree_of(model, _numbers)]), model), "single")


def of_forest(model: Any) -> Compiled:
    """A mean of trees, of probabilities or of numbers."""
    count = float(len(model.estimators_))
    if hasattr(model, "classes_"):
        layout = layout_of(tree_of(tree, _shares) for tree in model.estimators_)
        return _classes(_sum(layout, model, divisor=count))
    layout = layout_of(tree_of(tree, _numbers) for tree in model.estimators_)
    return Compiled(_sum(layout, model, divisor=count), "single")


def of_bagging(model: Any) -> Compiled:
    """A mean of trees, each of which may have been shown some of the features and some of the classes."""
    _of_trees(model)
    if len(np.unique(np.concatenate(model.estimators_features_))) < model.n_features_in_:
        # Only there scikit-learn takes numbers that are too large for trees.
        raise NotCompilable("none of its trees was shown some of the features")
    pairs = list(zip(model.estimators_, model.estimators_features_, strict=True))
    count = float(len(pairs))
    if not hasattr(model, "classes_"):
        layout = layout_of(tree_of(tree, _numbers, features) for tree, features in pairs)
        return Compiled(_sum(layout, model, divisor=count), "single")
    width = len(model.classes_)
    layout = layout_of(tree_of(tree, _spread(width), features) for tree, features in pairs)
    return _classes(_sum(layout, model, divisor=count))


def of_gradient_boosting(model: Any) -> Compiled:
    """A start and the sum of trees times the learning rate, one tree per class where there are more than two."""
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_)))[0]
    if not np.array_equal(start, model._raw_predict_init(np.ones((1, model.n_features_in_)))[0]):
        raise NotCompilable("it begins with the predictions of another estimator")
    layout = layout_of(tree_of(tree, _numbers) for tree in model.estimators_.reshape(-1))
    columns = np.tile(np.arange(len(start), dtype=np.int64), len(model.estimators_))
    score = _sum(layout, model, columns=columns, start=start, scale=float(model.learning_rate))
    if not hasattr(model, "classes_"):
        return Compiled(score, "single")
    if len(start) > 1:
        return Compiled(score, "single", "highest", "softmax")
    return Compiled(score, "single", "not_below_zero", "sigmoid" if model.loss == "log_loss" else "sigmoid_of_double")


def of_histogram_boosting(model: Any) -> Compiled:
    """A start and the sum of trees over numbers, gaps and categories."""
    start = np.asarray(model._baseline_prediction, dtype=np.float64).reshape(-1)
    order = _order_of_features(model)
    known = model._bin_mapper.make_known_categories_bitsets()
    trees = [_histogram_tree(tree, order, *known) for iteration in model._predictors for tree in iteration]
    columns = np.tile(np.arange(len(start), dtype=np.int64), len(model._predictors))
    score = _with_categories(_sum(layout_of(trees), model, columns=columns, start=start), model)
    if hasattr(model, "classes_"):
        choice, link = ("highest", "softmax") if len(start) > 1 else ("above_zero", "sigmoid")
        return Compiled(score, "anything", choice, link)
    links = {"IdentityLink": "as_they_are", "LogLink": "exponential"}
    return Compiled(score, "anything", None, links[type(model._loss.link).__name__])


def of_boosted_classifier(model: Any) -> Compiled:
    """AdaBoost: each tree votes for a class and against the others, with its weight."""
    _of_trees(model)
    width = len(model.classes_)
    weights = model.estimator_weights_[: len(model.estimators_)]
    pairs = zip(model.estimators_, weights, strict=True)
    layout = layout_of(tree_of(tree, _vote(model.classes_, weight)) for tree, weight in pairs)
    score = _sum(layout, model, divisor=float(model.estimator_weights_.sum()))
    return Compiled(score, "single", "second_above_first" if width == 2 else "highest", "softmax_of_boost")


def of_boosted_regressor(model: Any) -> Compiled:
    """AdaBoost: the median of what the trees say, by their weights."""
    _of_trees(model)
    layout = layout_of(tree_of(tree, _numbers) for tree in model.estimators_)
    weights = np.ascontiguousarray(model.estimator_weights_[: len(model.estimators_)], dtype=np.float64)
    return Compiled(MedianOfTrees(**layout._asdict(), features=int(model.n_features_in_), weights=weights), "single")


def _classes(score: SumOfTrees) -> Compiled:
    return Compiled(score, "single", "highest", "as_they_are")


def _sum(
    layout: TreeArrays,
    model: Any,
    *,
    columns: NDArray[np.int64] | None = None,
    start: Floats | None = None,
    scale: float = 1.0,
    divisor: float = 1.0,
) -> SumOfTrees:
    width = layout.leaves.shape[1]
    return SumOfTrees(
        **layout._asdict(),
        features=int(model.n_features_in_),
        columns=np.zeros(len(layout.roots), dtype=np.int64) if columns is None else columns,
        start=np.zeros(width) if start is None else np.ascontiguousarray(start, dtype=np.float64),
        scale=scale,
        divisor=divisor,
    )


def _of_trees(model: Any) -> None:
    if not all(isinstance(estimator, BaseDecisionTree) for estimator in model.estimators_):
        raise NotCompilable("it is built of other estimators than trees")


def _numbers(tree: Any) -> Floats:
    found: Floats = tree.tree_.value[:, 0, :1]
    return found


def _shares(tree: Any) -> Floats:
    found: Floats = tree.tree_.value[:, 0, : len(tree.classes_)]
    return found


def _spread(width: int) -> Callable[[Any], Floats]:
    """The shares of classes by the position of a class in the ensemble, which numbers the classes of its trees."""

    def says(tree: Any) -> Floats:
        shares = _shares(tree)
        if shares.shape[1] == width:
            return shares
        found = np.zeros((len(shares), width))
        found[:, tree.classes_.astype(np.intp)] = shares
        return found

    return says


def _vote(classes: NDArray[Any], weight: float) -> Callable[[Any], Floats]:
    def says(tree: Any) -> Floats:
        chosen = tree.classes_.take(np.argmax(_shares(tree), axis=1), axis=0)
        found: Floats = np.where(chosen[:, np.newaxis] == classes, weight, -1 / (len(classes) - 1) * weight)
        return found

    return says


def _order_of_features(model: Any) -> NDArray[np.intp]:
    """Where the features stand in a table that the trees number; those of categories come first there."""
    if model._preprocessor is None:
        return np.arange(model.n_features_in_)
    is_categorical = model.is_categorical_
    chosen = np.zeros(model.n_features_in_, dtype=bool)
    chosen[model._preprocessor.transformers_[0][2]] = True
    if np.count_nonzero(chosen) != np.count_nonzero(is_categorical):
        raise NotCompilable("its features of categories are not where they are expected")
    return np.concatenate([np.flatnonzero(chosen), np.flatnonzero(~chosen)])


def _with_categories(score: SumOfTrees, model: Any) -> SumOfTrees:
    if model._preprocessor is None:
        return score
    count = int(np.count_nonzero(model.is_categorical_))
    encoder = model._preprocessor.named_transformers_["encoder"]
    known = [np.asarray(values, dtype=np.float64) for values in encoder.categories_]
    known = [values[~np.isnan(values)] for values in known]
    return SumOverCategories(
        **{each.name: getattr(score, each.name) for each in fields(score)},
        encoded=_order_of_features(model)[:count].astype(np.int64),
        known=np.concatenate(known),
        starts=np.cumsum([0, *map(len, known)]).astype(np.int64),
    )


def _histogram_tree(
    predictor: Any, order: NDArray[np.intp], known: NDArray[np.uint32], places: NDArray[np.uint32]
) -> FittedTree:
    nodes = predictor.nodes
    is_leaf = nodes["is_leaf"].astype(bool)
    of_sets = nodes["is_categorical"].astype(bool) & ~is_leaf
    sets = np.zeros((int(np.count_nonzero(of_sets)), SET_WORDS), dtype=np.uint32)
    for number, node in enumerate(nodes[of_sets]):
        sets[number] = predictor.raw_left_cat_bitsets[node["bitset_idx"]]
        if node["missing_go_to_left"]:
            # What is not known goes where gaps go.
            sets[number] |= ~known[places[node["feature_idx"]]]
    return FittedTree(
        left=np.where(is_leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(is_leaf, -1, nodes["right"].astype(np.int64)),
        feature=np.where(is_leaf, 0, order[np.where(is_leaf, 0, nodes["feature_idx"])]),
        threshold=nodes["num_threshold"],
        gaps_left=nodes["missing_go_to_left"],
        says=nodes["value"].reshape(-1, 1),
        categorical=np.where(of_sets, np.cumsum(of_sets) - 1, -1),
        sets=sets,
    )
