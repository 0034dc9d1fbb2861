"""What requests may set of XGBoost."""

from shared.estimators.libraries.declaring import (
    CATEGORIES,
    CODE,
    DEVICE,
    FILES,
    LABELS,
    OUTPUT,
    RECIPE,
    SERVER,
    WATCHED,
    Declared,
    DeclaredEstimator,
    choice,
    flag,
    number,
    seed,
    share,
    trees,
    whole,
)

_TREES: dict[str, Declared] = {
    "base_score": number(None),
    "colsample_bylevel": share(1.0),
    "colsample_bynode": share(1.0),
    "colsample_bytree": share(1.0),
    "gamma": number(0.0, 0),
    "grow_policy": choice("depthwise", "depthwise", "lossguide"),
    "importance_type": choice(None, "gain", "weight", "cover", "total_gain", "total_cover"),
    "learning_rate": number(0.3, above=0),
    "max_bin": whole(256, 2, 65_536),
    "max_delta_step": number(0.0, 0),
    "max_depth": whole(6, 0, 100),
    "max_leaves": whole(0, 0, 131_072),
    "min_child_weight": number(1.0, 0),
    "n_estimators": trees(100),
    "random_state": seed(),
    "reg_alpha": number(0.0, 0),
    "reg_lambda": number(1.0, 0),
    "subsample": share(1.0),
    "tree_method": choice("auto", "auto", "exact", "approx", "hist"),
}
_BOOSTED: dict[str, Declared] = {
    **_TREES,
    "booster": choice("gbtree", "gbtree", "dart"),
    "normalize_type": choice("tree", "tree", "forest"),
    "num_parallel_tree": whole(1, 1, 100),
    "one_drop": flag(default=False),
    "rate_drop": number(0.0, 0, 1),
    "sample_type": choice("uniform", "uniform", "weighted"),
    "skip_drop": number(0.0, 0, 1),
}
# The library's own defaults for forests.
_FOREST: dict[str, Declared] = {
    **_TREES,
    "colsample_bynode": share(0.8),
    "learning_rate": number(1.0, above=0),
    "reg_lambda": number(1e-5, 0),
    "subsample": share(0.8),
    # The exact method draws no columns for single nodes.
    "tree_method": choice("auto", "auto", "approx", "hist"),
}
_OF_CLASSES = {"scale_pos_weight": number(1.0, above=0)}
_OF_NUMBERS = {
    "huber_slope": number(1.0, above=0),
    "objective": choice(
        "reg:squarederror",
        *("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror", "reg:quantileerror"),
        *("reg:logistic", "reg:gamma", "reg:tweedie", "count:poisson"),
    ),
    "quantile_alpha": number(None, 0, 1),
    "tweedie_variance_power": number(1.5, 1, 1.999),
}
_ALIASES = {
    "alpha": "reg_alpha",
    "eta": "learning_rate",
    "lambda": "reg_lambda",
    "min_split_loss": "gamma",
    "num_boost_round": "n_estimators",
    "seed": "random_state",
}
_REFUSED = {
    "callbacks": CODE,
    "device": DEVICE,
    "early_stopping_rounds": WATCHED,
    "enable_categorical": CATEGORIES,
    "eval_metric": WATCHED,
    "feature_types": CATEGORIES,
    "feature_weights": RECIPE,
    "gpu_id": DEVICE,
    "interaction_constraints": RECIPE,
    "max_cat_threshold": CATEGORIES,
    "max_cat_to_onehot": CATEGORIES,
    "missing": "a missing value is one here by the rules by which the table is read",
    "model_in": FILES,
    "monotone_constraints": RECIPE,
    "multi_strategy": "a model here predicts one target column",
    "n_jobs": SERVER,
    "nthread": SERVER,
    "plugins": CODE,
    "predictor": DEVICE,
    "process_type": "a training here begins with nothing",
    "sampling_method": DEVICE,
    "updater": "it follows from 'tree_method'",
    "validate_parameters": "parameters are checked before",
    "verbosity": OUTPUT,
}
_OF_CLASSES_REFUSED = {**_REFUSED, "objective": LABELS, "class_weight": "it has none: see 'scale_pos_weight'"}
_OF_NUMBERS_REFUSED = {**_REFUSED, "scale_pos_weight": "a regressor has no classes"}
_FOREST_REFUSED = {"booster": "a forest is not boosted", "num_parallel_tree": "'n_estimators' sets it"}

ESTIMATORS = (
    DeclaredEstimator(
        "XGBClassifier",
        "classification",
        "Gradient boosting of XGBoost, for classes.",
        {**_BOOSTED, **_OF_CLASSES},
        _OF_CLASSES_REFUSED,
        numbers_classes=True,
        aliases=_ALIASES,
    ),
    DeclaredEstimator(
        "XGBRFClassifier",
        "classification",
        "A random forest of XGBoost, for classes.",
        {**_FOREST, **_OF_CLASSES},
        {**_OF_CLASSES_REFUSED, **_FOREST_REFUSED},
        numbers_classes=True,
        aliases=_ALIASES,
    ),
    DeclaredEstimator(
        "XGBRFRegressor",
        "regression",
        "A random forest of XGBoost, for numbers.",
        {**_FOREST, **_OF_NUMBERS},
        {**_OF_NUMBERS_REFUSED, **_FOREST_REFUSED},
        aliases=_ALIASES,
    ),
    DeclaredEstimator(
        "XGBRegressor",
        "regression",
        "Gradient boosting of XGBoost, for numbers.",
        {**_BOOSTED, **_OF_NUMBERS},
        _OF_NUMBERS_REFUSED,
        aliases=_ALIASES,
    ),
)
