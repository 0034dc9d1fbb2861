"""Makers for what is not built of trees."""

from typing import Any

import numpy as np

from shared.compiled.making.notion import Compiled, NotCompilable
from shared.compiled.parts import Floats
from shared.compiled.scores import (
    ConstantScore,
    Cutoff,
    LinearScore,
    Network,
    NormalDensities,
    NormalShapes,
    TableOfCategories,
)

_NOTHING = np.zeros(0)


def of_linear_regressor(model: Any) -> Compiled:
    """A weighted sum."""
    return Compiled(_linear(model.coef_, model.intercept_), "finite")


def of_generalized_linear(model: Any) -> Compiled:
    """A weighted sum behind the inverse of its link."""
    links = {"IdentityLink": "as_they_are", "LogLink": "exponential"}
    link = links[type(model._base_loss.link).__name__]
    return Compiled(_linear(model.coef_, model.intercept_), "finite", None, link)


def of_partial_least_squares(model: Any) -> Compiled:
    """A weighted sum of centred features."""
    return Compiled(_linear(model.coef_, model.intercept_, centre=model._x_mean), "finite")


def of_consensus(model: Any) -> Compiled:
    """RANSAC: the estimator that was fitted to the rows that agree."""
    if type(model.estimator_).__name__ != "LinearRegression":
        raise NotCompilable("it is built of another estimator than a linear regression")
    return of_linear_regressor(model.estimator_)


def of_transformed_target(model: Any) -> Compiled:
    """A linear regression, where the target is not transformed after all."""
    if model.transformer is not None or model.func is not None or type(model.regressor_).__name__ != "LinearRegression":
        raise NotCompilable("it transforms the target")
    return of_linear_regressor(model.regressor_)


def of_linear_classifier(model: Any) -> Compiled:
    """A weighted sum, or one per class, without probabilities."""
    return Compiled(_linear(model.coef_, model.intercept_), "finite", _choice(model), None)


def of_logistic(model: Any) -> Compiled:
    """A weighted sum behind the logistic function, or one per class behind softmax."""
    link = "sigmoid" if len(model.classes_) == 2 else "softmax"
    return Compiled(_linear(model.coef_, model.intercept_), "finite", _choice(model), link)


def of_gradient_descent_classifier(model: Any) -> Compiled:
    """A weighted sum, or one per class; with probabilities for two of its losses."""
    links = {"log_loss": "each_sigmoid", "modified_huber": "modified_huber"}
    score = _linear(model.coef_, model.intercept_)
    return Compiled(score, "finite", _choice(model), links.get(model.loss))


def of_gaussian_bayes(model: Any) -> Compiled:
    """Naive normal densities."""
    score = NormalDensities(means=_c(model.theta_), variances=_c(model.var_), logs_of_priors=np.log(model.class_prior_))
    return Compiled(score, "finite", "highest", "exponentials")


def of_multinomial_bayes(model: Any) -> Compiled:
    """Logarithms of probabilities, times counts."""
    return Compiled(_linear(model.feature_log_prob_, model.class_log_prior_), "finite", "highest", "exponentials")


def of_complement_bayes(model: Any) -> Compiled:
    """The same, of what is not in a class."""
    return Compiled(_linear(model.feature_log_prob_, np.zeros(1)), "finite", "highest", "exponentials")


def of_bernoulli_bayes(model: Any) -> Compiled:
    """Logarithms of probabilities of what is there and of what is not."""
    absent = np.log(1 - np.exp(model.feature_log_prob_))
    linear = _linear(model.feature_log_prob_ - absent, model.class_log_prior_ + absent.sum(axis=1))
    if model.binarize is None:
        return Compiled(linear, "finite", "highest", "exponentials")
    arrays = {"weights": linear.weights, "intercept": linear.intercept, "centre": linear.centre}
    score = Cutoff(**arrays, as_vector=False, by_feature=False, limit=float(model.binarize))
    return Compiled(score, "finite", "highest", "exponentials")


def of_categorical_bayes(model: Any) -> Compiled:
    """A table of logarithms for each feature."""
    tables = model.feature_log_prob_
    score = TableOfCategories(
        table=_c(np.concatenate(tables, axis=1)),
        starts=np.cumsum([0, *(table.shape[1] for table in tables)]).astype(np.int64),
        logs_of_priors=_c(model.class_log_prior_),
    )
    return Compiled(score, "finite", "highest", "exponentials")


def of_quadratic_discriminant(model: Any) -> Compiled:
    """Normal densities, each with axes of its own."""
    axes = [rotation * scaling ** (-0.5) for rotation, scaling in zip(model.rotations_, model.scalings_, strict=True)]
    score = NormalShapes(
        means=_c(model.means_),
        axes=_c(np.concatenate(axes, axis=1)),
        starts=np.cumsum([0, *(each.shape[1] for each in axes)]).astype(np.int64),
        volumes=np.array([np.sum(np.log(scaling)) for scaling in model.scalings_]),
        logs_of_priors=np.log(model.priors_),
    )
    return Compiled(score, "finite", "highest", "shares_of_likelihoods")


def of_network(model: Any) -> Compiled:
    """Layers of weights."""
    score = Network(
        weights=np.concatenate([np.asarray(weights, dtype=np.float64).reshape(-1) for weights in model.coefs_]),
        intercepts=np.concatenate([np.asarray(each, dtype=np.float64) for each in model.intercepts_]),
        sizes=np.array([len(model.coefs_[0]), *(each.shape[1] for each in model.coefs_)], dtype=np.int64),
        activation=model.activation,
    )
    if model.out_activation_ == "identity":
        return Compiled(score, "finite")
    if model.out_activation_ == "logistic":
        return Compiled(score, "finite", "likelier", "sigmoid")
    if model.out_activation_ != "softmax":
        raise NotCompilable(f"its last layer ends with '{model.out_activation_}'")
    return Compiled(score, "finite", "highest_softmax", "softmax")


def of_dummy(model: Any) -> Compiled:
    """The same answer for every row."""
    if not hasattr(model, "classes_"):
        return Compiled(ConstantScore(outputs=_c(model.constant_.reshape(-1))), "anything")
    if model.strategy in {"stratified", "uniform"}:
        raise NotCompilable("it answers at random")
    row = np.zeros((1, 1))
    shares = np.asarray(model.predict_proba(row), dtype=np.float64)[0]
    if model.classes_[np.argmax(shares)] != model.predict(row)[0]:
        raise NotCompilable("its label is not the one of the highest probability")
    return Compiled(ConstantScore(outputs=_c(shares)), "anything", "highest", "as_they_are")


def _linear(weights: Any, intercept: Any, *, centre: Floats = _NOTHING) -> LinearScore:
    given = np.asarray(weights, dtype=np.float64)
    return LinearScore(
        weights=_c(np.atleast_2d(given)),
        intercept=_c(np.atleast_1d(intercept)),
        centre=_c(centre),
        as_vector=given.ndim == 1,
        by_feature=given.ndim == 2 and not given.flags.c_contiguous,
    )


def _choice(model: Any) -> str:
    return "above_zero" if len(model.classes_) == 2 else "highest"


def _c(values: Any) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float64)
