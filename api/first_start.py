"""Adds the bundled examples to the catalog at the first start, so that whoever tries the API has data at once.

An example that is deleted later stays deleted: a counter remembers that it was added once.
"""

import threading
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.counters import CounterRow
from shared.database import Database
from shared.datasets.examples import EXAMPLES, catalogue_example
from shared.logging import get_logger
from shared.object_store import ObjectStore
from shared.settings import Settings
from shared.tables.reader import Reader
from shared.upsert import insert_missing

log = get_logger(__name__)

# Longer than one example takes, but the end of the process must not wait for a store that hangs.
_CLOSE_SECONDS = 3
_MARK = "example:"


class AlreadyDone(Exception):
    """The example was added before, by this process or another one."""


class FirstStart:
    """Adds the examples in the background; any number of processes may do so at the same time."""

    def __init__(self, database: Database, store: ObjectStore, reader: Reader, settings: Settings) -> None:
        self._database = database
        self._store = store
        self._reader = reader
        self._settings = settings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.catalogue, name="examples", daemon=True)

    def start(self) -> None:
        """Begin, and return at once."""
        self._thread.start()

    def close(self) -> None:
        """Begin no further example, and wait a moment for the one that is under way."""
        self._stop.set()
        self._thread.join(timeout=_CLOSE_SECONDS)

    def catalogue(self, done: Collection[str] | None = None) -> None:
        """Add the examples that are not `done` yet; if something is in the way, log it."""
        try:
            done = self.done() if done is None else done
            for name in EXAMPLES:
                if name not in done and not self._stop.is_set():
                    self._catalogue(name)
        except Exception as error:  # noqa: BLE001 - whatever is in the way, the API goes on without them
            if not self._stop.is_set():
                log.warning("examples_not_catalogued", reason=str(error), next_try="at the next start")

    def done(self) -> set[str]:
        """The examples that were added once."""
        with self._database.read() as session:
            marks = session.scalars(select(CounterRow.name).where(CounterRow.name.startswith(_MARK)))
            return {mark.removeprefix(_MARK) for mark in marks}

    def _catalogue(self, name: str) -> None:
        try:
            catalogue_example(
                name,
                database=self._database,
                store=self._store,
                reader=self._reader,
                settings=self._settings,
                mark=lambda session: _mark(session, name),
            )
        except AlreadyDone:
            return
        log.info("example_catalogued", dataset=name)


def _mark(session: Session, name: str) -> None:
    """Remember an example in the transaction that adds it: of many processes, only one succeeds.

    Raises:
        AlreadyDone: when another process was faster. The example may have been deleted since.
    """
    row = insert_missing(session, CounterRow).values(name=f"{_MARK}{name}", value=1)
    if session.execute(row.returning(CounterRow.name)).one_or_none() is None:
        raise AlreadyDone
