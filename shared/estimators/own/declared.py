"""Which classes of own packages are named on this machine, told without importing any of them."""

import importlib.metadata
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

GROUP: Final = "mlmini.estimators"
PATH: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


class OwnClass(NamedTuple):
    """A class as `package.module:Class`, and the distribution that brings it, with its release."""

    path: str
    distribution: str
    release: str


def declared(named: Iterable[str]) -> list[OwnClass]:
    """The classes of the entry points of `mlmini.estimators`, and those that the setting names, each once."""
    found: dict[str, OwnClass] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        if point.dist is not None and PATH.fullmatch(point.value):
            found.setdefault(point.value, OwnClass(point.value, point.dist.name, point.dist.version))
    bringing = importlib.metadata.packages_distributions() if named else {}
    for path in named:
        package = path.partition(":")[0].partition(".")[0]
        name = next(iter(bringing.get(package, [])), package)
        found.setdefault(path, OwnClass(path, name, _release(name)))
    return list(found.values())


def _release(name: str) -> str:
    """Empty for what was put on the path without being installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
