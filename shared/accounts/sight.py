"""What the caller may see: what belongs to a team is visible to its members only."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Sight:
    """The teams whose datasets are visible, besides those that belong to no team; None for all teams."""

    teams: frozenset[str] | None

    def sees(self, team: str | None) -> bool:
        """Whether things of this team, or of none, are visible."""
        return team is None or self.teams is None or team in self.teams


ALL_SEEING = Sight(None)
# The sight of those of whom nothing is known.
NO_TEAM = Sight(frozenset())

_WHOLE = "whole"
# The platform's own work sees everything. Work for somebody runs in a `seeing` block.
_current: ContextVar[Sight] = ContextVar("sight", default=ALL_SEEING)


def current_sight() -> Sight:
    """The sight that holds here; tasks and threads inherit it from what starts them."""
    return _current.get()


class seeing:  # noqa: N801 - used as a verb, as those of contextlib are
    """Give the block this sight. A class: each prediction needs one, and a generator takes three times as long."""

    __slots__ = ("_sight", "_token")

    def __init__(self, sight: Sight) -> None:
        self._sight = sight

    def __enter__(self) -> None:
        self._token = _current.set(self._sight)

    def __exit__(self, *_error: object) -> None:
        _current.reset(self._token)


@contextmanager
def whole(session: Session) -> Iterator[None]:
    """Have the queries of a session see everything within the block, for checks whose findings nobody is shown."""
    session.info[_WHOLE] = True
    try:
        yield
    finally:
        session.info[_WHOLE] = False


def is_whole(session: Session) -> bool:
    """Whether the queries of a session see everything now."""
    return bool(session.info.get(_WHOLE, False))
