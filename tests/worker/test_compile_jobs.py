"""Compiled forms for models of older releases, made by real workers: what they give, how they fail, and that each
takes effect once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select, update

from api.app import create_app
from cli.launcher.prepare import prepare
from shared.consistency.examination import Examination
from shared.errors import ModelInUse
from shared.jobs.endings import hand_back
from shared.jobs.states import Kind, State
from shared.prediction.cache import PredictorCache
from shared.registry.compiling import ask_for_forms, ask_once, plan_forms, untried
from shared.registry.deployments import active, retire
from shared.registry.erasure import erase_model
from shared.registry.forms import compilations_of
from shared.registry.rows import CompiledFormRow
from shared.registry.sealing import load_artifact_key
from shared.settings import Settings
from tests.integration.test_upgrade import expect_predictions
from tests.support.jobs import add_job, claim_job, log_of
from tests.support.objects import put, read
from tests.support.old_homes import unpack
from tests.support.older_models import forget_forms
from tests.support.servers import Valkey
from tests.support.site import FAST, FOREST, Site, site
from tests.support.stack import TEST_CLIENT
from tests.support.waiting import eventually

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3], [1e9, -1e-9, 0.0, 2.45]]


def trained(site: Site, choice: dict[str, Any] = FOREST, *, example: str = "iris") -> int:
    result = site.until(site.train(choice, example=example), State.SUCCEEDED).result
    assert result is not None
    return int(result["version"])


def trained_before(site: Site, choice: dict[str, Any] = FOREST, *, example: str = "iris") -> int:
    """A model of an older release."""
    version = trained(site, choice, example=example)
    forget_forms(site.database, site.store, site.settings)
    return version


def ask(site: Site, version: int) -> UUID:
    with site.database.write() as session:
        job = ask_for_forms(session, plan_forms(session, version))
    site.queue.wake(job.id, Kind.COMPILE)
    return job.id


def promote(site: Site, version: int) -> UUID:
    request = {"dataset_name": "iris", "version": version, "target_stage": "staging"}
    job_id = add_job(site.database, kind=Kind.PROMOTE, dataset_name="iris", request=request)
    site.queue.wake(job_id, Kind.PROMOTE)
    return job_id


def forms(site: Site) -> dict[str, bytes]:
    """The compiled forms in the store."""
    bucket = site.settings.models_bucket
    keys = [entry.key for entry in site.store.list(bucket)]
    return {key: read(site.store, bucket, key) for key in keys if key.endswith(".npz")}


def named_forms(site: Site) -> list[str]:
    """The compiled forms that rows name."""
    with site.database.read() as session:
        return sorted(session.scalars(select(CompiledFormRow.form_path)))


def differences(site: Site) -> list[str]:
    key = load_artifact_key(site.settings)
    found = Examination(site.database, site.store, site.settings, key, deep=True).differences()
    return [f"{each.kind} {each.about}" for each in found]


@pytest.fixture
def cache(installation: Site) -> Iterator[PredictorCache]:
    site = installation
    cache = PredictorCache(site.database, site.store, site.settings, load_artifact_key(site.settings))
    cache.start()
    yield cache
    cache.close()


def test_an_older_model_gets_its_form_in_every_stage_and_is_served_by_it_from_then_on(
    installation: Site, cache: PredictorCache
) -> None:
    installation.start_worker()
    version = trained(installation)
    made_in_training = forms(installation)["iris_model_dev_v1.npz"]
    forget_forms(installation.database, installation.store, installation.settings)
    installation.until(promote(installation, version), State.SUCCEEDED)
    stages = ("dev", "staging")
    before = {stage: cache.get("iris", stage) for stage in stages}
    assert not any(predictor.in_form for predictor in before.values())
    job_id = ask(installation, version)
    job = installation.until(job_id, State.SUCCEEDED)
    with installation.database.read() as session:
        compilation = compilations_of(session, [version])[version]
        assert untried(session) == []
    assert job.result == {
        "version": version,
        "compiled": True,
        "detail": compilation.detail,
        "stages": ["dev", "staging"],
    }
    assert "Equal to scikit-learn on 2,0" in compilation.detail
    last = f"version {version} answers by its compiled form in dev, staging"
    assert log_of(installation.database, job_id)[-1] == last
    assert forms(installation) == dict.fromkeys(
        ["iris_model_dev_v1.npz", "iris_model_staging_v1.npz"], made_in_training
    )
    eventually(lambda: all(cache.get("iris", stage).in_form for stage in stages), timeout=5)
    for stage in stages:
        answers = [
            predictor.answer(features=ROWS, records=None, probabilities=True, max_cells=99)
            for predictor in (before[stage], cache.get("iris", stage))
        ]
        assert answers[0] == answers[1]
    assert differences(installation) == []


def test_a_model_that_cannot_have_a_form_is_noted_and_not_tried_again(installation: Site) -> None:
    installation.start_worker()
    version = trained_before(installation, {"module": "svm", "class": "SVC", "params": {}})
    with installation.database.read() as session:
        assert untried(session) == [version]
    result = installation.until(ask(installation, version), State.SUCCEEDED).result
    assert result is not None
    assert (result["compiled"], result["stages"]) == (False, [])
    assert "there is no compiled form of this estimator" in result["detail"]
    with installation.database.read() as session:
        assert untried(session) == []
    assert forms(installation) == {}


def test_who_asks_for_the_same_form_gets_one_job(installation: Site) -> None:
    worker = installation.start_worker()
    version = trained_before(installation)
    worker.terminate(timeout=20)
    with installation.database.read() as session:
        model = active(session, version, "dev")
    assert model is not None
    asked = [ask_once(installation.database, model) for _ in range(3)]
    first = asked[0]
    assert first is not None
    assert asked == [first] * 3
    assert ask(installation, version) == first[0]
    installation.start_worker()
    installation.until(first[0], State.SUCCEEDED)
    assert ask_once(installation.database, model) is None


@pytest.mark.thorough
@pytest.mark.any_stack
def test_each_worker_that_is_killed_is_followed_by_another_and_there_is_one_form(installation: Site) -> None:
    points = ("fetch.half", "fit.running", "put.before", "put.after", "commit.inside")
    installation.start_worker(**installation.armed(points))
    # Large enough to be met in the middle of its making.
    version = trained_before(installation, {**FOREST, "params": {"n_estimators": 400}})
    job = installation.kill_at(points, lambda: ask(installation, version))
    assert job.crash_count == len(points)
    assert named_forms(installation) == list(forms(installation)) == ["iris_model_dev_v1.npz"]
    assert differences(installation) == []


@pytest.mark.parametrize("harm", ["lost", "changed", "another seal"])
def test_a_form_that_is_not_whole_is_made_again_and_a_whole_one_is_left_alone(installation: Site, harm: str) -> None:
    site, name = installation, "iris_model_dev_v1.npz"
    site.start_worker()
    version = trained(site)
    site.until(promote(site, version), State.SUCCEEDED)
    before = forms(site)
    whole = site.until(ask(site, version), State.SUCCEEDED).result
    assert whole is not None
    assert (whole["detail"], whole["stages"]) == ("It has its compiled form.", [])
    if harm == "another seal":
        with site.database.write() as session:
            session.execute(update(CompiledFormRow).where(CompiledFormRow.form_path == name).values(hmac="0" * 64))
    else:
        site.store.delete(site.settings.models_bucket, name)
    if harm == "changed":
        put(site.store, site.settings.models_bucket, name, b"something else", folder=site.folder)
    assert differences(site) != []
    result = site.until(ask(site, version), State.SUCCEEDED).result
    assert result is not None
    assert result["stages"] == ["dev"]
    assert forms(site) == before
    assert differences(site) == []


@pytest.mark.thorough
@pytest.mark.any_stack
def test_workers_that_are_killed_while_a_damaged_form_is_made_again_leave_no_harm(installation: Site) -> None:
    site, name, points = installation, "iris_model_dev_v1.npz", ("put.before", "put.after", "commit.inside")
    site.start_worker(**site.armed(points))
    version = trained(site)
    before = forms(site)
    site.store.delete(site.settings.models_bucket, name)
    put(site.store, site.settings.models_bucket, name, b"something else", folder=site.folder)
    site.kill_at(points, lambda: ask(site, version))
    assert forms(site) == before
    assert differences(site) == []


@pytest.mark.thorough
@pytest.mark.any_stack
def test_a_model_that_is_retired_meanwhile_gets_no_form(installation: Site) -> None:
    worker = installation.start_worker()
    version = trained_before(installation)
    worker.terminate(timeout=20)
    job_id = ask(installation, version)
    with installation.database.write() as session:
        retire(session, version=version, stage="dev", reason=None, stages=installation.settings.stages)
    installation.start_worker()
    error = installation.until(job_id, State.FAILED).error
    assert error is not None
    assert error["code"] == "not_active"
    assert (named_forms(installation), forms(installation)) == ([], {})


@pytest.mark.any_stack
def test_a_model_is_erased_with_a_compilation_that_waits_but_not_with_one_that_runs(installation: Site) -> None:
    site = installation
    worker = site.start_worker()
    version = trained_before(site)
    worker.terminate(timeout=20)
    job_id = ask(site, version)
    stages = site.settings.stages
    with site.database.write() as session:
        retire(session, version=version, stage="dev", reason=None, stages=stages)
    claim = claim_job(site.database, job_id)
    refused = pytest.raises(ModelInUse, match=f"The job {job_id} is to use version {version}")
    with refused, site.database.write() as session:
        erase_model(session, version, stages=stages, actor="api")
    assert (site.job(job_id).status, site.job(job_id).cancel_requested_at) == (State.RUNNING, None)
    with site.database.write() as session:
        hand_back(session, claim)
    with site.database.write() as session:
        erase_model(session, version, stages=stages, actor="api")
    job = site.job(job_id)
    assert (job.status, job.request) == (State.CANCELLED, {})


@pytest.mark.thorough
@pytest.mark.any_stack
def test_a_form_that_takes_too_much_memory_is_not_used(installation: Site) -> None:
    installation.start_worker(MLMINI_MODEL_CACHE_MB="1")
    # Trees that tell numbers have a leaf for almost every row.
    choice = {"module": "ensemble", "class": "ExtraTreesRegressor", "params": {"n_estimators": 150}}
    version = trained_before(installation, choice, example="diabetes")
    error = installation.until(ask(installation, version), State.FAILED).error
    assert error is not None
    assert error["code"] == "model_too_large"
    assert named_forms(installation) == []


@pytest.mark.any_stack
@pytest.mark.parametrize("home", ["0004", "0005"])
def test_models_of_older_releases_answer_by_their_forms_as_they_did(
    home: str, tmp_path: Path, own_valkey: Valkey
) -> None:
    unpack(home, tmp_path / "home")
    changes: dict[str, Any] = {"redis_url": SecretStr(own_valkey.url), "examples": False, "allowed_hosts": TEST_CLIENT}
    settings = Settings(home=tmp_path / "home").model_copy(update=FAST | changes)
    prepare(settings)
    with site(settings, own_valkey, tmp_path) as there:
        there.start_worker()
        with there.database.read() as session:
            older = untried(session)
        assert older == [1, 2]
        for version in older:
            result = there.until(ask(there, version), State.SUCCEEDED).result
            assert result is not None
            assert result["compiled"], result["detail"]
        with TestClient(create_app(settings)) as client:
            expect_predictions(client, home)
            models = [client.get(f"/models/{version}").json() for version in older]
        assert [model["compilation"]["compiled"] for model in models] == [True, True]
        assert differences(there) == []
