"""Puts a value of a search to its place in the model: into its own parameters, or into those of a model inside of it.

As in scikit-learn, `estimator__max_depth` is `max_depth` of the model that stands in `estimator`. In a list of named
models, it is the name. Imports no scikit-learn.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.estimators.catalogue import Parameter, find_estimator
from shared.estimators.hosts import slots_of
from shared.training.spec import EstimatorChoice, TrainingSpec

# A model as JSON: module, class, params.
Written = dict[str, Any]


class NoSuchPlace(Exception):
    """A name leads to no model; the message says which there are."""


def with_values(model: EstimatorChoice, values: Mapping[str, Any]) -> EstimatorChoice:
    """The model with these values by their names; those of outer models first, which may be models themselves.

    Raises:
        NoSuchPlace: when a name leads to no model.
    """
    written = model.model_dump(by_alias=True)
    for name in sorted(values, key=lambda name: name.count("__")):
        written = _with_value(written, name, values[name])
    return EstimatorChoice.model_validate(written)


def models_of(spec: TrainingSpec) -> Iterator[EstimatorChoice]:
    """The model of a training, and with each choice of its search that may be a model itself."""
    yield spec.model
    space = spec.search.space if spec.search is not None else None
    for name, entry in (space or {}).items():
        for value in entry if isinstance(entry, list) else ():
            if isinstance(value, dict | list):
                yield with_values(spec.model, {name: value})


def libraries_of(specs: Iterable[TrainingSpec]) -> list[str]:
    """What the models of these trainings are made of beside scikit-learn."""
    found = (node.estimator.library for spec in specs for model in models_of(spec) for node in model.tree().all())
    return sorted({library for library in found if library is not None})


def parameter_at(model: EstimatorChoice, name: str) -> Parameter | None:
    """What the table of estimators has of a parameter; None where it does not have it.

    Raises:
        NoSuchPlace: when the name leads to no model.
    """
    written = model.model_dump(by_alias=True)
    while "__" in name:
        head, _, name = name.partition("__")
        written, _ = _inner(written, head)
    return find_estimator(written["module"], written["class"]).parameters.get(name)


def _with_value(model: Written, name: str, value: Any) -> Written:
    head, inside, rest = name.partition("__")
    params = model.get("params", {})
    if not inside:
        return model | {"params": params | {head: value}}
    inner, slot = _inner(model, head)
    changed = _with_value(inner, rest, value)
    if slot == head:
        return model | {"params": params | {head: changed}}
    pairs = [[name, changed if name == head else each] for name, each in params[slot]]
    return model | {"params": params | {slot: pairs}}


def _inner(model: Written, head: str) -> tuple[Written, str]:
    """The model inside of another one, and the parameter that it stands in, be it as the default."""
    key = find_estimator(model["module"], model["class"]).key
    params: dict[str, Any] = model.get("params", {})
    known: dict[str, tuple[Written, str]] = {}
    for slot in slots_of(key):
        if slot.listed:
            known |= {name: (each, slot.name) for name, each in params.get(slot.name) or ()}
        elif isinstance(given := params.get(slot.name), dict):
            known[slot.name] = (given, slot.name)
        elif slot.default is not None and given is None:
            module, _, name = slot.default.partition(".")
            known[slot.name] = ({"module": module, "class": name}, slot.name)
    if head in known:
        return known[head]
    which = f"Those inside of it are: {', '.join(known)}." if known else "It has none inside of it."
    raise NoSuchPlace(f"{key} has no model '{head[:60]}'. {which}")
