"""The tree of estimators that a model is: one, or one that is built around others, which may be so, too."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.errors import InvalidParameter, PlatformError, TaskMismatch, UnknownEstimator
from shared.estimators.catalogue import Estimator, find_estimator
from shared.estimators.hosts import HOSTS, HostEstimator, Labels, Slot
from shared.estimators.json_schema import described, meets
from shared.estimators.model_form import MOST_DEPTH, MOST_MODELS
from shared.estimators.parameters import MODEL, Place, problems_of_parameters

_KINDS = {"classification": "classifier", "regression": "regressor"}


@dataclass(frozen=True)
class Node:
    """An estimator of the tree, with its parameters as they were sent and its place in the request.

    One that is not `given` stands for the default of its host. `slot` and `name` tell where in its host it is, and
    `labels` what it sees of the target's.
    """

    estimator: Estimator
    params: dict[str, Any]
    place: Place = MODEL
    slot: Slot | None = None
    name: str | None = None
    given: bool = True
    labels: Labels = "same"
    inner: tuple["Node", ...] = ()

    @property
    def host(self) -> HostEstimator | None:
        """What it does with inner estimators; None where it takes none."""
        return HOSTS.get(self.estimator.key)

    def all(self) -> Iterator["Node"]:
        """Itself and all that the request puts inside of it, at any depth."""
        yield self
        for node in self.inner:
            if node.given:
                yield from node.all()

    def libraries(self) -> set[str]:
        """The libraries beside scikit-learn that it is made of."""
        return {node.estimator.library for node in self.all() if node.estimator.library is not None}


@dataclass
class _Reading:
    """What is found while the models of a request are read."""

    problems: list[PlatformError] = field(default_factory=list)
    count: int = 0

    def refuse(self, kind: type[PlatformError], sentence: str, place: Place) -> None:
        self.problems.append(kind(sentence, errors=[{"loc": list(place), "msg": sentence}]))


def read_tree(module: str, name: str, params: dict[str, Any]) -> tuple[Node | None, list[PlatformError]]:
    """The tree of a model and all that is wrong with its classes and parameters, one by one.

    None where there is no such estimator; what cannot be read inside of it is left out.
    """
    reading = _Reading()
    node = _read({"module": module, "class": name, "params": params}, MODEL, reading)
    return node, reading.problems


def _read(model: dict[str, Any], place: Place, reading: _Reading, **where: Any) -> Node | None:
    try:
        estimator = find_estimator(model["module"], model["class"])
    except UnknownEstimator as unknown:
        unknown.errors = [{"loc": list(place), "msg": unknown.detail}]
        reading.problems.append(unknown)
        return None
    params = model.get("params", {})
    reading.problems += problems_of_parameters(estimator, params, place)
    labels = _shown(where.get("labels", "same"), HOSTS.get(estimator.key))
    inner = tuple(_inner(estimator, params, place, labels=labels, reading=reading))
    return Node(estimator, params, place, inner=inner, **where)


def _inner(
    estimator: Estimator, params: dict[str, Any], place: Place, *, labels: Labels, reading: _Reading
) -> Iterator[Node]:
    host = HOSTS.get(estimator.key)
    for slot in host.slots if host else ():
        value, at = params.get(slot.name), (*place, "params", slot.name)
        if value is None and slot.required and slot.name not in params:
            said = f"{estimator.key} is built around other estimators and needs '{slot.name}'. It must be "
            reading.refuse(InvalidParameter, said + _form(estimator, slot), (*place, "params"))
        elif value is None and slot.default is not None:
            default = find_estimator(*slot.default.split("."))
            yield Node(default, {}, at, slot, given=False, labels=labels)
        elif _is_model(estimator, slot, value):
            pairs: list[Any] = list(value or []) if slot.listed else [[None, value]]
            for number, (name, model) in enumerate(pairs):
                where = (*at, number, 1) if slot.listed else at
                yield from _nested(estimator, model, where, reading, slot=slot, name=name, labels=labels)


def _nested(host: Estimator, model: dict[str, Any], place: Place, reading: _Reading, **where: Any) -> Iterator[Node]:
    reading.count += 1
    # The names of parameters count how deep it is: each is in the `params` of one model more.
    if place.count("params") > MOST_DEPTH:
        sentence = f"Models may stand at most {MOST_DEPTH} deep inside of one another. Take the innermost ones out."
        reading.refuse(InvalidParameter, sentence, place)
        return
    if reading.count > MOST_MODELS:
        if reading.count == MOST_MODELS + 1:
            sentence = f"A model may have at most {MOST_MODELS} others inside of it. Take some of them out."
            reading.refuse(InvalidParameter, sentence, place)
        return
    node = _read(model, place, reading, **where)
    if node is None:
        return
    if node.estimator.task != host.task:
        kind, other = _KINDS[host.task], _KINDS[node.estimator.task]
        sentence = f"'{where['slot'].name}' of {host.key} takes a {kind}, and {node.estimator.key} is a {other}."
        reading.refuse(TaskMismatch, f"{sentence} Put a {kind} there.", place)
        return
    yield node


def _is_model(estimator: Estimator, slot: Slot, value: Any) -> bool:
    schema = estimator.parameters[slot.name].model
    return schema is not None and meets(value, schema)


def _form(estimator: Estimator, slot: Slot) -> str:
    return f"{described(estimator.parameters[slot.name].model or {})}."


def _shown(labels: Labels, host: HostEstimator | None) -> Labels:
    """What the inner estimators of a host see of the labels, when it sees these itself."""
    if host is None or host.labels == "same" or labels == "two":
        return labels
    return host.labels
