"""What this process would compute with: a cluster with something else would come to other numbers in silence."""

import hashlib
import platform
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from shared.estimators.libraries.installed import LIBRARIES, release_of

# Whatever takes part in a fit: of libraries, the names that pip knows.
USUAL = ("python", "platform", "scikit-learn", "numpy", "scipy", "pandas", "joblib", "threadpoolctl", "distributed")
_SHARED = Path(__file__).parents[2]


def release_here(names: Iterable[str] = USUAL) -> Mapping[str, str]:
    """The releases by name; that of what is not here is empty."""
    return {name: _release(name) for name in names}


def difference(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """What is another release there than here, in words; empty where all is the same."""
    other = [name for name in here if there.get(name) != here[name]]
    return ", ".join(f"{name} {there.get(name) or 'missing'} instead of {here[name] or 'none'}" for name in other)


@lru_cache(maxsize=64)
def _release(name: str) -> str:
    if name == "python":
        return ".".join(platform.python_version_tuple()[:2])
    if name == "platform":
        return f"{_installed('ml-mini-platform')} {_digest()}".strip()
    return (release_of(name) or "") if name in LIBRARIES else _installed(name)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _digest() -> str:
    """Of the code that fits: two states of it may have one number."""
    digest = hashlib.sha256()
    for path in sorted(_SHARED.rglob("*.py")):
        digest.update(f"{path.relative_to(_SHARED)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]
