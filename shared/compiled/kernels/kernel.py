"""The decorator of all kernels."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

from shared.compiled.kernels.folder import is_usable

Function = TypeVar("Function", bound=Callable[..., Any])

# Where machine code is kept: that of the kernels in their folder, that of functions of other packages as ever.
_PLACES = ("shared.compiled.kernels.folder.KernelFolder", "InTreeCacheLocator", "UserWideCacheLocator")
numba.config.CACHE_LOCATOR_CLASSES = ",".join(_PLACES)  # type: ignore[attr-defined]  # made at run time
# The instructions that every processor of its kind has: an image is built on one and runs on another. Trees gain
# nothing from newer ones, and no processor fuses a product with a sum, which would change bits.
numba.config.CPU_NAME = "generic"  # type: ignore[attr-defined]  # made at run time

_CACHED = is_usable()


def kernel(signature: Any) -> Callable[[Function], Function]:
    """Compile a function for one signature, when its module is imported; it runs without Python's lock.

    Arrays must be of those types exactly, writable and in C order, or the call raises TypeError. Nothing checks
    indexes: whoever calls has seen to it that they are within the arrays.
    """
    decorate: Callable[[Function], Function] = numba.njit(signature, nogil=True, cache=_CACHED)
    return decorate
