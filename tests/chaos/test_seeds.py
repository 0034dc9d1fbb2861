"""Two seeds of the chaos run; `make chaos` runs many more.

Tests of single faults stand on SQLite with a local store and on PostgreSQL with S3; here the two are crossed.
"""

import pytest

from tests.support.chaos.backends import KINDS, Backends
from tests.support.chaos.run import kind_of, run_seed

pytestmark = [pytest.mark.usefixtures("uncounted"), pytest.mark.timeout(300)]

SECONDS = 6
SEEDS = (2, 3)


@pytest.mark.parametrize(
    "seed",
    [SEEDS[0], *(pytest.param(seed, marks=pytest.mark.thorough) for seed in SEEDS[1:])],
    ids=lambda seed: f"seed {seed} on {kind_of(seed)}",
)
def test_under_load_and_faults_no_job_is_lost_and_none_is_doubled(backends: Backends, seed: int) -> None:
    figures = run_seed(backends, seed, seconds=SECONDS)
    assert figures.violations == []
    # Otherwise nothing was shown.
    assert figures.accepted > 0
    assert figures.faults.total() > 0


def test_the_seeds_cover_every_database_and_every_store() -> None:
    databases, stores = zip(*map(kind_of, SEEDS), strict=True)
    assert set(databases) == {kind.database for kind in KINDS}
    assert set(stores) == {kind.store for kind in KINDS}


def test_four_seeds_in_a_row_cover_every_kind_of_installation() -> None:
    assert {kind_of(seed) for seed in range(7, 11)} == set(KINDS)
