"""One seeded run: an installation, clients, faults; then heal, drain and check."""

import shutil
import tempfile
import time
from pathlib import Path
from random import Random

from tests.support.chaos.backends import KINDS, Backends, Kind
from tests.support.chaos.checker import history_of, violations
from tests.support.chaos.cluster import cluster
from tests.support.chaos.figures import Figures, figures_of
from tests.support.chaos.journal import Journal
from tests.support.chaos.load import Load
from tests.support.chaos.nemesis import Nemesis
from tests.support.chaos.tidying import SETTINGS, collect

CLIENTS = 6
_DRAIN_SECONDS = 90


def kind_of(seed: int) -> Kind:
    """Seeds take the kinds of installations by turns."""
    return KINDS[seed % len(KINDS)]


def run_seed(backends: Backends, seed: int, *, seconds: float, keep: Path | None = None) -> Figures:
    """A run with faults for so many seconds; logs of a red one are copied to `keep`."""
    with (
        tempfile.TemporaryDirectory(prefix="mlmini-chaos-", ignore_cleanup_errors=True) as folder,
        cluster(backends, kind_of(seed), Path(folder), workers=3, apis=2, **SETTINGS) as place,
    ):
        journal = Journal(only_with_keys=True)
        load = Load(journal, place.urls, seed=seed, clients=CLIENTS)
        nemesis = Nemesis(place, journal, Random(seed))  # noqa: S311 - it is to be repeatable
        load.start()
        try:
            nemesis.run(seconds)
        finally:
            load.stop()
        began = time.monotonic()
        place.drain(_DRAIN_SECONDS)
        drained = time.monotonic() - began
        place.stop_workers()
        collect(place)
        history = history_of(journal, place, collected=True)
        found = violations(history)
        figures = figures_of(history, nemesis, found, seed=seed, drain_seconds=drained)
        if found and keep is not None:
            _keep(Path(folder), keep / f"seed-{seed}")
    return figures


def _keep(folder: Path, target: Path) -> None:
    """Copy the logs and the database."""
    target.mkdir(parents=True, exist_ok=True)
    for file in [*folder.glob("*.log"), *folder.glob("home/*.db*")]:
        shutil.copy(file, target)
