"""What endpoints ask for: the opened parts of the platform, and transactions.

An endpoint with one transaction asks for a session, which is that transaction. An endpoint that waits for something
else between transactions opens each of them itself, by `parts.database`.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Protocol

from anyio import to_thread
from fastapi import BackgroundTasks, Depends, Header, Request
from sqlalchemy.orm import Session

from api.access.credentials import GivenHeaders
from api.lanes import Lanes
from api.parts import Parts
from api.predicting import KnownModels, Predicting
from shared.accounts.sight import Sight
from shared.discarded import remove_now
from shared.prediction.loaded import ServingPlace
from shared.settings import Settings


async def get_parts(request: Request) -> Parts:
    """The parts that the lifespan opened.

    Async, since FastAPI would run a plain function in a thread, which costs more than the function.
    """
    parts: Parts = request.app.state.parts
    return parts


PartsDep = Annotated[Parts, Depends(get_parts)]


class PredictingParts(Protocol):
    """What endpoints that predict need of the parts. A server of one model offers the same, without a platform."""

    @property
    def settings(self) -> Settings:
        """The settings."""

    @property
    def cache(self) -> KnownModels:
        """The models in memory."""

    @property
    def predicting(self) -> Predicting:
        """The threads that predict."""

    @property
    def lanes(self) -> Lanes:
        """The threads for all else."""

    @property
    def spool_folder(self) -> Path:
        """Where the bodies of requests are put while they are read."""

    def active_versions(self, place: ServingPlace) -> list[int]:
        """The versions that are active in a place, as far as that is known."""

    def admits(self, given: GivenHeaders) -> Sight | None:
        """What the sender of these headers sees, if they may predict; None where memory does not tell."""


PredictingPartsDep = Annotated[PredictingParts, Depends(get_parts)]


def read_session(parts: PartsDep) -> Iterator[Session]:
    """A transaction that only reads; it begins with the first statement."""
    with parts.database.read() as session:
        yield session


def write_session(parts: PartsDep) -> Iterator[Session]:
    """A transaction that begins with the first statement and is committed before the response is sent.

    If the commit fails, the request fails: a client never sees a success that was not stored.
    """
    with parts.database.write() as session:
        yield session


def registry_session(parts: PartsDep) -> Iterator[Session]:
    """As `write_session`, for changes of what serves: all processes serve accordingly before the response is sent."""
    with parts.database.write() as session:
        yield session
    parts.freshness.catch_up()


def access_session(parts: PartsDep) -> Iterator[Session]:
    """As `write_session`, for changes of whom a credential belongs to: this process goes by them from the answer on."""
    with parts.database.write() as session:
        yield session
    parts.access.known.forget()


# By this scope the transaction ends before the response is sent, instead of after it.
ReadSession = Annotated[Session, Depends(read_session, scope="function")]
# Few writers at a time. A transaction also needs a thread to end in: if all threads waited for SQLite's write lock, its
# holder would find none, and all would wait forever.
WriteSession = Annotated[Session, Depends(write_session, scope="function", max_concurrency=8)]
AccessSession = Annotated[Session, Depends(access_session, scope="function", max_concurrency=4)]
RegistrySession = Annotated[Session, Depends(registry_session, scope="function", max_concurrency=4)]


def remove_afterwards(background: BackgroundTasks, parts: Parts) -> None:
    """Remove discarded objects once the response is sent, which is after the commit."""
    remove = partial(remove_now, parts.whole_database, parts.store, parts.settings)
    background.add_task(to_thread.run_sync, remove, limiter=parts.lanes.store)


IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="1 to 255 visible ASCII characters. The same key and body within 24 h answer with the same job.",
    ),
]
