"""The scikit-learn objects that a fitted model is made of."""

from collections.abc import Iterator
from typing import Any


def parts_of(model: Any) -> Iterator[Any]:
    """The model and every object of scikit-learn in its attributes, lists and dictionaries, each once."""
    seen: set[int] = set()
    waiting = [model]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list | tuple):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
        elif id(part) not in seen and type(part).__module__.startswith("sklearn.") and hasattr(part, "__dict__"):
            seen.add(id(part))
            yield part
            waiting += vars(part).values()
