"""Requests of predictions for the docs, by those who have trained and promoted models of the bundled examples."""

from typing import Any

# At the address of one model.
TYPED: dict[str, Any] = {
    "iris_row": {
        "summary": "Iris: a record by column name",
        "value": {
            "input_data": {
                "records": [{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}]
            }
        },
    },
    "iris_shares": {
        "summary": "Iris: with the probability of each class",
        "value": {"input_data": {"features": [[5.9, 3.0, 4.8, 1.7]]}, "return": ["label", "probability"]},
    },
    "iris_set": {
        "summary": "Iris: with all labels that are likely enough",
        "value": {"input_data": {"features": [[5.9, 3.0, 4.8, 1.7]]}, "return": ["label", "interval"]},
    },
}

PREDICTIONS: dict[str, Any] = {
    "iris_by_position": {
        "summary": "Iris: rows in the order of the columns",
        "value": {
            "dataset_name": "iris",
            "environment": "staging",
            "input_data": {"features": [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]},
        },
    },
    "iris_by_name": {
        "summary": "Iris: records by column name",
        "value": {
            "dataset_name": "iris",
            "environment": "staging",
            "input_data": {
                "records": [
                    {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2},
                    {"petal_width": 2.3, "petal_length": 5.4, "sepal_width": 3.4, "sepal_length": 6.2},
                ]
            },
        },
    },
    "iris_probabilities": {
        "summary": "Iris: with the probability of each class",
        "value": {
            "dataset_name": "iris",
            "environment": "staging",
            "input_data": {"features": [[5.9, 3.0, 4.8, 1.7]]},
            "return": ["label", "probability"],
        },
    },
    "iris_interval": {
        "summary": "Iris: with all labels that are likely enough",
        "value": {
            "dataset_name": "iris",
            "environment": "staging",
            "input_data": {"features": [[5.1, 3.5, 1.4, 0.2], [5.9, 3.0, 4.8, 1.7]]},
            "return": ["label", "interval"],
        },
    },
    "iris_certain_version": {
        "summary": "Iris: by one version, not the newest",
        "value": {
            "dataset_name": "iris",
            "environment": "dev",
            "version": 1,
            "input_data": {"features": [[5.1, 3.5, 1.4, 0.2]]},
        },
    },
    "diabetes_number": {
        "summary": "Diabetes: a number, by the newest model in dev",
        "value": {
            "dataset_name": "diabetes",
            "environment": "dev",
            "input_data": {"features": [[59, 2, 32.1, 101.0, 157.0, 93.2, 38.0, 4.0, 4.8598, 87.0]]},
        },
    },
    "diabetes_interval": {
        "summary": "Diabetes: a number with an interval around it",
        "value": {
            "dataset_name": "diabetes",
            "environment": "dev",
            "input_data": {"features": [[59, 2, 32.1, 101.0, 157.0, 93.2, 38.0, 4.0, 4.8598, 87.0]]},
            "return": ["label", "interval"],
        },
    },
}

BATCHES: dict[str, Any] = {
    "iris_all_rows": {
        "summary": "Iris: all rows, with the true species beside the predicted one",
        "value": {
            "dataset_name": "iris",
            "environment": "staging",
            "input": {"dataset_name": "iris"},
            "keep": ["target"],
            "format": "csv",
            "return": ["label", "probability"],
        },
    },
    "diabetes_parquet": {
        "summary": "Diabetes: numbers with intervals, as Parquet, by the newest model in dev",
        "value": {
            "dataset_name": "diabetes",
            "environment": "dev",
            "input": {"dataset_name": "diabetes", "dataset_version": 1},
            "format": "parquet",
            "return": ["label", "interval"],
        },
    },
}
