"""Everything that is wrong with the form of a message, collected so that the client hears of all of it at once."""

from typing import Any

from api.http.validation import counted
from shared.errors import MOST_PROBLEMS, InvalidRequest

Place = tuple[str | int, ...]


class MessageProblems:
    """Counts all problems and keeps the first of them with their places in the body."""

    def __init__(self) -> None:
        self._listed: list[dict[str, Any]] = []
        self._count = 0

    def add(self, place: Place, sentence: str) -> None:
        """Note one problem."""
        self._count += 1
        if self._count <= MOST_PROBLEMS:
            self._listed.append({"loc": ["body", *place], "msg": sentence})

    def raise_if_any(self) -> None:
        """Refuse the message if anything is wrong with it.

        Raises:
            InvalidRequest: naming each place.
        """
        if self._count:
            more, count = counted(self._count)
            raise InvalidRequest(f"{self._listed[0]['msg']}{more}", errors=self._listed, problem_count=count)
