"""Trainings on a real Dask cluster: the numbers are those of one core here, and no fault of the cluster is silent."""

import shutil
import subprocess
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pytest

from cli.doctor import cluster as doctor
from shared.errors import DaskUnreachable, DaskWorkersDiffer
from shared.settings import Settings
from shared.training.cluster import cluster as watched
from shared.training.cluster import task
from shared.training.cluster.address import ClusterAddress
from shared.training.cluster.cluster import Cluster
from shared.training.cluster.joining import joined, joined_cluster, members_side_by_side
from shared.training.cluster.release import release_here
from shared.training.cluster.task import Surroundings, run_there
from shared.training.search import side_by_side
from shared.training.trainer import Trained
from tests.support.certificates import made
from tests.support.dask_cluster import DaskCluster, dask_cluster
from tests.support.server import free_ports
from tests.support.training_tables import numeric_amounts, numeric_classes, trained
from tests.support.waiting import eventually
from tests.unit.test_search import sought, told

pytestmark = pytest.mark.any_stack

FOREST = "ensemble.RandomForestClassifier"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Two workers, which nobody kills."""
    with dask_cluster(tmp_path_factory.mktemp("dask")) as started:
        both_there(started)
        yield started


def both_there(cluster: DaskCluster) -> None:
    def joining() -> bool:
        with on(cluster):
            return workers() == 2

    eventually(joining, what="both workers have joined")


@contextmanager
def on(cluster: DaskCluster, *, seconds: float = 60) -> Iterator[None]:
    with joined(ClusterAddress(scheduler=cluster.address), lambda _line: None, seconds=seconds):
        yield


def workers() -> int:
    found = joined_cluster()
    assert found is not None
    return found.workers


def search(method: str, **more: Any) -> Trained:
    return sought("linear_model.Ridge", numeric_amounts(rows=90), method=method, trials=6, **more)


def given_to(monkeypatch: pytest.MonkeyPatch, method: str) -> list[Any]:
    """What a method of the cluster is called with, which it does as ever."""
    given: list[Any] = []
    real = getattr(Cluster, method)

    def heard(self: Cluster, thing: Any) -> Any:
        given.append(thing)
        return real(self, thing)

    monkeypatch.setattr(Cluster, method, heard)
    return given


@pytest.mark.parametrize("method", ["random", pytest.param("halving", marks=pytest.mark.thorough), "optuna"])
def test_a_search_on_a_cluster_finds_what_it_finds_here(cluster: DaskCluster, method: str) -> None:
    here = search(method)
    with on(cluster):
        there = search(method)
    assert [(each.params, each.mean, each.std, each.rank) for each in told(there).candidates] == [
        (each.params, each.mean, each.std, each.rank) for each in told(here).candidates
    ]
    assert told(there).model_dump(exclude={"seconds", "candidates", "defaults"}) == told(here).model_dump(
        exclude={"seconds", "candidates", "defaults"}
    )
    assert there.facts.metrics == here.facts.metrics
    assert there.facts.parameters == here.facts.parameters
    assert there.facts.report["notes"] == [*here.facts.report["notes"], there.facts.report["notes"][-1]]
    assert there.facts.report["notes"][-1].startswith(
        "Dask: 2 workers computed 14 tasks" if method == "random" else "Dask: 2"
    )


@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        (FOREST, {"n_estimators": 40, "random_state": 3}),
        pytest.param("ensemble.BaggingClassifier", {"n_estimators": 8}, marks=pytest.mark.thorough),
        (
            "ensemble.VotingClassifier",
            {
                "estimators": [
                    [
                        "forest",
                        {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 5}},
                    ],
                    ["line", {"module": "linear_model", "class": "LogisticRegression", "params": {"max_iter": 2}}],
                ]
            },
        ),
    ],
    ids=["forest", "bagging", "voting"],
)
def test_members_that_are_fitted_on_a_cluster_make_the_model_that_is_fitted_here(
    cluster: DaskCluster, estimator: str, params: dict[str, Any]
) -> None:
    table = numeric_classes(rows=90).assign(city=["Oslo", "Lyon", "Bonn"] * 30)
    here = trained(estimator, table, params=params)
    with on(cluster):
        there = trained(estimator, table, params=params)
    assert there.facts.metrics == here.facts.metrics
    assert (here.facts.pin, there.facts.pin) != (None, None)
    assert there.facts.pin == here.facts.pin
    # Those of members come from the workers.
    assert there.facts.report["warnings"] == here.facts.report["warnings"]
    assert there.facts.report["notes"][-1].startswith("Dask: 2 workers computed ")


def test_what_has_no_members_is_fitted_here_and_says_so(cluster: DaskCluster) -> None:
    with on(cluster):
        there = trained("tree.DecisionTreeClassifier", numeric_classes())
    assert "nothing of this training was computed on the cluster" in there.facts.report["notes"][-1]


def test_large_arguments_of_members_are_sent_once(cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    placed = given_to(monkeypatch, "place")
    large = np.ones(100_000)
    with on(cluster), members_side_by_side():
        sums = joblib.Parallel()(joblib.delayed(np.dot)(large, large) for _ in range(8))
    assert sums == [100_000.0] * 8
    assert [each is large for each in placed] == [True]


def test_an_error_of_a_member_is_the_one_that_is_raised_here(cluster: DaskCluster) -> None:
    with on(cluster), members_side_by_side(), pytest.raises(ZeroDivisionError):
        joblib.Parallel()(joblib.delayed(divmod)(1, number % 3) for number in range(9))


def test_warnings_of_members_are_warned_of_here(cluster: DaskCluster) -> None:
    with on(cluster), members_side_by_side(), pytest.warns(UserWarning, match="of a member"):
        joblib.Parallel()(joblib.delayed(warnings.warn)("of a member") for _ in range(2))


def test_tasks_that_are_given_up_do_not_go_on_there(cluster: DaskCluster, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with on(cluster):
        found = joined_cluster()
        assert found is not None
        busy = [
            found.submit(subprocess.run, ["sh", "-c", f"until [ -e {gate} ]; do sleep 0.05; done"]) for _ in range(2)
        ]
        waiting = [found.submit(Path.touch, tmp_path / f"begun-{number}") for number in range(20)]
        found.cancel(waiting)
        # Those of the workers, which hear of it after the scheduler.
        eventually(lambda: sum(map(len, _tasks_of_workers(found))) == 2, what="only the first ones are there")
        gate.touch()
        for promise in [*busy, *(found.submit(len, "last") for _ in range(2))]:
            promise.result(timeout=60)
    assert list(tmp_path.glob("begun-*")) == []


def _tasks_of_workers(found: Cluster) -> Iterable[list[str]]:
    tasks: dict[str, list[str]] = found._client.run(lambda dask_worker: list(dask_worker.state.tasks))
    return tasks.values()


def test_a_search_whose_time_is_over_takes_what_is_done_and_leaves_nothing_behind(
    cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, given_up = threading.Event(), given_to(monkeypatch, "cancel")
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + (7200 if late.is_set() else 0))
    monkeypatch.setattr(side_by_side, "time", clock)

    def hear(step: str, _percent: int, *, measured: bool = False) -> None:
        if step.startswith("searching (4 of"):
            late.set()

    with on(cluster):
        found = told(
            sought(
                "ensemble.GradientBoostingClassifier",
                numeric_classes(rows=300),
                params={"n_estimators": 20},
                method="grid",
                space={"max_depth": [2, 3, 4, 5], "min_samples_leaf": list(range(1, 31))},
                time_limit=3600,
                hear=hear,
            )
        )
    assert found.stopped
    assert 3 <= found.trials_done < 120
    assert 240 in map(len, given_up)


@pytest.mark.parametrize("library", ["scikit-learn", "platform"])
def test_a_cluster_with_another_release_is_refused_with_both_named(
    cluster: DaskCluster, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = release_here()[library]
    monkeypatch.setattr(task, "release_here", lambda names: {**release_here(names), library: "0.0"})
    said = rf"of the Dask cluster has {library} {found.split()[0]}.* instead of 0\.0"
    with pytest.raises(DaskWorkersDiffer, match=said), on(cluster):
        pass


def test_a_worker_that_joined_later_looks_at_its_own_releases() -> None:
    asked = Surroundings({**release_here(), "numpy": "0.0"})
    with pytest.raises(DaskWorkersDiffer, match=r"A worker of the Dask cluster has numpy \S+ instead of 0\.0"):
        run_there(asked, len, "anything")
    assert run_there(Surroundings(release_here()), len, "four") == 4


def test_the_doctor_tells_of_the_cluster(cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_SECONDS", 60)
    found = doctor.check_dask(Settings(dask_scheduler=cluster.address))
    assert found.found == f"{cluster.address}: 2 workers with the releases of this machine"
    with pytest.raises(DaskUnreachable, match=r"does not answer .*Connection refused"):
        doctor.check_dask(Settings(dask_scheduler=f"tcp://127.0.0.1:{free_ports(1)[0]}"))


@pytest.mark.thorough
def test_a_cluster_without_workers_or_platform_or_scheduler_ends_a_training_in_words(tmp_path: Path) -> None:
    with dask_cluster(tmp_path, workers=0) as mortal:
        with pytest.raises(DaskUnreachable, match="does not answer"), on(mortal, seconds=0.5):
            pass
        mortal.start_worker("bare", has_platform=False)
        with pytest.raises(DaskWorkersDiffer, match="does not have the platform installed"), on(mortal):
            pass
        mortal.kill("bare")
        mortal.start_worker("first")
        with pytest.raises(DaskUnreachable, match="was lost in the middle of the job"), on(mortal):
            searching_while_killed(mortal, "scheduler")


@pytest.mark.thorough
def test_workers_that_die_end_a_training_in_words_unless_others_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "_PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(watched, "_LOOK_SECONDS", 0.1)
    with dask_cluster(tmp_path, workers=0) as mortal:
        mortal.start_worker("first")
        with pytest.raises(DaskUnreachable, match="it has lost what it was computing"), on(mortal):
            searching_while_killed(mortal, "first")
        mortal.start_worker("second")
        with on(mortal):
            found = joined_cluster()
            assert found is not None
            mortal.kill("second")
            promise = found.submit(len, "nobody is there")
            with pytest.raises(DaskUnreachable, match=r"it has had no worker for 0\.5 s"):
                promise.result(timeout=60)
            with pytest.raises(DaskUnreachable, match="was lost in the middle of the job"):
                found.submit(len, "nobody is there")
        mortal.start_worker("third")
        mortal.start_worker("fourth")
        both_there(mortal)
        with on(mortal):
            there = searching_while_killed(mortal, "third")
        assert told(there).scores == told(search("random")).scores


def searching_while_killed(cluster: DaskCluster, name: str) -> Trained:
    """A search in whose middle a part is killed."""

    def hear(step: str, _percent: int, *, measured: bool = False) -> None:
        if step.startswith("searching (3"):
            cluster.kill(name)

    return search("random", hear=hear)


@pytest.mark.thorough
@pytest.mark.skipif(shutil.which("openssl") is None, reason="nothing here makes certificates")
def test_a_cluster_with_certificates_is_joined_by_who_has_one_of_them(tmp_path: Path) -> None:
    (certificate, key), theirs = made(tmp_path, "own"), made(tmp_path, "foreign")
    options = ["--tls-ca-file", str(certificate), "--tls-cert", str(certificate), "--tls-key", str(key)]
    with dask_cluster(tmp_path, workers=1, scheme="tls", security=options) as started:
        assert started.address.startswith("tls://")
        own = ClusterAddress(scheduler=started.address, ca_file=certificate, cert_file=certificate, key_file=key)
        with joined(own, lambda _line: None, seconds=60):
            there = search("random")
        assert there.facts.report["notes"][-1].startswith("Dask: 1 worker computed 14 tasks")
        foreign = own.model_copy(update={"cert_file": theirs.certificate, "key_file": theirs.key})
        for other in (foreign, own.model_copy(update={"ca_file": theirs.certificate})):
            with pytest.raises(DaskUnreachable, match="does not answer"), joined(other, lambda _line: None, seconds=3):
                pass
