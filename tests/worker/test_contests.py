"""Train jobs of several models: all of them are registered at once, ranked, or none is."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from shared.consistency.examination import Examination
from shared.fail_points import VARIABLE
from shared.jobs.acceptance import cancel
from shared.jobs.rows import JobRow
from shared.jobs.states import State
from shared.prediction.cache import PredictorCache
from shared.registry.assessments import find_assessment
from shared.registry.deployments import retire
from shared.registry.erasure import erase_model
from shared.registry.naming import file_names
from shared.registry.orphan_collector import OrphanCollector
from shared.registry.rows import CompiledFormRow, DeploymentRow, ErasedModelRow, RegistryRow
from shared.registry.sealing import load_artifact_key
from shared.registry.versions import find_models
from tests.support.jobs import log_of
from tests.support.older_models import forget_forms
from tests.support.site import Site
from tests.support.waiting import eventually
from tests.worker.test_compile_jobs import ask

BAYES = {"module": "naive_bayes", "class": "GaussianNB", "params": {}}
STUMP = {"module": "tree", "class": "DecisionTreeClassifier", "params": {"max_depth": 1}}
NOTHING = {"module": "dummy", "class": "DummyClassifier", "params": {}}
# A stump tells two of three species apart, and who looks at no column none.
MODELS = [STUMP, NOTHING, BAYES]
BEST_FIRST = ["naive_bayes.GaussianNB", "tree.DecisionTreeClassifier", "dummy.DummyClassifier"]
# It wants more neighbours than a tenth of the rows has.
UNFIT = {"module": "neighbors", "class": "KNeighborsClassifier", "params": {"n_neighbors": 40}}
SLOW = {"module": "ensemble", "class": "GradientBoostingClassifier", "params": {"n_estimators": 400}}


def result_of(site: Site, job_id: UUID) -> dict[str, Any]:
    result = site.until(job_id, State.SUCCEEDED).result
    assert result is not None
    return result


def registered(site: Site) -> dict[int, tuple[str, int]]:
    """Estimator and candidate by version."""
    with site.database.read() as session:
        rows = session.scalars(select(RegistryRow).order_by(RegistryRow.version))
        return {row.version: (row.estimator, row.candidate) for row in rows}


def stored(site: Site) -> set[str]:
    return {entry.key for entry in site.store.list(site.settings.models_bucket)}


def named(site: Site) -> set[str]:
    """The files that rows name."""
    with site.database.read() as session:
        artifacts = session.scalars(select(RegistryRow.artifact_path)).all()
        return {*artifacts, *session.scalars(select(CompiledFormRow.form_path))}


def kinds_of_differences(site: Site) -> set[str]:
    key = load_artifact_key(site.settings)
    return {each.kind for each in Examination(site.database, site.store, site.settings, key).differences()}


def collect(site: Site) -> None:
    """Collect what no row names, without a time of grace."""
    settings = site.settings.model_copy(update={"orphan_hours": 1e-9, "collect": "delete"})
    OrphanCollector(site.database, site.store, settings).collect()


def test_the_best_of_several_models_has_the_highest_version_and_serves(installation: Site) -> None:
    installation.start_worker()
    job_id = installation.train(MODELS, tags=["baseline", "team:fraud"], note="the first ones")
    result = result_of(installation, job_id)
    board = result["leaderboard"]
    assert [(entry["rank"], entry["version"], entry["estimator"]) for entry in board] == [
        (rank, 4 - rank, estimator) for rank, estimator in enumerate(BEST_FIRST, start=1)
    ]
    assert [entry["candidate"] for entry in board] == [3, 1, 2]
    assert (result["version"], result["metrics"]) == (3, board[0]["metrics"])
    assert [entry["within_noise"] for entry in board] == [False, False, False]
    assert all(entry["metric"] == "accuracy" and entry["measured_on"] == "test_rows" for entry in board)
    assert [entry["score"] for entry in board] == [entry["metrics"]["accuracy"] for entry in board]
    assert list(registered(installation).values()) == [(BEST_FIRST[2], 2), (BEST_FIRST[1], 1), (BEST_FIRST[0], 3)]
    lines = log_of(installation.database, job_id)
    assert "model 2 of 3: dummy.DummyClassifier" in lines
    assert lines[-1].startswith("registered, the best first: 1. naive_bayes.GaussianNB as version 3, 2. ")
    cache = PredictorCache(
        installation.database, installation.store, installation.settings, load_artifact_key(installation.settings)
    )
    assert cache.get("iris", "dev").version == 3
    cache.close()
    with installation.database.read() as session:
        found = [find_assessment(session, version) for version in (3, 2, 1)]
    standings = [each.standing for each in found if each is not None and each.standing is not None]
    assert [(standing.rank, standing.of) for standing in standings] == [(1, 3), (2, 3), (3, 3)]
    check_costs(installation)
    with installation.database.read() as session:
        models = find_models(session, [1, 2, 3])
        written = [(model.tags, model.row.note) for model in models]
    assert written == [(["baseline", "team:fraud"], "the first ones")] * 3
    assert kinds_of_differences(installation) == set()


def check_costs(site: Site) -> None:
    """What each model is said to take is what its files have, and memory that a process with these libraries needs."""
    with site.database.read() as session:
        of_models = select(DeploymentRow.version, DeploymentRow.size_bytes)
        files = {row.version: row.size_bytes for row in session.execute(of_models)}
        of_forms = select(DeploymentRow.version, CompiledFormRow.size_bytes).join(
            CompiledFormRow, CompiledFormRow.deployment_id == DeploymentRow.id
        )
        forms = {row.version: row.size_bytes for row in session.execute(of_forms)}
        found = {version: find_assessment(session, version) for version in files}
    for version, assessment in found.items():
        assert assessment is not None
        costs = assessment.costs
        assert costs is not None
        assert (costs.artifact_bytes, costs.form_bytes) == (files[version], forms.get(version))
        assert costs.peak_memory_bytes is not None
        assert 50 * 2**20 < costs.peak_memory_bytes < 4 * 2**30


@pytest.mark.any_stack
def test_folds_decide_where_all_models_have_them(installation: Site) -> None:
    installation.start_worker()
    result = result_of(installation, installation.train(MODELS, split={"method": "random", "folds": 3}))
    assert {entry["measured_on"] for entry in result["leaderboard"]} == {"folds"}
    assert [entry["estimator"] for entry in result["leaderboard"]] == BEST_FIRST
    with installation.database.read() as session:
        best = find_assessment(session, result["version"])
    assert best is not None
    assert best.spread["accuracy"].mean == result["leaderboard"][0]["score"]


@pytest.mark.any_stack
def test_a_model_that_cannot_be_fitted_is_left_out_and_told(installation: Site) -> None:
    installation.start_worker()
    job_id = installation.train([NOTHING, UNFIT, BAYES], test_size=0.9)
    result = result_of(installation, job_id)
    assert [entry["candidate"] for entry in result["leaderboard"]] == [3, 1]
    notes = [note for note in result["notes"] if note.startswith("Model 2 of the request, neighbors.KNeighbors")]
    assert len(notes) == 1
    assert any(line.startswith("left out: ") for line in log_of(installation.database, job_id))


@pytest.mark.any_stack
def test_a_model_whose_library_the_worker_has_in_another_release_is_left_out_and_told(
    installation: Site, tmp_path: Path
) -> None:
    older = tmp_path / "lightgbm-1.0.0.dist-info"
    older.mkdir()
    (older / "METADATA").write_text("Metadata-Version: 2.1\nName: lightgbm\nVersion: 1.0.0\n")
    installation.start_worker(PYTHONPATH=str(tmp_path))
    boosted = {"module": "lightgbm", "class": "LGBMClassifier", "params": {}}
    result = result_of(installation, installation.train([BAYES, boosted, STUMP]))
    assert [entry["candidate"] for entry in result["leaderboard"]] == [1, 3]
    (note,) = (note for note in result["notes"] if note.startswith("Model 2 of the request, lightgbm.LGBMClassifier"))
    assert "which is there as 1.0.0 with the worker that ran this job" in note
    error = installation.until(installation.train([boosted]), State.FAILED).error
    assert error is not None
    assert error["code"] == "library_not_installed"


@pytest.mark.any_stack
def test_a_job_of_which_no_model_can_be_fitted_fails_and_registers_nothing(installation: Site) -> None:
    installation.start_worker()
    other = {**UNFIT, "params": {"n_neighbors": 50}}
    error = installation.until(installation.train([UNFIT, other], test_size=0.9), State.FAILED).error
    assert error is not None
    assert error["message"].startswith("None of the 2 models could be trained. The first: ")
    assert (registered(installation), stored(installation)) == ({}, set())


def test_whoever_is_killed_leaves_nothing_doubled_and_what_it_stored_is_collected(installation: Site) -> None:
    points = ("fit.running", "put.before", "put.after", "commit.before", "commit.inside")
    installation.start_worker(**installation.armed(points))
    # The first fit is long enough to be met in the middle.
    job = installation.kill_at(points, lambda: installation.train([SLOW, *MODELS[1:]]))
    assert job.crash_count == len(points)
    assert sorted(candidate for _, candidate in registered(installation).values()) == [1, 2, 3]
    assert {entry["version"] for entry in (job.result or {})["leaderboard"]} == set(registered(installation))
    assert kinds_of_differences(installation) == {"orphan"}
    assert named(installation) < stored(installation)

    def clean() -> bool:
        collect(installation)
        return stored(installation) == named(installation)

    eventually(clean)
    assert kinds_of_differences(installation) == set()


@pytest.mark.thorough
@pytest.mark.any_stack
def test_a_worker_killed_between_the_files_of_two_models_registers_neither(installation: Site) -> None:
    arm = installation.folder / "second"
    faults = f"put.after=sleep:2;put.before=kill9@{arm}"
    worker = installation.launch_worker(**{VARIABLE: faults})
    job_id = installation.train(MODELS)
    eventually(lambda: stored(installation), timeout=60)
    arm.touch()
    worker.process.wait(timeout=60)
    assert not arm.exists()
    assert registered(installation) == {}
    assert stored(installation) <= set(file_names("iris", "dev", 1))
    installation.start_worker()
    # Two numbers are left out: they were taken by the attempt that is gone.
    assert {entry["version"] for entry in result_of(installation, job_id)["leaderboard"]} == {3, 4, 5}


@pytest.mark.any_stack
def test_a_cancelled_job_of_several_models_registers_none(installation: Site) -> None:
    installation.start_worker()
    job_id = installation.train([BAYES, {**SLOW, "params": {"n_estimators": 5000}}])
    eventually(lambda: installation.job(job_id).progress["step"] == "fitting (2 of 2)", timeout=60)
    with installation.database.write() as session:
        cancel(session, job_id)
    installation.until(job_id, State.CANCELLED)
    assert (registered(installation), stored(installation)) == ({}, set())


@pytest.mark.any_stack
def test_each_model_gets_its_own_form_again(installation: Site) -> None:
    installation.start_worker()
    job_id = installation.train([BAYES, STUMP])
    board = result_of(installation, job_id)["leaderboard"]
    forget_forms(installation.database, installation.store, installation.settings)
    for entry in board:
        assert installation.until(ask(installation, entry["version"]), State.SUCCEEDED).result
    assert len({path for path in named(installation) if path.endswith(".npz")}) == 2


@pytest.mark.any_stack
def test_what_a_job_said_is_erased_with_the_last_of_its_models(installation: Site) -> None:
    installation.start_worker()
    job_id, stages = installation.train([BAYES, STUMP]), installation.settings.stages
    board = result_of(installation, job_id)["leaderboard"]
    for left, entry in ((True, board[0]), (False, board[1])):
        with installation.database.write() as session:
            retire(session, version=entry["version"], stage="dev", reason=None, stages=stages)
        with installation.database.write() as session:
            erase_model(session, entry["version"], stages=stages, actor="somebody")
        assert (installation.job(job_id).erased_at is None) is left
        assert kinds_of_differences(installation) <= {"object_discarded"}
    with installation.database.read() as session:
        assert sorted(session.scalars(select(ErasedModelRow.candidate))) == [1, 2]


@pytest.mark.any_stack
def test_a_version_that_is_missing_from_a_leaderboard_is_found(installation: Site) -> None:
    installation.start_worker()
    result = result_of(installation, installation.train([BAYES, STUMP]))
    result["leaderboard"][1]["version"] = 9
    with installation.database.write() as session:
        session.execute(update(JobRow).values(result=result))
    assert kinds_of_differences(installation) == {"effect_missing"}
