"""The parameters that requests may not set, and limits for those where scikit-learn sets none."""

# One training may cost this much: rows x input columns x estimators. A forest of 1,000 trees over a million rows of
# 100 columns is at the limit.
MAX_WORK = 10**11

# The largest number that a parameter takes; scikit-learn alone would take any.
CAPS: dict[str, int] = {
    "Cs": 1_000,
    "alphas": 10_000,
    "cache_size": 4_000,
    "code_size": 100,
    "cv": 100,
    "degree": 20,
    "hidden_layer_sizes": 10_000,
    "max_fun": 10_000_000,
    "max_iter": 1_000_000,
    "max_iter_predict": 1_000_000,
    "max_n_alphas": 100_000,
    "max_skips": 1_000_000,
    "max_subpopulation": 1_000_000,
    "max_trials": 1_000_000,
    "n_estimators": 10_000,
    "n_iter_no_change": 1_000_000,
    "n_restarts_optimizer": 100,
}

# The most items of a list; what is not named takes MAX_ITEMS.
MAX_ITEMS = 1_000
ITEM_CAPS: dict[str, int] = {"hidden_layer_sizes": 10}

# Parameters that no request may set, whatever estimator it names, and why.
REFUSED: dict[str, str] = {
    "callback": "it would run code of the request",
    "callbacks": "it would run code of the request",
    "func": "it would run code of the request",
    "input": "it could read files of the server",
    "inverse_func": "it would run code of the request",
    "memory": "it could write files on the server",
    "n_jobs": "the server sets it from the share of cores that a job has",
    "pre_dispatch": "the server decides how work is spread over cores",
    "preprocessor": "it would run code of the request",
    "tokenizer": "it would run code of the request",
    "verbose": "the output of the estimator is not kept; warnings are in the report",
}

# Enumerated values that need another input than a table of rows and columns, or an estimator that is fitted already.
WITHOUT: dict[str, frozenset[str]] = {
    "cv": frozenset({"prefit"}),
    "kernel": frozenset({"precomputed"}),
    "metric": frozenset({"precomputed", "pyfunc"}),
}
