"""The steps that a training reports, and the percentages at which they begin."""

from typing import NamedTuple, Protocol

PREPARING = 10
FITTING = 20
EVALUATING = 50
VALIDATING = 52
COMPILING = 85
EXPLAINING = 88
CURVING = 90
STORING = 95
# Of a training that seeks its parameters first, this is where the search ends and the rest begins.
SEARCHED = 70


class OnStep(Protocol):
    """Called when a step begins or gets on."""

    def __call__(self, step: str, percent: int, /, *, measured: bool = False) -> None:
        """`measured` says that the step will report more percentages; else the next report is that of the next step."""


def percent_of_fit(share: float) -> int:
    """The percentage of a training when this share of its fit is done. It stays below EVALUATING, the next step's."""
    return min(FITTING + int((EVALUATING - FITTING) * max(share, 0.0)), EVALUATING - 1)


def percent_of_dealing(share: float) -> int:
    """The percentage of a training in batches when this share of its table is read."""
    return min(PREPARING + int((FITTING - PREPARING) * share), FITTING - 1)


def percent_of_folds(done: int, of: int) -> int:
    """The percentage of a training when so many of its folds are done."""
    return VALIDATING + (COMPILING - VALIDATING) * done // of


def percent_of_curve(done: int, of: int) -> int:
    """The percentage of a training when so many sizes of its learning curve are done."""
    return CURVING + (STORING - 1 - CURVING) * done // of


def show_search(on_step: OnStep, trial: int, of: int) -> None:
    """Tell which measurement of a search begins."""
    percent = PREPARING + (SEARCHED - PREPARING) * (trial - 1) // of
    on_step(f"searching ({trial} of {of})", percent, measured=True)


def after_search(on_step: OnStep) -> OnStep:
    """The steps of the training that follows a search, in the rest of its percentages. None of them is estimated."""

    def told(step: str, percent: int, /, *, measured: bool = False) -> None:  # noqa: ARG001 - as the protocol has it
        done = (percent - PREPARING) * (STORING - SEARCHED) // (STORING - PREPARING)
        on_step(step, SEARCHED + done, measured=True)

    return told


class Turn(NamedTuple):
    """Which of several trainings in one job this is."""

    number: int = 1
    of: int = 1

    def percent(self, percent: int) -> int:
        """The percentage of the job when this training is so far."""
        done = (self.number - 1) * (STORING - PREPARING) + percent - PREPARING
        return PREPARING + done // self.of

    def named(self, step: str) -> str:
        """The step as people see it."""
        return step if self.of == 1 else f"{step} ({self.number} of {self.of})"


ONLY = Turn()
