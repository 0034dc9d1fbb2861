"""What a training is pinned by beside its request and its table: what it ran with, and rows to compare answers by."""

import platform
from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from shared.estimators.libraries.installed import release_of
from shared.training.plan import FIRST_RECIPE

PLATFORM: Final = "ml-mini-platform"
# Threads add up in the order in which they end, which changes the last digits of a number.
ROUNDING: Final = 1e-9
# All of these have a say in what a fit comes to, whatever is fitted.
_ALWAYS: Final = ("scikit-learn", "numpy", "pandas", "scipy", PLATFORM)


class GoldenRows(BaseModel):
    """Some of the rows that were kept from the training: their inputs as the model takes them, and its answers."""

    model_config = ConfigDict(frozen=True)

    # By column: its name, whether it holds words and not numbers, and a value for each row, None where it is missing.
    names: list[str]
    words: list[bool]
    columns: list[list[Any]]
    # A label for each row; None for a regressor.
    labels: list[Any] | None
    # The number, or the probabilities, of each row; None for a classifier without. One that is not finite is None.
    numbers: list[list[float | None]] | None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.columns[0])


class ComparedRows(BaseModel):
    """How answers for the golden rows compare with those that were kept."""

    model_config = ConfigDict(frozen=True)

    compared: int = Field(description="How many rows were kept with the model.")
    different: int = Field(description="For how many of them the answer is another one now.")
    largest_difference: float | None = Field(
        description="The largest difference of a predicted number or of a probability, 0 when all are the same to the "
        "last bit; null where there are no numbers to compare."
    )


class Pin(BaseModel):
    """What the training of a model ran with."""

    model_config = ConfigDict(frozen=True)

    # The releases of Python, of the platform and of each library that has a say in the fit.
    libraries: dict[str, str]
    # The kind of processor: libraries compute in another way on each.
    machine: str
    threads: int
    # How many folds there were where the request does not say: a threshold is chosen on them.
    folds: int
    # Which one made features of the columns; models of older releases have the first one.
    recipe: int = FIRST_RECIPE
    # None where the model answers for none of them, or a row is too large to be kept.
    golden: GoldenRows | None = None


def pinned_libraries(others: Iterable[str] = ()) -> dict[str, str]:
    """The releases that are installed here, those of other libraries among them; empty for what is not."""
    releases = {name: release_of(name) or "" for name in (*_ALWAYS, *sorted(others))}
    return {"python": platform.python_version(), **releases}


def installed_instead(then: dict[str, str]) -> dict[str, dict[str, str]]:
    """The pinned libraries of which another release, or none, is installed here: the release then and the one now."""
    now = pinned_libraries(name for name in then if name not in {"python", *_ALWAYS})
    return {name: {"then": then[name], "now": now[name]} for name in then if then[name] != now[name]}
