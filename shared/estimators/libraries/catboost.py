"""What requests may set of CatBoost."""

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

_PARAMETERS: dict[str, Declared] = {
    "bagging_temperature": number(None, 0),
    "boost_from_average": Declared(None, (*flag(default=False).allowed, {"type": "null"})),
    "boosting_type": choice(None, "Ordered", "Plain"),
    "bootstrap_type": choice(None, "Bayesian", "Bernoulli", "MVS", "No"),
    "border_count": whole(254, 1, 65_535),
    "depth": whole(6, 1, 16),
    "feature_border_type": choice(
        "GreedyLogSum", "GreedyLogSum", "GreedyMinEntropy", "MaxLogSum", "Median", "MinEntropy", "Uniform"
    ),
    "grow_policy": choice("SymmetricTree", "SymmetricTree", "Depthwise", "Lossguide"),
    "has_time": flag(default=False),
    "iterations": trees(1_000),
    "l2_leaf_reg": number(3.0, 0),
    "leaf_estimation_iterations": whole(None, 1, 1_000),
    "leaf_estimation_method": choice(None, "Gradient", "Newton"),
    "learning_rate": number(None, above=0, most=1),
    "max_leaves": whole(None, 2, 64),
    "min_data_in_leaf": whole(1, 1),
    "model_shrink_rate": number(None, 0, 1),
    "mvs_reg": number(None, 0),
    "nan_mode": choice("Min", "Min", "Max"),
    "random_state": seed(),
    "random_strength": number(1.0, 0),
    "rsm": share(1.0),
    "sampling_frequency": choice("PerTree", "PerTree", "PerTreeLevel"),
    "score_function": choice("Cosine", "Cosine", "L2"),
    "subsample": share(None),
}
_ALIASES = {
    "colsample_bylevel": "rsm",
    "eta": "learning_rate",
    "max_bin": "border_count",
    "max_depth": "depth",
    "min_child_samples": "min_data_in_leaf",
    "n_estimators": "iterations",
    "num_boost_round": "iterations",
    "num_leaves": "max_leaves",
    "num_trees": "iterations",
    "objective": "loss_function",
    "random_seed": "random_state",
    "reg_lambda": "l2_leaf_reg",
}
_REASONS: dict[str, tuple[str, ...]] = {
    FILES: (
        *("allow_writing_files", "input_borders", "name", "output_borders", "save_snapshot", "snapshot_file"),
        *("snapshot_interval", "train_dir"),
    ),
    DEVICE: (
        *("data_partition", "device_config", "devices", "gpu_cat_features_storage", "gpu_ram_part", "ctr_history_unit"),
        *("pinned_memory_size", "task_type", "fold_permutation_block"),
    ),
    SERVER: ("thread_count", "used_ram_limit", "n_jobs"),
    OUTPUT: ("logging_level", "metric_period", "silent", "verbose"),
    CODE: ("callback", "callbacks", "custom_loss", "custom_metric", "eval_metric"),
    WATCHED: (
        *("best_model_min_trees", "early_stopping_rounds", "eval_fraction", "od_pval", "od_type", "od_wait"),
        "use_best_model",
    ),
    RECIPE: (
        *("feature_weights", "first_feature_use_penalties", "fixed_binary_splits", "ignored_features"),
        *("monotone_constraints", "penalties_coefficient", "per_float_feature_quantization"),
        *("per_object_feature_penalties", "sparse_features_conflict_fraction", "dev_efb_max_buckets"),
    ),
    CATEGORIES: (
        *("cat_features", "combinations_ctr", "counter_calc_method", "ctr_description", "ctr_leaf_count_limit"),
        *("ctr_target_border_count", "final_ctr_computation_mode", "max_ctr_complexity", "model_size_reg"),
        *("one_hot_max_size", "per_feature_ctr", "simple_ctr", "store_all_simple_ctr"),
    ),
    "columns of text are left out by the recipe": (
        *("dictionaries", "embedding_features", "feature_calcers", "text_features", "text_processing", "tokenizers"),
    ),
    "it is for uses that a training here does not have": (
        *("allow_const_label", "approx_on_full_history", "dev_score_calc_obj_block_size", "diffusion_temperature"),
        *("fold_len_multiplier", "langevin", "leaf_estimation_backtracking", "metadata", "model_shrink_mode"),
        *("posterior_sampling", "random_score_type", "sampling_unit"),
    ),
}
_REFUSED = {name: reason for reason, names in _REASONS.items() for name in names} | {
    "params": "each parameter is given by itself"
}

ESTIMATORS = (
    DeclaredEstimator(
        "CatBoostClassifier",
        "classification",
        "Gradient boosting of CatBoost, for classes.",
        {
            **_PARAMETERS,
            "auto_class_weights": choice(None, "Balanced", "SqrtBalanced"),
            "scale_pos_weight": number(None, above=0),
        },
        {
            **_REFUSED,
            **dict.fromkeys(("class_names", "classes_count", "loss_function", "objective", "target_border"), LABELS),
            "class_weights": "give 'auto_class_weights' instead",
            "class_weight": "give 'auto_class_weights' instead",
        },
        numbers_classes=True,
        aliases={name: meant for name, meant in _ALIASES.items() if name != "objective"},
    ),
    DeclaredEstimator(
        "CatBoostRegressor",
        "regression",
        "Gradient boosting of CatBoost, for numbers.",
        {
            **_PARAMETERS,
            "leaf_estimation_method": choice(None, "Exact", "Gradient", "Newton"),
            "loss_function": choice("RMSE", "RMSE", "MAE", "MAPE", "Poisson", "Quantile", "LogCosh"),
        },
        {**_REFUSED, "target_border": "a regressor has no classes"},
        aliases=_ALIASES,
    ),
)
