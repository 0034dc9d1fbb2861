"""The estimators that can be trained, looked up in tables. Nothing is ever imported because a request names it."""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.errors import UnknownEstimator, closest, did_you_mean, meant
from shared.estimators.model_form import KEYWORD
from shared.estimators.signature import Task

# Written by shared.estimators.generator from the scikit-learn release that it names.
TABLE = Path(__file__).with_name("estimator_table.json")
# Written by shared.estimators.libraries.generator, for the releases of other libraries that it names.
LIBRARY_TABLE = Path(__file__).with_name("libraries") / "library_table.json"

_SHOWN = 80

# What this process knows of own packages.
_own: "dict[str, Estimator]" = {}

# Other libraries whose estimators people ask for, by the name of their package.
_OTHER_LIBRARIES = {
    "keras": "Keras",
    "tensorflow": "TensorFlow",
    "torch": "PyTorch",
    "pytorch": "PyTorch",
    "statsmodels": "statsmodels",
    "imblearn": "imbalanced-learn",
}
# How programs often call a package that they import.
_NICKNAMES = {"cb": "catboost", "lgb": "lightgbm", "lgbm": "lightgbm", "xgb": "xgboost"}


class Parameter(BaseModel):
    """The default of a parameter, and the JSON schemas (2020-12); a value must meet one of them.

    One that is required has no default.
    """

    model_config = ConfigDict(frozen=True)

    default: Any
    required: bool = False
    allowed: list[dict[str, Any]]

    @property
    def model(self) -> dict[str, Any] | None:
        """The schema of the model, or of the list of models, that the parameter takes."""
        return next((schema for schema in self.allowed if KEYWORD in schema), None)


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
    takes_weights: bool
    gives_probabilities: bool
    probabilities_turn_with: dict[str, list[Any]]
    gives_scores: bool
    # Whether it can be shown rows some at a time, unless one of its parameters has one of these values.
    learns_in_batches: bool = False
    refuses_batches_with: dict[str, list[Any]] = {}
    # The package that it is of; None for scikit-learn.
    library: str | None = None
    # Whether it is of a package that an administrator added; then `library` is what the package is installed by.
    own: bool = False
    # Whether it wants labels that are numbered from 0 on.
    numbers_classes: bool = False
    # Other names of its parameters, and those that no request may set, with the reason.
    aliases: dict[str, str] = {}
    refused: dict[str, str] = {}
    parameters: dict[str, Parameter]

    @property
    def key(self) -> str:
        """Module and class in one word, like `ensemble.RandomForestClassifier`."""
        return f"{self.module}.{self.name}"

    def takes_missing_with(self, params: dict[str, Any]) -> bool:
        """Whether it takes missing values when it is built with these parameters."""
        refused = (name for name, values in self.refuses_missing_with.items() if params.get(name) in values)
        return self.takes_missing and next(refused, None) is None

    def gives_probabilities_with(self, params: dict[str, Any]) -> bool:
        """Whether it gives probabilities when it is built with these parameters."""
        turned = any(params.get(name) in values for name, values in self.probabilities_turn_with.items())
        return self.gives_probabilities != turned


class _Table(BaseModel):
    estimators: dict[str, Estimator]
    excluded: dict[str, str]


class _LibraryTable(BaseModel):
    releases: dict[str, str]
    estimators: dict[str, Estimator]


def find_estimator(module: str, name: str) -> Estimator:
    """The estimator of that module and class; the module may be given with or without `sklearn.` before it.

    Raises:
        UnknownEstimator: with the right module, the nearest name, or the reason why it is not taken.
    """
    module = _settled(module)
    estimator = _table().estimators.get(f"{module}.{name}") or _own.get(f"{module}.{name}")
    if estimator is None:
        detail, near = _not_found(module, name)
        raise UnknownEstimator(detail, errors=[{"loc": ["body", "model"], "msg": detail}], did_you_mean=near)
    return estimator


def all_estimators() -> Iterator[Estimator]:
    """Every estimator that can be trained, ordered by module and class."""
    known = _own | _table().estimators
    yield from (known[key] for key in sorted(known))


def know_own(estimators: Iterable[Estimator]) -> None:
    """Have this process know the estimators of own packages, and no others than these."""
    global _own  # noqa: PLW0603 - one assignment, because other threads look things up meanwhile
    _own = {estimator.key: estimator for estimator in estimators}


def release_of_table(library: str) -> str:
    """The release of a library whose parameters the table has."""
    return _libraries().releases[library]


@lru_cache(maxsize=1)
def _table() -> _Table:
    own = _Table.model_validate(json.loads(TABLE.read_text()))
    return own.model_copy(update={"estimators": dict(sorted((own.estimators | _libraries().estimators).items()))})


@lru_cache(maxsize=1)
def _libraries() -> _LibraryTable:
    return _LibraryTable.model_validate(json.loads(LIBRARY_TABLE.read_text()))


def _settled(module: str) -> str:
    """The module as the tables have it: `lightgbm.sklearn` is where `lightgbm` keeps its own."""
    package = module.partition(".")[0]
    return package if package in _libraries().releases else module.removeprefix("sklearn.")


def _not_found(module: str, name: str) -> tuple[str, str | None]:
    """Why there is no such estimator, and the one that may be meant."""
    table = _table()
    shown = f"'{module[:_SHOWN]}.{name[:_SHOWN]}'"
    package = module.partition(".")[0].lower()
    if library := _OTHER_LIBRARIES.get(package):
        said = f"{shown} is of the library {library}, which is not supported."
        return f"{said} GET /estimators lists what can be trained.", None
    if package in _libraries().releases or package in _NICKNAMES:
        return _not_in_library(shown, _NICKNAMES.get(package, package), name)
    if reason := table.excluded.get(f"{module}.{name}"):
        return f"{shown} cannot be trained: {reason}.", None
    for key in table.estimators:
        if key.partition(".")[2] == name:
            return f"There is no {shown}.{meant(key)} The class is in the module '{key.partition('.')[0]}'.", key
    for key, reason in table.excluded.items():
        if key.partition(".")[2] == name:
            return f"'{key}' cannot be trained: {reason}.", None
    near = _nearest(module, name)
    hint = meant(near) or _of_module(module) or " GET /estimators lists the estimators."
    return f"There is no estimator {shown}.{hint}", near


def _not_in_library(shown: str, library: str, name: str) -> tuple[str, str | None]:
    keys = [key for key in _libraries().estimators if key.partition(".")[0] == library]
    by_class = {key.partition(".")[2].lower(): key for key in keys}
    key = by_class.get(name.lower()) or by_class.get(closest(name.lower(), by_class) or "")
    hint = meant(key) or f" Of that library, these can be trained: {', '.join(keys)}."
    return f"There is no estimator {shown}.{hint}", key


def _nearest(module: str, name: str) -> str | None:
    """The estimator with the nearest class name; one of the same module, if its name is near enough."""
    by_class = {key.partition(".")[2].lower(): key for key in _table().estimators}
    of_module = [each for each, key in by_class.items() if key.partition(".")[0] == module]
    near = closest(name.lower(), of_module) or closest(name.lower(), by_class)
    return by_class[near] if near else None


def _of_module(module: str) -> str:
    return did_you_mean(module, {key.partition(".")[0] for key in _table().estimators}).replace(
        "mean", "mean the module"
    )
