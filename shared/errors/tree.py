"""The root and the branches of the tree of errors, and how a leaf gets its code."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, TypedDict, Unpack

# How many problems of one request are listed. To make a sentence for each of a million would take seconds.
MOST_PROBLEMS = 100
# How many of them come with a suggestion, where that is looked for among the columns of a table.
MOST_HINTS = 10
# How many of the words that would be taken are listed; a table may have thousands of columns.
MOST_AVAILABLE = 100


class Members(TypedDict, total=False):
    """What the sentence of an error names, for programs; what is None or empty is left out."""

    # The known word that is closest to one that is not known.
    did_you_mean: str | None
    # The words that would be taken.
    available: Iterable[str]
    # How much of it is taken, in the unit that the sentence names, and the setting that decides.
    limit: float
    # How much of it there is already.
    used: float
    setting: str | None
    # How many problems there are, where there are several; `errors` lists the first of them.
    problem_count: int | None
    # The seconds after which to ask again, where that is known.
    retry_after: int


class PlatformError(Exception):
    """Root of all errors that the platform raises on purpose."""

    code = "error"
    title = "Error"
    hint = ""

    def __init_subclass__(cls) -> None:
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", cls.__name__).split()
        cls.code = "_".join(words).lower()
        cls.title = " ".join(words).capitalize()

    def __init__(
        self, detail: str = "", *, errors: list[dict[str, Any]] | None = None, **members: Unpack[Members]
    ) -> None:
        """`errors` lists single problems as `{"loc": [...], "msg": "..."}` where there may be several."""
        self.detail = detail or f"{' '.join((type(self).__doc__ or '').split())} {self.hint}".strip()
        self.errors = errors or []
        if "available" in members:
            members["available"] = list(islice(members["available"], MOST_AVAILABLE))
        self.members: dict[str, Any] = {name: value for name, value in members.items() if value not in (None, [])}
        super().__init__(self.detail)


class Invalid(PlatformError):
    """What was asked cannot be right."""


class Unknown(PlatformError):
    """It names something that is not there."""


class Gone(Unknown):
    """It was there, and was removed for good."""


class Conflict(PlatformError):
    """The request is right in itself, but not in the present state."""


class TooLarge(PlatformError):
    """It is over a limit."""


class LimitPolicy(NamedTuple):
    """What is counted where there may be only so many."""

    name: str
    quota: int
    # For how many seconds the quota is; None where it is what there may be at a time.
    window: int | None = None
    # What is counted, where it is not requests.
    unit: str | None = None


class TooMany(PlatformError):
    """It is more than one may send or have, or than there may be."""

    def __init__(self, detail: str = "", *, policy: LimitPolicy | None = None, **members: Unpack[Members]) -> None:
        """`policy` is what is used up, for programs that know such policies."""
        super().__init__(detail, **members)
        self.policy = policy


class WrongMediaType(PlatformError):
    """The content type is not taken here."""


class Unavailable(PlatformError):
    """A part that the platform needs does not answer; try again later."""


class Permanent(PlatformError):
    """A job met something that another try cannot change."""


class WrongSettings(PlatformError):
    """A setting is missing or wrong; the process cannot start."""

    hint = "Set what the sentence names, as the table of the README says, and start it again."


def leaves(root: type[PlatformError] = PlatformError) -> Iterator[type[PlatformError]]:
    """Every error class below `root` that has no subclasses: the ones with a code for clients."""
    for child in root.__subclasses__():
        if child.__subclasses__():
            yield from leaves(child)
        else:
            yield child


def error_of_code(code: str) -> type[PlatformError]:
    """The class whose code this is.

    Raises:
        KeyError: when there is none.
    """
    return {leaf.code: leaf for leaf in leaves()}[code]
