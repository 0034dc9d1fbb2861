"""Where the machine code of the kernels is kept, and whether it can be trusted.

Numba keeps it as pickles, and loading one runs it: so the folder lies beside the code, is written by its owner alone,
and is trusted as the code is. Where it is not safe, the kernels are compiled in memory.
"""

import hashlib
import os
import platform
from pathlib import Path

import numba
from numba.core.caching import InTreeCacheLocator

from shared.logging import get_logger
from shared.ownership import weakness, weaknesses_inside

_SOURCES = Path(__file__).parent
FOLDER = _SOURCES / "__machine_code__"
# Says for which kernels and which Numba the folder is complete.
_STAMP = "complete"

log = get_logger(__name__)


def is_usable(folder: Path = FOLDER) -> bool:
    """Whether machine code may be read from the folder: it is safe, and complete or this process may add to it."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return False
    found = weakness(folder) or next(weaknesses_inside(folder), None)
    if found is not None:
        log.warning("kernels_not_trusted", reason=found)
        return False
    return os.access(folder, os.W_OK) or _stamp_of(folder) == _stamp()


def write_stamp(folder: Path = FOLDER) -> None:
    """Say that the folder holds all kernels as they are now."""
    (folder / _STAMP).write_text(_stamp())


def is_complete(folder: Path = FOLDER) -> bool:
    """Whether the folder holds all kernels as they are now."""
    return _stamp_of(folder) == _stamp()


def _stamp() -> str:
    facts = [numba.__version__, platform.python_version(), platform.machine()]
    sources = [path.read_bytes() for path in sorted(_SOURCES.glob("*.py"))]
    return hashlib.sha256(b"\0".join([*map(str.encode, facts), *sources])).hexdigest()


def _stamp_of(folder: Path) -> str | None:
    try:
        return (folder / _STAMP).read_text()
    except OSError:
        return None


class KernelFolder(InTreeCacheLocator):
    """Tells Numba the folder; it need not be writable once it is complete."""

    def __init__(self, function: object, file: str) -> None:
        super().__init__(function, file)  # type: ignore[no-untyped-call]  # Numba has types for some of its code
        self._cache_path = str(FOLDER)

    @classmethod
    def from_function(cls, function: object, file: str) -> "KernelFolder | None":
        """The place of a kernel; None for the functions of other packages, which are no part of what is trusted."""
        return cls(function, file) if Path(file).parent == _SOURCES else None

    def ensure_cache_path(self) -> None:
        """Nothing to do: `is_usable` has looked."""
