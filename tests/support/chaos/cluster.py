"""A cluster for faults: real processes and servers that a test may kill, stop, cut off and repair."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from pydantic import SecretStr
from sqlalchemy import select

from shared.errors import DatabaseUnavailable
from shared.jobs.rows import JobRow
from shared.jobs.states import TERMINAL
from tests.support.chaos.arming import Arms
from tests.support.chaos.backends import POSTGRESQL, Backends, Kind
from tests.support.chaos.locks import Lock
from tests.support.chaos.network import STORE, by_proxies, ports
from tests.support.chaos.nodes import Nodes
from tests.support.proxy import Proxy, proxy_to
from tests.support.server import Server, running
from tests.support.servers import Valkey
from tests.support.site import FAST, site


@dataclass(kw_only=True)
class Cluster(Nodes):
    """The processes, the servers that they stand on, and the proxies between: `settings` have the proxies' ports."""

    backends: Backends
    kind: Kind
    # By DATABASE, REDIS and STORE; only what has a port.
    proxies: dict[str, Proxy]
    _locks: list[Lock] = field(default_factory=list)

    @property
    def servers(self) -> list[Server]:
        """The servers that the installation stands on."""
        on: list[Server] = [self.site.valkey]
        if self.kind.database == POSTGRESQL:
            on.append(self.backends.postgres)
        if STORE in self.proxies:
            on.append(self.backends.s3)
        return on

    def arm(self, point: str, action: str) -> Path:
        """Let the next process that comes to a fail point meet a fault; the file is gone once one has."""
        return self.arms.arm(point, action)

    def lock_database(self) -> Lock:
        """Hold the database locked against writers until `heal`, or until the lock is released."""
        lock = Lock(self.site.database)
        lock.take()
        self._locks.append(lock)
        return lock

    def take_store_away(self) -> None:
        """Let nobody reach the object store: no connection, or for a local store a file in the place of its folder."""
        if STORE in self.proxies:
            self.proxies[STORE].down()
        elif not self._away.exists():
            self._store.rename(self._away)
            self._store.touch()

    def bring_store_back(self) -> None:
        """The opposite of `take_store_away`."""
        if STORE in self.proxies:
            self.proxies[STORE].up()
        elif self._away.exists():
            self._store.unlink()
            self._away.rename(self._store)

    def heal(self) -> None:
        """Put everything back: nothing is armed, locked, cut off, stopped or dead any more when this returns."""
        self.restore()
        self.revive()
        self.wait_until_ready()

    def restore(self) -> None:
        """The same for all but the platform's own processes: what they meet is whole again."""
        self.arms.disarm()
        for lock in self._locks:
            lock.release()
        self._locks.clear()
        self.bring_store_back()
        for proxy in self.proxies.values():
            proxy.heal()
        for server in self.servers:
            if server.process is None or server.process.poll() is not None:
                server.start()
            psutil.Process(server.pid).resume()

    def drain(self, timeout: float) -> bool:
        """Wait until every job has ended, while the dead are replaced; False when the time is over before."""
        deadline = time.monotonic() + timeout
        while self.unfinished():
            if time.monotonic() > deadline:
                return False
            self.revive()
            time.sleep(0.1)
        return True

    def unfinished(self) -> list[UUID]:
        """The jobs that have not ended."""
        query = select(JobRow.id).where(JobRow.status.not_in(TERMINAL))
        while True:
            try:
                with self.site.database.read() as session:
                    return list(session.scalars(query))
            except DatabaseUnavailable:
                time.sleep(0.1)

    def close(self) -> None:
        """Leave the servers that others use as they were, and no API process; the workers end with the site."""
        self.restore()
        for api in self.apis:
            api.remove()

    @property
    def _store(self) -> Path:
        return self.settings.home / "store"

    @property
    def _away(self) -> Path:
        return self.settings.home / "away-store"


@contextmanager
def cluster(
    backends: Backends, kind: Kind, folder: Path, *, workers: int = 2, apis: int = 1, **changes: Any
) -> Iterator[Cluster]:
    """An installation with short leases, ready for work; `changes` are settings. Nothing of it is left at the end."""
    with ExitStack() as stack:
        valkey = Valkey()
        stack.enter_context(running(valkey))
        settings = stack.enter_context(backends.settings(kind, folder / "home"))
        settings = settings.model_copy(update={"redis_url": SecretStr(valkey.url), **FAST, **changes})
        built = stack.enter_context(site(settings, valkey, folder))
        proxies = {name: stack.enter_context(proxy_to(port)) for name, port in ports(backends, kind, valkey).items()}
        made = Cluster(
            site=built,
            settings=by_proxies(settings, proxies),
            arms=Arms(folder / "arms"),
            backends=backends,
            kind=kind,
            proxies=proxies,
        )
        stack.callback(made.close)
        for _ in range(workers):
            made.launch_worker()
        for _ in range(apis):
            made.launch_api()
        made.wait_until_ready()
        yield made
