"""What a janitor does long after a run, as far as objects are concerned."""

import time
from typing import Any

from sqlalchemy import update

from shared.clock import Now
from shared.registry.orphan_collector import OrphanCollector
from shared.registry.rows import OrphanRow
from tests.support.chaos.cluster import Cluster

# What an installation is to have for this to be a matter of seconds: how often a janitor comes, and the grace.
SETTINGS: dict[str, Any] = {"janitor_seconds": 2.0, "orphan_hours": 3 / 3600}
_ROUND_SECONDS = 0.5


def collect(cluster: Cluster) -> None:
    """Have everything deleted that may be, once the workers have stopped."""
    with cluster.site.database.write() as session:
        # A removal that somebody died in is waited for, for minutes; those are over.
        session.execute(update(OrphanRow).where(OrphanRow.removal_until.is_not(None)).values(removal_until=Now(-1)))
    collector = OrphanCollector(cluster.site.database, cluster.site.store, cluster.site.settings)
    deadline = time.monotonic() + 3600 * cluster.site.settings.orphan_hours + 10
    while (found := collector.collect()).orphans > found.deleted and time.monotonic() < deadline:
        time.sleep(_ROUND_SECONDS)
