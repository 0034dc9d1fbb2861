"""Where good parameters usually are, for the estimators that most people train. Imports no scikit-learn.

The first two parameters of each are those that matter most: a grid without a space of its own is made of them.
"""

from typing import Any, Final

UsualSpace = dict[str, Any]


def _range(low: float, high: float, **how: bool) -> dict[str, Any]:
    return {"low": low, "high": high, **how}


def _log(low: float, high: float) -> dict[str, Any]:
    return _range(low, high, log=True)


_BALANCE: Final = [None, "balanced"]

_TREE: Final[UsualSpace] = {
    "max_depth": [None, 2, 3, 4, 6, 8, 12],
    "min_samples_leaf": _log(1, 50),
    "ccp_alpha": _log(1e-5, 0.05),
}
_FOREST: Final[UsualSpace] = {
    "max_features": _range(0.2, 1.0),
    "min_samples_leaf": _log(1, 20),
    "max_depth": [None, 4, 8, 16],
    "n_estimators": _range(50, 300),
}
_BOOSTING: Final[UsualSpace] = {
    "learning_rate": _log(0.01, 0.3),
    "max_depth": _range(1, 6),
    "n_estimators": _range(50, 300),
    "subsample": _range(0.5, 1.0),
    "min_samples_leaf": _log(1, 20),
}
_HISTOGRAMS: Final[UsualSpace] = {
    "learning_rate": _log(0.01, 0.3),
    "max_leaf_nodes": _log(7, 127),
    "max_iter": _range(50, 300),
    "min_samples_leaf": _log(5, 50),
    "l2_regularization": _log(1e-3, 10.0),
}
_STUMPS: Final[UsualSpace] = {"learning_rate": _log(0.03, 2.0), "n_estimators": _range(20, 200)}
_SHRUNK: Final[UsualSpace] = {"alpha": _log(1e-3, 1e3)}
_SPARSE: Final[UsualSpace] = {"alpha": _log(1e-4, 10.0)}
_ELASTIC: Final[UsualSpace] = _SPARSE | {"l1_ratio": _range(0.05, 0.95)}
_DESCENT: Final[UsualSpace] = {"alpha": _log(1e-6, 0.1), "penalty": ["l2", "l1", "elasticnet"]}
_MACHINE: Final[UsualSpace] = {"C": _log(0.01, 1e3), "gamma": _log(1e-4, 1.0)}
_NEIGHBOURS: Final[UsualSpace] = {"n_neighbors": _log(1, 30), "weights": ["uniform", "distance"], "p": [1, 2]}
_NETWORK: Final[UsualSpace] = {
    "alpha": _log(1e-6, 0.1),
    "learning_rate_init": _log(1e-4, 0.03),
    "hidden_layer_sizes": [[50], [100], [50, 50], [100, 50]],
}
_LIGHTGBM: Final[UsualSpace] = {
    "learning_rate": _log(0.01, 0.3),
    "num_leaves": _log(7, 127),
    "n_estimators": _range(50, 300),
    "min_child_samples": _log(5, 50),
    "colsample_bytree": _range(0.5, 1.0),
    "reg_lambda": _log(1e-3, 10.0),
}
_XGBOOST: Final[UsualSpace] = {
    "learning_rate": _log(0.01, 0.3),
    "max_depth": _range(2, 10),
    "n_estimators": _range(50, 300),
    "subsample": _range(0.5, 1.0),
    "colsample_bytree": _range(0.5, 1.0),
    "reg_lambda": _log(1e-3, 10.0),
}
_CATBOOST: Final[UsualSpace] = {
    "learning_rate": _log(0.01, 0.3),
    "depth": _range(3, 8),
    "iterations": _range(50, 300),
    "l2_leaf_reg": _log(1.0, 30.0),
}

# By the key of the estimator.
USUAL: Final[dict[str, UsualSpace]] = {
    "catboost.CatBoostClassifier": _CATBOOST,
    "catboost.CatBoostRegressor": _CATBOOST,
    "ensemble.AdaBoostClassifier": _STUMPS,
    "ensemble.AdaBoostRegressor": _STUMPS,
    "ensemble.ExtraTreesClassifier": _FOREST,
    "ensemble.ExtraTreesRegressor": _FOREST,
    "ensemble.GradientBoostingClassifier": _BOOSTING,
    "ensemble.GradientBoostingRegressor": _BOOSTING,
    "ensemble.HistGradientBoostingClassifier": _HISTOGRAMS,
    "ensemble.HistGradientBoostingRegressor": _HISTOGRAMS,
    "ensemble.RandomForestClassifier": _FOREST,
    "ensemble.RandomForestRegressor": _FOREST,
    "lightgbm.LGBMClassifier": _LIGHTGBM,
    "lightgbm.LGBMRegressor": _LIGHTGBM,
    "linear_model.ElasticNet": _ELASTIC,
    "linear_model.Lasso": _SPARSE,
    "linear_model.LogisticRegression": {"C": _log(1e-3, 1e3), "class_weight": _BALANCE},
    "linear_model.Ridge": _SHRUNK,
    "linear_model.RidgeClassifier": _SHRUNK | {"class_weight": _BALANCE},
    "linear_model.SGDClassifier": _DESCENT,
    "linear_model.SGDRegressor": _DESCENT,
    "neighbors.KNeighborsClassifier": _NEIGHBOURS,
    "neighbors.KNeighborsRegressor": _NEIGHBOURS,
    "neural_network.MLPClassifier": _NETWORK,
    "neural_network.MLPRegressor": _NETWORK,
    "svm.LinearSVC": {"C": _log(1e-3, 1e2), "class_weight": _BALANCE},
    "svm.LinearSVR": {"C": _log(1e-3, 1e2), "epsilon": _log(1e-3, 1.0)},
    "svm.SVC": _MACHINE,
    "svm.SVR": _MACHINE | {"epsilon": _log(1e-3, 1.0)},
    "tree.DecisionTreeClassifier": _TREE,
    "tree.DecisionTreeRegressor": _TREE,
    "tree.ExtraTreeClassifier": _TREE,
    "tree.ExtraTreeRegressor": _TREE,
    "xgboost.XGBClassifier": _XGBOOST,
    "xgboost.XGBRegressor": _XGBOOST,
}
