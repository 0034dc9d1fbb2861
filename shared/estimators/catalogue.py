"""The estimators that can be trained, looked up in a table. Nothing is ever imported because a request names it."""

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.errors import UnknownEstimator, did_you_mean
from shared.estimators.signature import Task

# Written by shared.estimators.generator from the scikit-learn release that it names.
TABLE = Path(__file__).with_name("estimator_table.json")

_SHOWN = 80


class Parameter(BaseModel):
    """What a parameter is without being set, and the JSON schemas (2020-12) of which a value must meet one."""

    model_config = ConfigDict(frozen=True)

    default: Any
    allowed: list[dict[str, Any]]


class Estimator(BaseModel):
    """All that is known of an estimator without importing it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    module: str
    name: str
    task: Task
    summary: str
    takes_missing: bool
    refuses_missing_with: dict[str, list[str]]
    needs_scaling: bool
    needs_categories: bool
    inputs_not_negative: bool
    marks_unlabelled: bool
    takes_seed: bool
    gives_probabilities: bool
    parameters: dict[str, Parameter]

    @property
    def key(self) -> str:
        """Module and class in one word, like `ensemble.RandomForestClassifier`."""
        return f"{self.module}.{self.name}"

    def takes_missing_with(self, params: dict[str, Any]) -> bool:
        """Whether it takes missing values when it is built with these parameters."""
        refused = (name for name, values in self.refuses_missing_with.items() if params.get(name) in values)
        return self.takes_missing and next(refused, None) is None


class _Table(BaseModel):
    estimators: dict[str, Estimator]
    excluded: dict[str, str]


def find_estimator(module: str, name: str) -> Estimator:
    """The estimator of that module and class; the module may be given with or without `sklearn.` before it.

    Raises:
        UnknownEstimator: with the right module, the nearest name, or the reason why it is not taken.
    """
    module = module.removeprefix("sklearn.")
    estimator = _table().estimators.get(f"{module}.{name}")
    if estimator is None:
        detail = _refusal(module, name)
        raise UnknownEstimator(detail, errors=[{"loc": ["body", "model"], "msg": detail}])
    return estimator


def all_estimators() -> Iterator[Estimator]:
    """Every estimator that can be trained, ordered by module and class."""
    yield from _table().estimators.values()


@lru_cache(maxsize=1)
def _table() -> _Table:
    return _Table.model_validate(json.loads(TABLE.read_text()))


def _refusal(module: str, name: str) -> str:
    table = _table()
    shown = f"'{module[:_SHOWN]}.{name[:_SHOWN]}'"
    if reason := table.excluded.get(f"{module}.{name}"):
        return f"{shown} cannot be trained: {reason}."
    for key in table.estimators:
        if key.partition(".")[2] == name:
            return f"There is no {shown}. Did you mean '{key}'? The class is in the module '{key.partition('.')[0]}'."
    for key, reason in table.excluded.items():
        if key.partition(".")[2] == name:
            return f"'{key}' cannot be trained: {reason}."
    return f"There is no estimator {shown}.{_suggestion(module, name) or ' GET /estimators lists the estimators.'}"


def _suggestion(module: str, name: str) -> str:
    """The class whose name is nearest, of the same module if one comes near there."""
    keys = {key.lower(): key for key in _table().estimators}
    modules = {key.partition(".")[0] for key in keys}
    if module in modules:
        near = did_you_mean(name.lower(), (key.partition(".")[2] for key in keys if key.startswith(f"{module}.")))
        if near:
            return _restored(near, keys)
    near = did_you_mean(name.lower(), (key.partition(".")[2] for key in keys))
    return _restored(near, keys) if near else did_you_mean(module, modules).replace("mean", "mean the module")


def _restored(sentence: str, keys: dict[str, str]) -> str:
    """The suggestion with the class as it is written, and its module before it."""
    lower = sentence.split("'")[1]
    key = next(key for spelled, key in keys.items() if spelled.partition(".")[2] == lower)
    return f" Did you mean '{key}'?"
