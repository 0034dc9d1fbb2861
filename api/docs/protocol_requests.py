"""Requests of other protocols for the docs, by those who have promoted iris to production before."""

from typing import Any

_COLUMNS = {
    "sepal_length": [5.1, 6.2],
    "sepal_width": [3.5, 3.4],
    "petal_length": [1.4, 5.4],
    "petal_width": [0.2, 2.3],
}
_TABLE = {"name": "rows", "shape": [2, 4], "datatype": "FP64", "data": [5.1, 3.5, 1.4, 0.2, 6.2, 3.4, 5.4, 2.3]}

_ROWS = [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]

INVOCATIONS: dict[str, Any] = {
    "iris_frame": {
        "summary": "Iris: a data frame",
        "value": {"dataframe_split": {"columns": list(_COLUMNS), "index": [0, 1], "data": _ROWS}},
    },
    "iris_records": {
        "summary": "Iris: records by column name",
        "value": {"dataframe_records": [dict(zip(_COLUMNS, row, strict=True)) for row in _ROWS]},
    },
    "iris_instances": {"summary": "Iris: rows by position", "value": {"instances": _ROWS}},
    "iris_inputs": {"summary": "Iris: lists of values by column name", "value": {"inputs": _COLUMNS}},
}
INFERENCES: dict[str, Any] = {
    "iris_in_one_tensor": {"summary": "Iris: all columns in one tensor", "value": {"inputs": [_TABLE]}},
    "iris_by_column": {
        "summary": "Iris: a tensor for each column",
        "value": {
            "id": "42",
            "inputs": [
                {"name": name, "shape": [2, 1], "datatype": "FP64", "data": values} for name, values in _COLUMNS.items()
            ],
        },
    },
    "iris_probabilities": {
        "summary": "Iris: with the probability of each class",
        "value": {"inputs": [_TABLE], "outputs": [{"name": "predict"}, {"name": "predict_proba"}]},
    },
}
