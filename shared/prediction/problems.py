"""Collects everything that is wrong with an input, so that the client hears of all of it at once."""

from collections.abc import Callable
from typing import Any

from shared.errors import MOST_HINTS, MOST_PROBLEMS, InvalidInput, MissingNotAllowed


class InputProblems:
    """Counts all problems and keeps the first of them with their places."""

    def __init__(self, *root: str) -> None:
        """`root` is where all places are below; by default in the input of a request in JSON."""
        self._root = root or ("body", "input_data")
        self._listed: list[dict[str, Any]] = []
        self._count = 0
        self._only_missing = True

    @property
    def count(self) -> int:
        """How many there are."""
        return self._count

    @property
    def suggests(self) -> bool:
        """Whether the next problem may come with a suggestion: to look for one takes a while."""
        return self._count < MOST_HINTS

    def add(self, place: tuple[str | int, ...], sentence: str | Callable[[], str], *, missing: bool = False) -> None:
        """Note one problem at a place below the root; a sentence that takes a while is made if it is listed."""
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
        first = str(self._listed[0]["msg"])
        if self._count == 1:
            raise error(first, errors=self._listed)
        raise error(self._detail(first), errors=self._listed, problem_count=self._count)

    def _detail(self, first: str) -> str:
        listed = "" if self._count <= MOST_PROBLEMS else f" The first {MOST_PROBLEMS} are listed."
        return f"The input has {self._count} problems.{listed} The first one: {first}"
