"""Requests that succeed as they stand: on the first start, sent in the order of the walk, on the bundled examples.

Swagger UI fills in the first one of each operation.
"""

from typing import Any

from api.docs.access_requests import CHANGES, HOLDERS, KEYS, LOGINS, OWN_PASSWORDS, REFRESHES, USERS
from api.docs.predict_requests import BATCHES, PREDICTIONS, TYPED
from api.docs.protocol_requests import INFERENCES, INVOCATIONS
from api.http.form_body import FORM

# What an operation is tried with, by its id: examples by name, in the order of the walk.
BODIES: dict[str, dict[str, Any]] = {
    "train_model": {
        "iris_forest": {
            "summary": "Iris: which species? A random forest",
            "description": "`use_example` puts the table into the catalog if it is not there.",
            "value": {
                "dataset_name": "iris",
                "use_example": True,
                "model": {
                    "module": "ensemble",
                    "class": "RandomForestClassifier",
                    "params": {"n_estimators": 100},
                },
                "target_column": "target",
                "test_size": 0.2,
                "random_state": 42,
            },
        },
        "wine_logistic_regression": {
            "summary": "Wine: which grower? A logistic regression",
            "description": "Set `dry_run` to true to see only what would run: the columns are scaled first.",
            "value": {
                "dataset_name": "wine",
                "model": {"module": "linear_model", "class": "LogisticRegression", "params": {"max_iter": 1000}},
                "target_column": "target",
            },
        },
        "diabetes_boosting": {
            "summary": "Diabetes: how far after a year? A regression",
            "description": "The target is a number, so the estimator is a regressor. It goes behind jobs of the usual "
            "priority, 5, and is stopped after ten minutes.",
            "value": {
                "dataset_name": "diabetes",
                "model": {
                    "module": "ensemble",
                    "class": "GradientBoostingRegressor",
                    "params": {"n_estimators": 200, "learning_rate": 0.05},
                },
                "target_column": "target",
                "test_size": 0.25,
                "priority": 7,
                "limits": {"seconds": 600, "memory_mb": 2048},
            },
        },
        "iris_two_columns": {
            "summary": "Iris: from two columns of a certain version",
            "description": "`features` are the columns to learn from, in the order in which predictions give them.",
            "value": {
                "dataset_name": "iris",
                "dataset_version": 1,
                "model": {"module": "tree", "class": "DecisionTreeClassifier", "params": {"max_depth": 3}},
                "target_column": "target",
                "features": ["petal_length", "petal_width"],
            },
        },
        "wine_stacking": {
            "summary": "Wine: models inside of another one",
            "description": "Where `GET /estimators` says that a parameter `takes_model`, it holds another model, or "
            "pairs of a name and a model.",
            "value": {
                "dataset_name": "wine",
                "model": {
                    "module": "ensemble",
                    "class": "StackingClassifier",
                    "params": {
                        "estimators": [
                            ["bayes", {"module": "naive_bayes", "class": "GaussianNB"}],
                            ["tree", {"module": "tree", "class": "DecisionTreeClassifier", "params": {"max_depth": 3}}],
                        ],
                        "final_estimator": {"module": "linear_model", "class": "LogisticRegression"},
                    },
                },
                "target_column": "target",
            },
        },
        "wine_search": {
            "summary": "Wine: good parameters of a tree are sought first",
            "description": "`space` says what is tried: lists of choices, and ranges. Without it the usual one is "
            "taken. The report of the model lists the candidates.",
            "value": {
                "dataset_name": "wine",
                "model": {"module": "tree", "class": "DecisionTreeClassifier"},
                "target_column": "target",
                "search": {
                    "method": "random",
                    "trials": 5,
                    "metric": "log_loss",
                    "space": {"max_depth": [None, 4, 8], "min_samples_leaf": {"low": 1, "high": 10, "log": True}},
                    "time_limit": 60,
                },
            },
        },
        "wine_leaderboard": {
            "summary": "Wine: several models at once, ranked",
            "description": 'One job: the `leaderboard` of its result has the best one first. `"models": "auto"` takes '
            "those that are usual for such a target.",
            "value": {
                "dataset_name": "wine",
                "models": [
                    {"module": "linear_model", "class": "LogisticRegression", "params": {"max_iter": 1000}},
                    {"module": "naive_bayes", "class": "GaussianNB"},
                    {"module": "tree", "class": "DecisionTreeClassifier", "params": {"max_depth": 3}},
                ],
                "target_column": "target",
            },
        },
    },
    "reread_dataset": {
        "keep_all_words": {
            "summary": "Keep words such as NA as values",
            "description": "Set `dry_run` to true to see only what would come of it.",
            "value": {"gap_words": []},
        },
        "kind_of_a_column": {
            "summary": "The first version, with a column of categories",
            "value": {"version": 1, "kinds": {"target": "category"}},
        },
        "by_rules_of_today": {"summary": "By the rules of today", "value": {}},
    },
    "promote_model": {
        "iris_to_staging": {
            "summary": "The first model to staging",
            "value": {"dataset_name": "iris", "version": 1, "target_stage": "staging"},
        },
        "iris_to_production": {
            "summary": "The first model to production, after staging",
            "description": "Stages are passed one by one: promote it to staging first, and wait for that job.",
            "value": {"dataset_name": "iris", "version": 1, "target_stage": "production"},
        },
        "wine_to_staging": {
            "summary": "The second model to staging",
            "value": {"dataset_name": "wine", "version": 2, "target_stage": "staging"},
        },
    },
    "predict_typed": TYPED,
    "predict": PREDICTIONS,
    "mlflow_invoke": INVOCATIONS,
    "v2_infer": INFERENCES,
    "v2_infer_with_version": INFERENCES,
    "v2_index": {
        "all": {"summary": "All models", "value": {}},
        "ready": {"summary": "Those that are ready", "value": {"ready": True}},
    },
    "predict_batch": BATCHES,
    "annotate_model": {
        "tags_and_note": {
            "summary": "Tags and a note",
            "value": {"tags": ["baseline", "team:fraud"], "note": "the first one without the postcode"},
        },
        "no_note": {"summary": "Take the note away", "value": {"note": None}},
    },
    "retire_model": {
        "from_staging": {
            "summary": "From staging, with the reason",
            "value": {"stage": "staging", "reason": "worse than the one before on new data"},
        },
        "from_dev": {"summary": "From dev, without one", "value": {"stage": "dev"}},
    },
    "add_user": USERS,
    "log_in": LOGINS,
    "change_user": CHANGES,
    "give_dataset": HOLDERS,
    "make_api_key": KEYS,
    "refresh_tokens": REFRESHES,
    "change_password": OWN_PASSWORDS,
}

# What the fields of an address are filled with: by operation and name, or by name alone. What is not here stays empty:
# filters, pages, and ids of jobs, which come from the answer of the request that began them.
_PARAMETERS: dict[str | tuple[str, str], Any] = {
    "name": "iris",
    "model": "iris",
    # No model is made from it, so that it can be deleted.
    ("delete_dataset", "name"): "breast_cancer",
    # The last one of the walk, which was not promoted.
    ("erase_model", "version"): 4,
    "dataset": "iris",
    ("predict_typed", "environment"): "staging",
    "rows": 5,
    "module": "ensemble",
    "class": "RandomForestClassifier",
    # The first click waits for the end.
    "wait": 20,
    ("compare_models", "versions"): "1,2",
    "version": 1,
    "code": "unknown_column",
    ("change_user", "name"): "berta",
    ("delete_user", "name"): "berta",
    "key_id": 1,
    "login_id": "wb6Vw4uCQfmYv1X0o3cJtA",
    ("explain_finding_code", "code"): "gap_word",
}

# What to know before a click on Execute, said first in the description of an operation.
_NOTES = {
    "upload_dataset": "**Choose a file first**: this request has no example of its own.",
    "delete_dataset": "**Execute deletes the dataset below**; `use_example` of `POST /train` restores examples.",
    "erase_model": "**Execute erases the model below for good**, once it is retired from every stage.",
    "add_user": "**After the first user, everybody has to log in**, also here: with Authorize at the top.",
    "compare_models": "**Train two models first**: the example compares versions 1 and 2.",
}


def fill_in(operation: dict[str, Any]) -> None:
    """Put the examples of an operation into its description."""
    name = operation["operationId"]
    if name in _NOTES:
        operation["description"] = f"{_NOTES[name]}\n\n{operation['description']}"
    for parameter in operation.get("parameters", []):
        example = _PARAMETERS.get((name, parameter["name"]), _PARAMETERS.get(parameter["name"]))
        if example is not None and (parameter["required"] or "default" in parameter["schema"]):
            parameter["example"] = example
    if name in BODIES:
        content = operation["requestBody"]["content"]
        for kind in {"application/json", FORM} & content.keys():
            content[kind]["examples"] = BODIES[name]
