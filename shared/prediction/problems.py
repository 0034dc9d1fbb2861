"""Collects everything that is wrong with an input, so that the client hears of all of it at once."""

from collections.abc import Callable, Iterable
from typing import Any

from shared.errors import MOST_HINTS, MOST_PROBLEMS, InvalidInput, Members, MissingNotAllowed
from shared.estimators.signature import Signature
from shared.prediction.cells import short

_MOST_NAMES = 20


class InputProblems:
    """Counts all problems and keeps the first of them with their places."""

    def __init__(self, *root: str) -> None:
        """`root` is the beginning of all places; by default that of the input of a JSON request."""
        self._root = root or ("body", "input_data")
        self._listed: list[dict[str, Any]] = []
        self._count = 0
        self._only_missing = True
        self._members: Members = {}

    @property
    def count(self) -> int:
        """How many there are."""
        return self._count

    @property
    def suggests(self) -> bool:
        """Whether the next problem may come with a suggestion: to look for one takes a while."""
        return self._count < MOST_HINTS

    def add_unknown(
        self,
        place: tuple[str | int, ...],
        sentence: str | Callable[[], str],
        *,
        near: str | None,
        known: Iterable[str],
    ) -> None:
        """Note a name that is not one of the known ones; `near` is the one that may have been meant."""
        if not self._count:
            self._members = {"did_you_mean": near, "available": known}
        self.add(place, sentence)

    def add(self, place: tuple[str | int, ...], sentence: str | Callable[[], str], *, missing: bool = False) -> None:
        """Note one problem at a place below the root; one that is slow to make is a function, called if listed."""
        self._count += 1
        self._only_missing = self._only_missing and missing
        if len(self._listed) < MOST_PROBLEMS:
            said = sentence if isinstance(sentence, str) else sentence()
            self._listed.append({"loc": [*self._root, *place], "msg": said})

    def raise_if_any(self) -> None:
        """Refuse the input if anything is wrong with it.

        Raises:
            MissingNotAllowed: when missing values are all that is wrong.
            InvalidInput: otherwise.
        """
        if not self._count:
            return
        error = MissingNotAllowed if self._only_missing else InvalidInput
        if self._count > 1:
            self._members["problem_count"] = self._count
        raise error(self._detail(), errors=self._listed, **self._members)

    def _detail(self) -> str:
        first = str(self._listed[0]["msg"])
        if self._count == 1:
            return first
        listed = "" if self._count <= MOST_PROBLEMS else f" The first {MOST_PROBLEMS} are listed."
        return f"The input has {self._count} problems.{listed} The first one: {first}"


def named(version: int, signature: Signature) -> str:
    """The model with version and target: who made an input for another one sees why it does not fit."""
    return f"model (version {version}, which predicts '{short(signature.target)}')"


def listed(names: list[str]) -> str:
    """Names of columns, the first of very many."""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(map(short, names[:_MOST_NAMES])) + more
