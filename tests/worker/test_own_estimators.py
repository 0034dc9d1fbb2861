"""Own packages as a worker looks at them: in a process that may die, with what it found kept for the API."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.database import Database
from shared.errors import LibraryNotInstalled
from shared.estimators.catalogue import all_estimators, know_own
from shared.estimators.own.declared import OwnClass, declared
from shared.estimators.own.rows import keep, problems_found, refresh
from shared.sandbox import Sandbox
from tests.support.own_package import install
from tests.support.training_tables import spec_of
from worker.own_estimators import described, own_of
from worker.runtime import Runtime

DEADLY = "import os\nos._exit(3)\n"
ENDLESS = "import time\ntime.sleep(600)\n"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    know_own([])


def own_keys() -> list[str]:
    return [estimator.key for estimator in all_estimators() if estimator.own]


@pytest.mark.any_stack
def test_a_package_that_kills_its_process_or_never_ends_is_told_and_the_others_are_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = install(tmp_path / "packages")
    install(packages, source=DEADLY, module="deadly")
    install(packages, source=ENDLESS, module="endless")
    monkeypatch.setenv("PYTHONPATH", str(packages))
    monkeypatch.syspath_prepend(packages)
    classes = declared(())
    with closing(Sandbox("worker.computation:main", scratch=tmp_path)) as sandbox:
        sandbox.start()
        found = described(sandbox, tmp_path / "run", classes, memory_mb=2048, seconds=5)
    assert list(found.estimators) == ["our_models:NearestMean"]
    assert found.problems == {
        "deadly:NearestMean": "Its import did not end well: exit code 3.",
        "endless:NearestMean": "Its import did not end well: it took too long.",
    }
    assert not (tmp_path / "run").exists()


def test_what_was_described_last_is_what_a_process_knows(database: Database) -> None:
    light = next(estimator for estimator in all_estimators() if estimator.name == "LGBMRegressor")
    own = light.model_copy(update={"module": "our_models", "name": "Own", "own": True, "library": "our-models"})
    first, second = (OwnClass("our_models:Own", "our-models", release) for release in ("1.0", "1.1"))
    for found, described_as, problem in (
        (first, own.model_copy(update={"summary": "older"}), None),
        (second, None, "ImportError: no"),
        (second, own, None),
    ):
        with database.write() as session:
            keep(session, found, description=described_as, problem=problem)
    with database.read() as session:
        refresh(session)
        assert problems_found(session, [first, second, OwnClass("a:B", "a", "1")]) == {"our_models:Own": None}
    assert own_keys() == ["our_models.Own"]
    assert own in list(all_estimators())


def test_a_worker_without_the_package_says_so(database: Database) -> None:
    light = next(estimator for estimator in all_estimators() if estimator.name == "LGBMRegressor")
    own = light.model_copy(update={"module": "our_models", "name": "Own", "own": True, "library": "our-models"})
    with database.write() as session:
        keep(session, OwnClass("our_models:Own", "our-models", "1.0"), description=own, problem=None)
    runtime: Any = SimpleNamespace(database=database, settings=SimpleNamespace(estimators=()))
    with pytest.raises(LibraryNotInstalled, match="of the package our-models, which is not installed with the worker"):
        own_of(cast("Runtime", runtime), [spec_of("our_models.Own")])
    assert own_of(cast("Runtime", runtime), [spec_of("tree.DecisionTreeRegressor")]) == []
