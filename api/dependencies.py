"""What endpoints ask for: the opened parts of the platform, and transactions."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Header, Request
from sqlalchemy.orm import Session

from api.lifespan import Parts


async def get_parts(request: Request) -> Parts:
    """The parts that the lifespan opened. Not a plain function: those are called in a thread of their own."""
    parts: Parts = request.app.state.parts
    return parts


PartsDep = Annotated[Parts, Depends(get_parts)]


def read_session(parts: PartsDep) -> Iterator[Session]:
    """A transaction that only reads; it begins with the first statement."""
    with parts.database.read() as session:
        yield session


def write_session(parts: PartsDep) -> Iterator[Session]:
    """A transaction that begins with the first statement and is committed before the response is sent.

    A commit that fails is an error of the request: the client never sees a success that was not kept.
    """
    with parts.database.write() as session:
        yield session


def registry_session(parts: PartsDep) -> Iterator[Session]:
    """As `write_session`, for changes of what serves: when the response is sent, this process serves by them."""
    with parts.database.write() as session:
        yield session
    parts.cache.catch_up()


# The scope makes the end of the transaction part of the endpoint; by default it comes after the response.
ReadSession = Annotated[Session, Depends(read_session, scope="function")]
# Of writers, few at a time: whoever holds SQLite's write lock needs another thread to end, and must find one while all
# others wait for the lock in theirs.
WriteSession = Annotated[Session, Depends(write_session, scope="function", max_concurrency=8)]
RegistrySession = Annotated[Session, Depends(registry_session, scope="function", max_concurrency=4)]

IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="1 to 255 visible ASCII characters. The same key and body within 24 h answer with the same job.",
    ),
]
