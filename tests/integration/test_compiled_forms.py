"""Compiled forms in the registry: they serve, move with their model, are checked like it and go with it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from shared.compiled.compilation import Compilation
from shared.compiled.file import write_model
from shared.compiled.model import CompiledModel
from shared.consistency.examination import Examination
from shared.database import Database
from shared.discarded import remove_discarded
from shared.errors import DatabaseUnavailable, ModelUnavailable
from shared.hashing import digest_of
from shared.object_store import ObjectStore
from shared.prediction.cache import PredictorCache
from shared.prediction.computing import ModelInForm
from shared.prediction.sandboxed import SandboxedModel
from shared.registry.compiling import give_forms, plan_forms
from shared.registry.copying import put_file
from shared.registry.deployments import retire
from shared.registry.erasure import erase_model
from shared.registry.forms import compilations_of, note_compilation
from shared.registry.rows import CompiledFormRow, DeploymentRow
from shared.registry.sealing import Artifact, reseal
from shared.settings import Settings
from tests.support.models import Platform, iris_forest, open_platform
from tests.support.waiting import eventually

ROW = [5.1, 3.5, 1.4, 0.2]
FORM = "iris_model_dev_v1.npz"


@pytest.fixture
def platform(sqlite_url: str, store: ObjectStore, store_settings: Settings, tmp_path: Path) -> Iterator[Platform]:
    """On both kinds of object store."""
    database = Database(sqlite_url)
    yield open_platform(database, store, store_settings, tmp_path)
    database.close()


@pytest.fixture
def cache(platform: Platform) -> Iterator[PredictorCache]:
    cache = PredictorCache(platform.database, platform.store, platform.settings, platform.key)
    yield cache
    cache.close()


def names(platform: Platform) -> list[str]:
    return sorted(entry.key for entry in platform.store.list(platform.settings.models_bucket))


def differences(platform: Platform) -> list[str]:
    """What is found about the files of models and their seals; the dataset has no file here."""
    found = Examination(platform.database, platform.store, platform.settings, platform.key, deep=True).differences()
    return [f"{each.kind} {each.about}" for each in found if "models" in each.about or "seal" in each.kind]


def test_a_model_with_a_form_is_served_by_it_and_answers_as_the_fitted_one(
    platform: Platform, cache: PredictorCache
) -> None:
    data = platform.dataset()
    platform.train(data, iris_forest().in_form())
    predictor = cache.get("iris", "dev")
    assert isinstance(predictor.computes, ModelInForm)
    answer = predictor.answer(features=[ROW, [6.2, 3.4, 5.4, 2.3]], records=None, probabilities=True, max_cells=9)
    platform.train(data, iris_forest())
    fitted = cache.get("iris", "dev", version=2)
    assert isinstance(fitted.computes, SandboxedModel)
    assert answer == fitted.answer(features=[ROW, [6.2, 3.4, 5.4, 2.3]], records=None, probabilities=True, max_cells=9)
    assert names(platform) == [FORM, "iris_model_dev_v1.pkl", "iris_model_dev_v2.pkl"]


def test_a_promotion_takes_the_form_along(platform: Platform, cache: PredictorCache) -> None:
    version = platform.train(platform.dataset(), iris_forest().in_form())
    platform.promote(version, "staging")
    platform.promote(version, "production")
    assert isinstance(cache.get("iris", "production").computes, ModelInForm)
    assert [name for name in names(platform) if name.endswith(".npz")] == [
        FORM,
        "iris_model_production_v1.npz",
        "iris_model_staging_v1.npz",
    ]
    assert differences(platform) == []


def test_a_second_promotion_after_a_retirement_finds_the_form_in_the_store(platform: Platform) -> None:
    version = platform.train(platform.dataset(), iris_forest().in_form())
    platform.promote(version, "staging")
    with platform.database.write() as session:
        retire(session, version=version, stage="staging", reason=None, stages=platform.settings.stages)
    platform.promote(version, "staging")
    with platform.database.read() as session:
        assert len(session.scalars(select(CompiledFormRow.form_path)).all()) == 3
    assert differences(platform) == []


@pytest.mark.parametrize("damage", ["changed", "cut", "gone", "another"])
def test_a_form_that_is_not_the_registered_one_is_refused_and_reported(
    platform: Platform, cache: PredictorCache, damage: str
) -> None:
    data = platform.dataset()
    platform.train(data, iris_forest().in_form())
    platform.train(data, iris_forest(seed=1).in_form())
    bucket = platform.settings.models_bucket
    if damage == "gone":
        platform.store.delete(bucket, FORM)
    elif damage == "another":
        with platform.store.open(bucket, "iris_model_dev_v2.npz") as file:
            other = file.read()
        platform.overwrite(FORM, lambda _content: other)
    else:
        platform.overwrite(FORM, lambda content: content[:-9] if damage == "cut" else content[:-9] + b"123456789")
    with pytest.raises(ModelUnavailable, match=r"iris_model_dev_v1\.npz"):
        cache.get("iris", "dev", version=1)
    assert [line for line in differences(platform) if FORM in line]
    # The other version is served as before.
    assert cache.get("iris", "dev").version == 2


@pytest.mark.parametrize(
    "column", [{"hmac": "0" * 64}, {"form_path": "iris_model_dev_v2.npz"}, {"hmac_key_id": "0" * 16}], ids=str
)
def test_a_row_of_a_form_that_was_changed_is_refused_and_reported(
    platform: Platform, cache: PredictorCache, column: dict[str, str]
) -> None:
    data = platform.dataset()
    for seed in (0, 1):
        platform.train(data, iris_forest(seed=seed).in_form())
    first = select(DeploymentRow.id).where(DeploymentRow.version == 1).scalar_subquery()
    with platform.database.write() as session:
        session.execute(update(CompiledFormRow).where(CompiledFormRow.deployment_id == first).values(column))
    with pytest.raises(ModelUnavailable):
        cache.get("iris", "dev", version=1)
    assert differences(platform)


def test_a_form_goes_with_its_model(platform: Platform) -> None:
    version = platform.train(platform.dataset(), iris_forest().in_form())
    platform.promote(version, "staging")
    with platform.database.write() as session:
        for stage in ("dev", "staging"):
            retire(session, version=version, stage=stage, reason=None, stages=platform.settings.stages)
        erase_model(session, version, stages=platform.settings.stages, actor="test")
    remove_discarded(platform.database, platform.store, platform.settings)
    assert names(platform) == []
    with platform.database.read() as session:
        assert session.scalars(select(CompiledFormRow)).all() == []
        assert compilations_of(session, [version]) == {}


def test_a_model_without_a_form_has_one_asked_for_at_its_first_load_only(platform: Platform) -> None:
    asked: list[str] = []
    cache = PredictorCache(
        platform.database,
        platform.store,
        platform.settings,
        platform.key,
        formless=lambda model: asked.append(model.artifact_path),
    )
    data = platform.dataset()
    platform.train(data)
    cache.get("iris", "dev")
    cache.get("iris", "dev")
    assert asked == ["iris_model_dev_v1.pkl"]
    with platform.database.write() as session:
        note_compilation(session, 1, Compilation(compiled=False, detail="No compiled form: it was tried."))
    cache.close()
    cache = PredictorCache(
        platform.database, platform.store, platform.settings, platform.key, formless=lambda _: pytest.fail("asked")
    )
    cache.get("iris", "dev")
    cache.close()


def test_a_model_serves_when_its_form_cannot_be_asked_for(platform: Platform) -> None:
    def fail(_: Artifact) -> None:
        raise DatabaseUnavailable

    cache = PredictorCache(platform.database, platform.store, platform.settings, platform.key, formless=fail)
    platform.train(platform.dataset())
    assert cache.get("iris", "dev").version == 1
    cache.close()


def test_a_form_that_appears_is_loaded_in_the_place_of_the_artifact(platform: Platform, cache: PredictorCache) -> None:
    cache.start()
    data = platform.dataset()
    older, newer = platform.train(data), platform.train(data)
    serving, pinned = cache.get("iris", "dev"), cache.get("iris", "dev", older)
    assert not serving.in_form
    assert not pinned.in_form
    for version in (older, newer):
        compiled = iris_forest().in_form().compiled
        assert compiled is not None
        put_form(platform, version, compiled)
    eventually(lambda: cache.get("iris", "dev").in_form and cache.get("iris", "dev", older).in_form, 5)
    for before, after in ((serving, cache.get("iris", "dev")), (pinned, cache.get("iris", "dev", older))):
        answers = [
            each.answer(features=[ROW], records=None, probabilities=True, max_cells=9) for each in (before, after)
        ]
        assert answers[0] == answers[1]


def put_form(platform: Platform, version: int, compiled: CompiledModel) -> None:
    """Give a version its compiled form, as a compile job does."""
    with platform.database.read() as session:
        plan = plan_forms(session, version)
    made = {}
    for planned in plan.lacking:
        file = platform.folder / planned.path
        write_model(compiled, file)
        digest = digest_of(file)
        found = replace(planned.beside.seal, sha256=digest.sha256, size_bytes=digest.size_bytes)
        target = replace(planned.beside, artifact_path=planned.path, seal=found)
        target = replace(target, seal=reseal(platform.key, target))
        put_file(platform.store, platform.settings, platform.key, target, file)
        made[planned.path] = target.seal
    with platform.database.write() as session:
        give_forms(session, version, Compilation(compiled=True, detail="Equal."), plan.lacking, made)
