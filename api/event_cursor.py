"""Where in the history of a job a client is: the `id` of each event, and what comes back as `Last-Event-ID`.

It is made of numbers that the database gives, so any API process can go on where another one stopped.
"""

import re
from typing import NamedTuple, Self

from shared.errors import InvalidRequest
from shared.jobs.marks import Mark

HEADER = "Last-Event-ID"

_FORM = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")


class EventCursor(NamedTuple):
    """The last transition and the last line of the log that the client was told of."""

    event_seq: int = 0
    log_seq: int = 0

    @classmethod
    def read(cls, text: str | None, mark: Mark) -> Self:
        """The place that a header names in the history of a job that has come to `mark`; the beginning without one.

        Raises:
            InvalidRequest: when no event of this job has that id. To go on from a guess could leave out lines, and a
                browser sends only ids that it was given.
        """
        if not text:
            return cls()
        match = _FORM.fullmatch(text)
        cursor = cls(*map(int, match.groups())) if match else None
        if cursor is None or cursor.event_seq > mark.event_seq or cursor.log_seq > mark.log_seq:
            sentence = (
                f"The header {HEADER} is not the id of an event of this job. Send the id of the last event that came, "
                "or leave the header out to get all events."
            )
            raise InvalidRequest(sentence, errors=[{"loc": ["header", HEADER], "msg": sentence}])
        return cursor

    def is_behind(self, mark: Mark) -> bool:
        """Whether there is something that the client was not told of."""
        return self.event_seq < mark.event_seq or self.log_seq < mark.log_seq

    def __str__(self) -> str:
        return f"{self.event_seq}-{self.log_seq}"
