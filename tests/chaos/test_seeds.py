"""A few seeds of the chaos run, one for each kind of installation; `make chaos` runs many more."""

import pytest

from tests.support.chaos.ground import KINDS, Ground
from tests.support.chaos.run import kind_of, run_seed

pytestmark = [pytest.mark.usefixtures("uncounted"), pytest.mark.timeout(300)]

SECONDS = 6
SEEDS = (1, 2, 3, 4)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed {seed} on {kind_of(seed)}")
def test_under_load_and_faults_no_job_is_lost_and_none_is_doubled(ground: Ground, seed: int) -> None:
    figures = run_seed(ground, seed, seconds=SECONDS)
    assert figures.violations == []
    # Otherwise nothing was shown.
    assert figures.accepted > 0
    assert figures.faults.total() > 0


def test_the_seeds_cover_every_kind_of_installation() -> None:
    assert {kind_of(seed) for seed in SEEDS} == set(KINDS)
