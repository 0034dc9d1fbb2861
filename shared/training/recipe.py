"""Builds what is fitted: the estimator, behind the steps that its plan asks for.

Only classes of scikit-learn, so that a downloaded model loads wherever scikit-learn is.
"""

from importlib import import_module
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, OrdinalEncoder, StandardScaler

from shared.estimators.catalogue import Estimator
from shared.training.plan import BINS, MAX_CATEGORIES, Plan

# Stands for a gap among words. No table and no request may hold it, so it is never the same as a word.
_MISSING = "missing\x01"


def build_estimator(estimator: Estimator, settings: dict[str, Any]) -> BaseEstimator:
    """The unfitted estimator. Module and class come from the estimator table, never from a request."""
    found: BaseEstimator = getattr(import_module(f"sklearn.{estimator.module}"), estimator.name)(**settings)
    return found


def build_model(plan: Plan, estimator: BaseEstimator) -> BaseEstimator:
    """The estimator itself if the plan asks for nothing else, or a pipeline that ends with it."""
    steps: list[tuple[str, Any]] = []
    if not plan.numeric:
        steps.append(("columns", _columns(plan)))
    else:
        if plan.imputed:
            steps.append(("impute", _median(plan)))
        if plan.scaled:
            steps.append(("scale", StandardScaler()))
    return Pipeline([*steps, ("estimator", estimator)]) if steps else estimator


def last_step(model: BaseEstimator) -> BaseEstimator:
    """The estimator of a model, without the steps before it."""
    return model[-1] if isinstance(model, Pipeline) else model


def _columns(plan: Plan) -> ColumnTransformer:
    branches = [
        ("numbers", _numbers(plan), plan.names("number")),
        ("booleans", _booleans(plan), plan.names("boolean")),
        ("categories", _categories(plan), plan.names("category")),
    ]
    # Dense, because estimators that take sparse input treat missing values and scale differently there.
    return ColumnTransformer([branch for branch in branches if branch[2]], sparse_threshold=0)


def _numbers(plan: Plan) -> Any:
    if plan.categorical:
        bins = KBinsDiscretizer(
            n_bins=BINS, encode="ordinal", strategy="quantile", quantile_method="averaged_inverted_cdf"
        )
        return make_pipeline(_median(plan), bins)
    if plan.keeps_gaps:
        return "passthrough"
    return make_pipeline(_median(plan), StandardScaler()) if plan.scaled else _median(plan)


def _booleans(plan: Plan) -> Any:
    if plan.categorical:
        return make_pipeline(_most_frequent(), *_ordinal())
    return "passthrough" if plan.keeps_gaps else _most_frequent()


def _categories(plan: Plan) -> Pipeline:
    known = SimpleImputer(strategy="constant", fill_value=_MISSING, keep_empty_features=True)
    if plan.categorical:
        return make_pipeline(known, *_ordinal())
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MAX_CATEGORIES, sparse_output=False)
    return make_pipeline(known, one_hot)


def _ordinal() -> tuple[OrdinalEncoder, SimpleImputer]:
    """A small number per category; one that was not seen in training counts as the most frequent one."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=MAX_CATEGORIES)
    return encoder, _most_frequent()


def _median(plan: Plan) -> SimpleImputer:
    gaps_matter = plan.imputed and not plan.categorical
    return SimpleImputer(strategy="median", add_indicator=gaps_matter, keep_empty_features=True)


def _most_frequent() -> SimpleImputer:
    return SimpleImputer(strategy="most_frequent", keep_empty_features=True)
