"""The functions that may change a target before it is learnt, by the names that NumPy has for them. A closed list.

Each rises everywhere, and its inverse is defined for whatever a regressor may predict.
"""

import math
from collections.abc import Callable
from typing import NamedTuple


class TargetFunction(NamedTuple):
    """The name of the inverse, from where on the function is defined, and its value for one number."""

    inverse: str
    least: float
    with_least: bool
    value: Callable[[float], float]

    def takes(self, number: float) -> bool:
        """Whether it is defined for the number."""
        return number > self.least or (self.with_least and number == self.least)


TARGET_FUNCTIONS: dict[str, TargetFunction] = {
    "arcsinh": TargetFunction("sinh", -math.inf, False, math.asinh),
    "log": TargetFunction("exp", 0, False, math.log),
    "log1p": TargetFunction("expm1", -1, False, math.log1p),
    "sqrt": TargetFunction("square", 0, True, math.sqrt),
}
INVERSES = frozenset(function.inverse for function in TARGET_FUNCTIONS.values())

# Parameters that take a function by its name, by estimator.
NAMED: dict[str, dict[str, frozenset[str]]] = {
    "compose.TransformedTargetRegressor": {"func": frozenset(TARGET_FUNCTIONS), "inverse_func": INVERSES}
}
