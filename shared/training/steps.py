"""The steps of a training that are told while it goes on, and where the fit is among them."""

from typing import Protocol

FITTING = 20
EVALUATING = 80


class OnStep(Protocol):
    """Hears of a step."""

    def __call__(self, step: str, percent: int, /, *, measured: bool = False) -> None:
        """`measured` says that the step will tell of more percents; else nothing is known until the next one."""


def percent_of_fit(share: float) -> int:
    """The percentage of a training whose fit is done to this share; only the next step is at the fit's end."""
    return min(FITTING + int((EVALUATING - FITTING) * max(share, 0.0)), EVALUATING - 1)
