"""A function as packages have them whose machine code Numba is to keep."""

from typing import Any

import numba


@numba.njit(cache=True)
def kept(number: Any) -> Any:
    """Whatever it is."""
    return number


kept(1)
