"""Which libraries are installed here, told without importing any of them."""

import importlib.metadata
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, NamedTuple


class Library(NamedTuple):
    """A library by the names that people know: what it calls itself, and the distributions that bring its package."""

    title: str
    distributions: tuple[str, ...]


# By the name of the package.
LIBRARIES: Final[dict[str, Library]] = {
    "catboost": Library("CatBoost", ("catboost",)),
    "lightgbm": Library("LightGBM", ("lightgbm",)),
    "xgboost": Library("XGBoost", ("xgboost-cpu", "xgboost")),
}

HOW_TO_INSTALL: Final = "`make boosting` installs it on a machine, the build argument EXTRAS=boosting in an image"


@lru_cache(maxsize=64)
def release_of(package: str) -> str | None:
    """The release of a library that is installed here; None where there is none."""
    for name in LIBRARIES[package].distributions if package in LIBRARIES else (package,):
        with suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name)
    return None


def installed_releases() -> dict[str, str]:
    """The libraries that are installed here, with their releases."""
    return {package: release for package in LIBRARIES if (release := release_of(package)) is not None}


def package_of(thing: Any) -> str | None:
    """The library that an object is of; None for scikit-learn and all else."""
    package = type(thing).__module__.partition(".")[0].removeprefix("_")
    return package if package in LIBRARIES else None
