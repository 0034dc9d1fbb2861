"""Whose eyes the platform looks with: what belongs to teams is there for their members only."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Sight:
    """The teams whose datasets are seen beside those that belong to none; with None, all of them."""

    teams: frozenset[str] | None

    def sees(self, team: str | None) -> bool:
        """Whether what belongs to a team, or to none, is seen."""
        return team is None or self.teams is None or team in self.teams


ALL_SEEING = Sight(None)
# Of those of whom nothing is known.
NO_TEAM = Sight(frozenset())

_WHOLE = "whole"
# The platform's own work sees everything. What is done for somebody begins with `seeing`.
_current: ContextVar[Sight] = ContextVar("sight", default=ALL_SEEING)


def current_sight() -> Sight:
    """Whose eyes count here; tasks and threads that are begun for somebody inherit it."""
    return _current.get()


class seeing:  # noqa: N801 - used as a verb, as those of contextlib are
    """Look with these eyes within the block. A class, as each prediction has one: a generator takes thrice the time."""

    __slots__ = ("_sight", "_token")

    def __init__(self, sight: Sight) -> None:
        self._sight = sight

    def __enter__(self) -> None:
        self._token = _current.set(self._sight)

    def __exit__(self, *_error: object) -> None:
        _current.reset(self._token)


@contextmanager
def whole(session: Session) -> Iterator[None]:
    """Have queries of a session count everything within the block, whoever asks: nobody is told what they find."""
    session.info[_WHOLE] = True
    try:
        yield
    finally:
        session.info[_WHOLE] = False


def is_whole(session: Session) -> bool:
    """Whether queries of a session count everything now."""
    return bool(session.info.get(_WHOLE, False))
