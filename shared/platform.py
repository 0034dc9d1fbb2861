"""Opens what every process of the platform works with, always in the same order."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

from shared.audit.chain import audit_key_of, use_key
from shared.audit.verifying import is_backwards
from shared.database import Database
from shared.database_access import open_database
from shared.database_file import protect_database
from shared.errors import StoreUnavailable
from shared.home import prepare_home
from shared.logging import get_logger
from shared.migration import check_schema
from shared.object_store import ObjectStore, open_store
from shared.queue import JobQueue
from shared.registry.artifact_keys import open_artifact_key
from shared.registry.sealing import ArtifactKey
from shared.settings import Settings

log = get_logger(__name__)


@dataclass(frozen=True)
class Platform:
    """The settings and what they lead to: database, object store, the key of artifacts, and the queue."""

    settings: Settings
    database: Database
    store: ObjectStore
    key: ArtifactKey
    queue: JobQueue

    @classmethod
    def open(cls, settings: Settings, stack: ExitStack, *, store_may_be_away: bool = False) -> Self:
        """Open all of it; `stack` closes it in reverse order.

        With `store_may_be_away`, an object store that does not answer is logged: it is contacted again when needed.

        Raises:
            WrongSettings: when a setting leads nowhere, other users can change what it leads to, or the database's
                schema is not the one of this release.
            Unavailable: when the database or the object store does not answer.
        """
        prepare_home(settings.home)
        prepare_home(settings.scratch)
        database = open_database(settings)
        stack.callback(database.close)
        protect_database(settings)
        check_schema(database)
        store = open_store(settings)
        stack.callback(store.close)
        try:
            store.prepare()
        except StoreUnavailable as error:
            if not store_may_be_away:
                raise
            log.warning("object_store_unavailable", detail=error.detail)
        key = open_artifact_key(settings, database)
        use_key(database, audit_key_of(key))
        with database.read() as session:
            if is_backwards(session, audit_key_of(key)):
                # `mlmini doctor` and `mlmini audit verify` say what that means.
                log.warning("record_goes_on_with_an_older_key", key=key.id)
        queue = JobQueue(settings)
        stack.callback(queue.close)
        return cls(settings=settings, database=database, store=store, key=key, queue=queue)
