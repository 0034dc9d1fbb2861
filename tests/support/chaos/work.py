"""What the clients of a chaos run ask for: cheap trainings on small tables, and some that take longer."""

from random import Random
from typing import Any

from shared.jobs.rows import PRIORITIES

TARGET = "target"
# A row of each table for predictions.
ROWS: dict[str, list[float]] = {
    "iris": [5.1, 3.5, 1.4, 0.2],
    "wine": [13.2, 1.8, 2.4, 15.6, 127.0, 2.8, 3.1, 0.3, 2.3, 5.6, 1.0, 3.9, 1065.0],
    "measured": [0.5, 0.25],
}
# The one that clients upload, again and again with other rows.
UPLOADED = "measured"

_CHEAP = (
    {"module": "dummy", "class": "DummyClassifier", "params": {}},
    {"module": "naive_bayes", "class": "GaussianNB", "params": {}},
    {"module": "neighbors", "class": "NearestCentroid", "params": {}},
    {"module": "tree", "class": "DecisionTreeClassifier", "params": {"max_depth": 2}},
)
_SLOW = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 600}}
_SLOW_SHARE = 0.05
# Of the wishes, those that name a priority.
_PRIORITY_SHARE = 0.3


def train_request(rng: Random, dataset_name: str) -> dict[str, Any]:
    """A body for POST /train; the state makes every model another one."""
    model = _SLOW if rng.random() < _SLOW_SHARE else rng.choice(_CHEAP)
    priority = {"priority": rng.choice(PRIORITIES)} if rng.random() < _PRIORITY_SHARE else {}
    return priority | {
        "dataset_name": dataset_name,
        "use_example": dataset_name != UPLOADED,
        "model": model,
        "target_column": TARGET,
        "random_state": rng.randrange(2**31),
    }


def table(rng: Random) -> bytes:
    """A small table as CSV, of two numbers and what they mean."""
    rows = [(rng.random(), rng.random()) for _ in range(60)]
    lines = [f"{a:.4f},{b:.4f},{'high' if a + b > 1 else 'low'}" for a, b in rows]
    return "\n".join([f"width,height,{TARGET}", *lines, "0.1,0.1,low", "0.2,0.1,low", "0.9,0.9,high"]).encode()
