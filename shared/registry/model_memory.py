"""What models take in memory, and how large one may be to be served."""

import ctypes
import resource
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from shared.errors import ModelTooLarge
from shared.settings import Settings

T = TypeVar("T")

# Loading takes more than the model: the bytes of the file are in memory beside the objects made from them.
_LOADING_FACTOR = 2
# The most memory that a small model takes, as a multiple of its file: each small tree and each word is an object.
_SMALL_FACTOR = 4
# For larger files, the growth of the process is measured. For smaller ones, other work would change it too much.
_SMALL_BYTES = 32 * 2**20
_PAGES = Path("/proc/self/statm")

_libc = ctypes.CDLL(None)
# One model is loaded at a time, so that the growth is that of one model.
_LOADING = threading.Lock()


def check_size(version: int, size_bytes: int, settings: Settings) -> None:
    """Refuse a model if the size of its file shows that loading takes more memory than all models of a process may.

    Raises:
        ModelTooLarge: when it does.
    """
    check_model_memory(version, size_bytes * _LOADING_FACTOR, settings)


def check_model_memory(version: int, memory_bytes: int, settings: Settings) -> None:
    """The same, for memory that was measured.

    Raises:
        ModelTooLarge: when it is too much.
    """
    if memory_bytes > settings.model_cache_mb * 2**20:
        raise ModelTooLarge(
            f"Model {version} is too large to be served: it takes some {memory_bytes / 2**20:,.0f} MB of memory, and "
            f"the models of an API process have {settings.model_cache_mb:,} MB. Train a smaller one, of fewer or "
            "shallower trees for instance, or raise MLMINI_MODEL_CACHE_MB.",
            limit=settings.model_cache_mb,
            setting="MLMINI_MODEL_CACHE_MB",
        )


def measure_memory(load: Callable[[], T], *, size_bytes: int) -> tuple[T, int]:
    """The result of `load` for a file of `size_bytes`, and how many bytes of memory it takes."""
    with _LOADING:
        if size_bytes < _SMALL_BYTES or not _PAGES.exists():
            return load(), size_bytes * _SMALL_FACTOR
        _give_back()
        before = _resident()
        loaded = load()
        # Give back what loading took; otherwise the process would keep it.
        _give_back()
        return loaded, max(size_bytes, _resident() - before)


def _resident() -> int:
    return int(_PAGES.read_text().split()[1]) * resource.getpagesize()


def _give_back() -> None:
    """Return the free memory of this process to the system; glibc would keep it."""
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)
