"""The steps that a training reports, and the percentages at which they begin."""

from typing import Protocol

FITTING = 20
EVALUATING = 50
VALIDATING = 52
COMPILING = 85
EXPLAINING = 88


class OnStep(Protocol):
    """Called when a step begins or gets on."""

    def __call__(self, step: str, percent: int, /, *, measured: bool = False) -> None:
        """`measured` says that the step will report more percentages; else the next report is that of the next step."""


def percent_of_fit(share: float) -> int:
    """The percentage of a training when this share of its fit is done. It stays below EVALUATING, the next step's."""
    return min(FITTING + int((EVALUATING - FITTING) * max(share, 0.0)), EVALUATING - 1)


def percent_of_folds(done: int, of: int) -> int:
    """The percentage of a training when so many of its folds are done."""
    return VALIDATING + (COMPILING - VALIDATING) * done // of
