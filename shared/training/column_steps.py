"""What is done to columns of one role, as unfitted steps of scikit-learn."""

from typing import Any

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from shared.tables.columns import ColumnKind
from shared.training.plan import Plan
from shared.training.preprocessing import ColumnChoice, Encode, Scale
from shared.training.squash import squash_steps
from shared.training.treatment import BINS, HASHED_COLUMNS, MAX_CATEGORIES

# Stands for a gap among words. No table and no request may hold it, so it is never the same as a word.
_MISSING = "missing\x01"
_SCALERS: dict[str, Any] = {"standard": StandardScaler, "robust": RobustScaler, "minmax": MinMaxScaler}
# How many groups of characters, or words, are told apart before they become few columns.
_HASHED = 2**14
# The mean of the target of a row is that of the other parts.
_PARTS = 5


def number_steps(plan: Plan, choice: ColumnChoice | None) -> Any:
    """Numbers, and dates as days: imputed, and scaled or cut into bins."""
    if plan.categorical:
        bins = KBinsDiscretizer(
            n_bins=BINS, encode="ordinal", strategy="quantile", quantile_method="averaged_inverted_cdf"
        )
        return make_pipeline(median(plan), bins)
    steps = [*_imputer(plan, choice), *_scaler(plan, choice)]
    return _joined(steps)


def boolean_steps(plan: Plan, choice: ColumnChoice | None) -> Any:
    """0 or 1, with gaps filled unless the estimator takes them."""
    if plan.categorical:
        return make_pipeline(_most_frequent(), *_ordinal())
    keeps = plan.keeps_gaps or plan.plain or (choice is not None and choice.impute == "none")
    return "passthrough" if keeps else _most_frequent()


def category_steps(
    plan: Plan, choice: ColumnChoice | None, *, encode: Encode = "one_hot", words: bool = True
) -> Pipeline:
    """A column for each category, a number for each, or the mean of the target for each.

    Without `words`, the categories are numbers, among which a gap is a category by itself.
    """
    filled = [_gap_filler(choice)] if words or (choice is not None and choice.impute == "most_frequent") else []
    if plan.categorical or encode == "ordinal":
        return make_pipeline(*filled, *_ordinal())
    if encode == "target":
        return make_pipeline(*filled, _target_encoder(plan), *([StandardScaler()] if plan.scaled else []))
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MAX_CATEGORIES, sparse_output=False)
    return make_pipeline(*filled, one_hot)


def text_steps(plan: Plan, choice: ColumnChoice | None) -> Pipeline:
    """Groups of characters or words, counted and weighted, and made into few columns (latent semantic analysis)."""
    text = "characters" if choice is None or choice.text is None else choice.text
    filled = SimpleImputer(strategy="constant", fill_value="", keep_empty_features=True)
    flat = FunctionTransformer(np.ravel)
    if text == "hashing":
        return make_pipeline(filled, flat, HashingVectorizer(n_features=HASHED_COLUMNS, alternate_sign=False))
    manner = {"analyzer": "char_wb", "ngram_range": (3, 4)} if text == "characters" else {"ngram_range": (1, 2)}
    hashed = HashingVectorizer(n_features=_HASHED, alternate_sign=False, norm=None, **manner)
    few = TruncatedSVD(plan.text_columns, random_state=plan.seed)
    return make_pipeline(
        filled, flat, hashed, TfidfTransformer(sublinear_tf=True), few, *([StandardScaler()] if plan.scaled else [])
    )


def median(plan: Plan, *, indicates: bool = True) -> SimpleImputer:
    """Fills gaps with the median, and says where they were if that matters."""
    gaps_matter = indicates and plan.imputed and not plan.categorical
    return SimpleImputer(strategy="median", add_indicator=gaps_matter, keep_empty_features=True)


def scaling_steps(scale: Scale) -> list[Any]:
    """What scales numbers in a manner; nothing for none."""
    if scale == "squash":
        return squash_steps()
    return [] if scale == "none" else [_SCALERS[scale]()]


def known_words(kind: ColumnKind) -> bool:
    """Whether the categories of a column are words."""
    return kind in {ColumnKind.CATEGORY, ColumnKind.TEXT}


def _imputer(plan: Plan, choice: ColumnChoice | None) -> list[Any]:
    impute = None if choice is None else choice.impute
    if impute is None:
        return [] if plan.keeps_gaps or plan.plain else [median(plan)]
    if impute == "none":
        return []
    if impute == "zero":
        return [
            SimpleImputer(strategy="constant", fill_value=0.0, add_indicator=plan.imputed, keep_empty_features=True)
        ]
    return [SimpleImputer(strategy=impute, add_indicator=plan.imputed, keep_empty_features=True)]


def _scaler(plan: Plan, choice: ColumnChoice | None) -> list[Any]:
    scale = plan.scale if choice is None or choice.scale is None else choice.scale
    return scaling_steps(scale)


def _joined(steps: list[Any]) -> Any:
    if not steps:
        return "passthrough"
    return make_pipeline(*steps) if len(steps) > 1 else steps[0]


def _gap_filler(choice: ColumnChoice | None) -> SimpleImputer:
    if choice is not None and choice.impute == "most_frequent":
        return _most_frequent()
    return SimpleImputer(strategy="constant", fill_value=_MISSING, keep_empty_features=True)


def _target_encoder(plan: Plan) -> TargetEncoder:
    kind = "continuous" if plan.task == "regression" else "auto"
    # Not by class: some have very few rows, which is of no account here.
    parts = KFold(_PARTS, shuffle=True, random_state=plan.seed)
    return TargetEncoder(target_type=kind, cv=parts)


def _ordinal() -> tuple[OrdinalEncoder, SimpleImputer]:
    """A small number per category; one that was not seen in training counts as the most frequent one."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=MAX_CATEGORIES)
    return encoder, _most_frequent()


def _most_frequent() -> SimpleImputer:
    return SimpleImputer(strategy="most_frequent", keep_empty_features=True)
