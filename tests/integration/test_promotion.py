"""Promotion and retirement on real databases: the rules, the copies, and who wins."""

import errno
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from shared.database import Database
from shared.datasets.catalog import archive_dataset
from shared.datasets.rows import DatasetRow
from shared.errors import (
    AlreadyInStage,
    ArtifactConflict,
    ArtifactCorrupt,
    Conflict,
    DatasetDeleted,
    NotActive,
    StageSkipped,
    TargetDiffers,
    Unknown,
    UnknownDataset,
    UnknownModel,
    UnknownStage,
)
from shared.object_store import ObjectStore, open_store
from shared.registry import deployments, versions
from shared.registry.listing import ListedAt, ModelFilter, list_models
from shared.registry.promotion import check_promotion, commit_promotion, copy_files
from shared.registry.rows import DeploymentRow, RegistryRow
from shared.settings import Settings
from tests.support.models import Platform, doubling, iris_forest, open_platform, with_target
from tests.support.registry import Data


@pytest.fixture
def platform(database: Database, settings: Settings, tmp_path: Path) -> Platform:
    """On both kinds of database."""
    store = open_store(settings)
    store.prepare()
    return open_platform(database, store, settings, tmp_path)


@pytest.fixture
def stored(sqlite_url: str, store: ObjectStore, store_settings: Settings, tmp_path: Path) -> Iterator[Platform]:
    """On both kinds of object store."""
    database = Database(sqlite_url)
    yield open_platform(database, store, store_settings, tmp_path)
    database.close()


def retire(platform: Platform, version: int, stage: str) -> int | None:
    return retirement_of(platform, version, stage).serving_version


def retirement_of(
    platform: Platform, version: int, stage: str, *, replace_target: bool = False
) -> deployments.RetiredDeployment:
    with platform.database.write() as session:
        return deployments.retire(
            session,
            version=version,
            stage=stage,
            reason="test",
            stages=platform.settings.stages,
            replace_target=replace_target,
        )


def serving(platform: Platform, data: Data, stage: str) -> int | None:
    with platform.database.read() as session:
        return deployments.serving_version(session, data.dataset_id, stage)


def generation(platform: Platform) -> int:
    with platform.database.read() as session:
        return deployments.generation(session)


def found(platform: Platform, version: int) -> versions.RegisteredModel:
    with platform.database.read() as session:
        return versions.find_model(session, version)


def test_a_trained_model_is_active_in_the_first_stage(platform: Platform) -> None:
    data = platform.dataset()
    version = platform.train(data)
    model = found(platform, version)
    assert (model.row.stage, model.row.artifact_path) == ("dev", "iris_model_dev_v1.pkl")
    assert (model.dataset_name, model.dataset_version, model.row.promoted_at) == ("iris", 1, None)
    assert serving(platform, data, "dev") == version


def test_a_promotion_copies_the_file_and_serves_beside_the_source(stored: Platform) -> None:
    data = stored.dataset()
    version = stored.train(data)
    before = generation(stored)
    assert stored.promote(version, "staging") == {
        "version": 1,
        "target": "target",
        "stage": "staging",
        "artifact_path": "iris_model_staging_v1.pkl",
        "retired_versions": [],
        "serving_version": 1,
    }
    assert serving(stored, data, "dev") == serving(stored, data, "staging") == version
    assert generation(stored) > before
    model = found(stored, version)
    assert (model.row.stage, model.row.artifact_path) == ("staging", "iris_model_staging_v1.pkl")
    assert model.row.promoted_at is not None
    dev, staging = model.deployments
    assert dev.sha256 == staging.sha256
    assert dev.hmac != staging.hmac


@pytest.mark.asvs("2.3.1")
def test_stages_are_passed_one_by_one(platform: Platform) -> None:
    version = platform.train(platform.dataset())
    with pytest.raises(StageSkipped, match="not active in 'staging', the stage before 'production'"):
        platform.promote(version, "production")
    platform.promote(version, "staging")
    assert platform.promote(version, "production")["stage"] == "production"


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_a_version_that_left_the_first_stage_is_told_that_it_cannot_come_back(platform: Platform, stage: str) -> None:
    version = platform.train(platform.dataset())
    retire(platform, version, "dev")
    said = r"It is not active in 'dev' any more and cannot come back: .* POST /jobs/.*/retry trains the same again"
    with pytest.raises(StageSkipped, match=said):
        platform.promote(version, stage)


@pytest.mark.asvs("2.3.1")
def test_a_version_that_skips_a_stage_is_told_where_to_go_first(platform: Platform) -> None:
    version = platform.train(platform.dataset())
    with pytest.raises(StageSkipped, match=r"It is active in 'dev': promote it to 'staging' first\.$"):
        platform.promote(version, "production")


def test_a_version_is_promoted_once_into_a_stage(platform: Platform) -> None:
    version = platform.train(platform.dataset())
    platform.promote(version, "staging")
    with pytest.raises(AlreadyInStage, match="active in 'staging' already"):
        platform.promote(version, "staging")
    with pytest.raises(AlreadyInStage):
        platform.promote(version, "dev")


def test_nothing_is_promoted_into_the_first_stage(platform: Platform) -> None:
    version = platform.train(platform.dataset())
    retire(platform, version, "dev")
    with pytest.raises(StageSkipped, match="by being trained"):
        platform.promote(version, "dev")


def test_the_models_of_an_archived_dataset_are_promoted_as_before(platform: Platform) -> None:
    data = platform.dataset()
    version = platform.train(data)
    with platform.database.write() as session:
        archive_dataset(session, "iris")
    platform.promote(version, "staging")
    assert serving(platform, data, "staging") == version


def test_unknown_things_are_named(platform: Platform) -> None:
    version = platform.train(platform.dataset())
    platform.dataset("wine")
    refused: dict[tuple[str, int, str], tuple[type[Exception], str]] = {
        ("iris", 2, "staging"): (UnknownModel, "no model of version 2"),
        ("wine", version, "staging"): (UnknownModel, "Dataset 'wine' has no model"),
        ("tea", version, "staging"): (UnknownDataset, "tea"),
        ("iris", version, "stagging"): (UnknownStage, "Did you mean 'staging'?"),
    }
    for (name, number, stage), (kind, said) in refused.items():
        with pytest.raises(kind, match=said):
            platform.promote(number, stage, name=name)


def test_a_version_below_the_serving_one_may_be_promoted_and_the_result_says_who_serves(platform: Platform) -> None:
    data = platform.dataset()
    old, new = platform.train(data), platform.train(data)
    platform.promote(new, "staging")
    assert platform.promote(old, "staging")["serving_version"] == new


def test_a_model_is_registered_with_its_target(platform: Platform) -> None:
    data = platform.dataset()
    for target in ("species", "island"):
        platform.train(data, with_target(iris_forest(), target))
    assert [found(platform, version).row.target for version in (1, 2)] == ["species", "island"]


def test_another_target_than_the_serving_one_is_not_promoted_in_silence(platform: Platform) -> None:
    data = platform.dataset()
    species, island = platform.train(data), platform.train(data, with_target(iris_forest(), "island"))
    platform.promote(species, "staging")
    before = generation(platform)
    with pytest.raises(
        TargetDiffers, match=r"Version 2 predicts 'island', but version 1.*predicts 'target'"
    ) as refused:
        platform.promote(island, "staging")
    assert refused.value.members == {"available": ["target"]}
    assert serving(platform, data, "staging") == species
    assert generation(platform) == before
    # Training is not promotion: the first stage takes any target, and this stage any version of its own.
    assert serving(platform, data, "dev") == island
    assert platform.promote(platform.train(data), "staging")["serving_version"] == 3


def test_a_promotion_that_replaces_the_target_retires_all_other_versions_with_a_reason(platform: Platform) -> None:
    data = platform.dataset()
    for _ in range(2):
        platform.promote(platform.train(data), "staging")
    island = platform.train(data, with_target(iris_forest(), "island"))
    result = platform.promote(island, "staging", replace_target=True)
    assert (result["target"], result["retired_versions"], result["serving_version"]) == ("island", [2, 1], island)
    for version in (1, 2):
        dev, staging = found(platform, version).deployments
        assert dev.retired_at is None
        assert staging.retired_at is not None
        assert staging.retired_reason == "version 3 replaced it, which predicts 'island'"
    # Nothing of the old target is left to come back.
    assert retire(platform, island, "staging") is None


def test_a_lower_version_that_replaces_the_target_serves(platform: Platform) -> None:
    data = platform.dataset()
    island = platform.train(data, with_target(iris_forest(), "island"))
    species = platform.train(data)
    platform.promote(species, "staging")
    result = platform.promote(island, "staging", replace_target=True)
    assert (result["retired_versions"], result["serving_version"]) == ([species], island)


def test_of_two_promotions_of_different_targets_that_meet_one_commits(platform: Platform) -> None:
    data = platform.dataset()
    versions_of = [platform.train(data), platform.train(data, with_target(iris_forest(), "island"))]
    with platform.database.read() as session:
        checked = [
            check_promotion(
                session,
                dataset_name="iris",
                version=version,
                target_stage="staging",
                stages=platform.settings.stages,
            )
            for version in versions_of
        ]
    assert platform.finish_promotion(checked[1])["serving_version"] == 2
    with pytest.raises(TargetDiffers):
        platform.finish_promotion(checked[0])
    assert serving(platform, data, "staging") == 2
    assert len(found(platform, 1).deployments) == 1


def test_a_retirement_never_brings_another_target_back_in_silence(platform: Platform) -> None:
    data = platform.dataset()
    platform.train(data)
    for _ in range(2):
        platform.train(data, with_target(iris_forest(), "island"))
    first = retirement_of(platform, 3, "dev")
    assert (first.target, first.serving_version, first.serving_target) == ("island", 2, "island")
    before = generation(platform)
    with pytest.raises(
        TargetDiffers, match="After it version 1 would serve in 'dev', which predicts 'target'"
    ) as refused:
        retire(platform, 2, "dev")
    assert refused.value.members == {"available": ["island"]}
    assert serving(platform, data, "dev") == 2
    assert generation(platform) == before
    second = retirement_of(platform, 2, "dev", replace_target=True)
    assert (second.serving_version, second.serving_target) == (1, "target")
    last = retirement_of(platform, 1, "dev")
    assert (last.serving_version, last.serving_target) == (None, None)


def test_what_does_not_serve_is_retired_whatever_serves(platform: Platform) -> None:
    data = platform.dataset()
    platform.train(data)
    platform.train(data, with_target(iris_forest(), "island"))
    retirement = retirement_of(platform, 1, "dev")
    assert (retirement.target, retirement.serving_version, retirement.serving_target) == ("target", 2, "island")


def test_retirement_brings_back_the_next_lower_active_version(platform: Platform) -> None:
    data = platform.dataset()
    for _ in range(3):
        platform.train(data)
    before = generation(platform)
    assert retire(platform, 2, "dev") == 3
    assert retire(platform, 3, "dev") == 1
    assert retire(platform, 1, "dev") is None
    assert serving(platform, data, "dev") is None
    assert generation(platform) == before + 3


def test_what_is_not_active_cannot_be_retired(platform: Platform) -> None:
    version = platform.train(platform.dataset())
    with pytest.raises(NotActive, match="It is active in: dev"):
        retire(platform, version, "staging")
    retire(platform, version, "dev")
    before = generation(platform)
    with pytest.raises(NotActive, match="not active in any stage"):
        retire(platform, version, "dev")
    with pytest.raises(UnknownModel):
        retire(platform, 7, "dev")
    with pytest.raises(UnknownStage):
        retire(platform, version, "prod")
    assert generation(platform) == before


def test_a_version_that_was_retired_before_may_be_promoted_again(stored: Platform) -> None:
    data = stored.dataset()
    version = stored.train(data)
    stored.promote(version, "staging")
    retire(stored, version, "staging")
    with stored.database.write() as session:
        session.execute(update(RegistryRow).values(promoted_at=None))
    stored.promote(version, "staging")
    assert serving(stored, data, "staging") == version
    assert found(stored, version).row.promoted_at is not None
    assert [row.retired_at is None for row in found(stored, version).deployments] == [True, False, True]
    assert found(stored, version).deployment("staging").retired_at is None


def test_the_row_follows_the_furthest_stage_only(platform: Platform) -> None:
    version = platform.train(platform.dataset())
    platform.promote(version, "staging")
    platform.promote(version, "production")
    retire(platform, version, "staging")
    platform.promote(version, "staging")
    assert found(platform, version).row.stage == "production"


def test_a_version_that_was_retired_from_the_source_meanwhile_is_not_promoted(platform: Platform) -> None:
    data = platform.dataset()
    version = platform.train(data)
    with platform.database.read() as session:
        promotion = check_promotion(
            session, dataset_name="iris", version=version, target_stage="staging", stages=platform.settings.stages
        )
    copied = copy_files(platform.store, platform.settings, platform.key, promotion, folder=platform.folder)
    retire(platform, version, "dev")
    with pytest.raises(StageSkipped), platform.database.write() as session:
        commit_promotion(session, promotion, copied=copied, actor="test")
    assert serving(platform, data, "staging") is None


@pytest.mark.asvs("2.3.4")
def test_of_twenty_promotions_of_one_version_exactly_one_succeeds(platform: Platform) -> None:
    data = platform.dataset()
    version = platform.train(data)
    ready = Barrier(20)

    def promote(number: int) -> Any:
        with platform.database.read() as session:
            promotion = check_promotion(
                session, dataset_name="iris", version=version, target_stage="staging", stages=platform.settings.stages
            )
        folder = platform.folder / str(number)
        folder.mkdir()
        ready.wait(60)
        try:
            copied = copy_files(platform.store, platform.settings, platform.key, promotion, folder=folder)
            with platform.database.write() as session:
                return commit_promotion(session, promotion, copied=copied, actor="test")
        except Conflict as error:
            return error.code

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(promote, range(20)))
    assert answers.count("already_in_stage") == 19
    with platform.database.read() as session:
        active = select(func.count()).where(DeploymentRow.stage == "staging", DeploymentRow.retired_at.is_(None))
        assert session.scalar(active) == 1
    assert serving(platform, data, "staging") == version


def test_a_changed_source_is_not_promoted(stored: Platform) -> None:
    version = stored.train(stored.dataset())
    stored.overwrite("iris_model_dev_v1.pkl", lambda data: data[:-1] + b"!")
    with pytest.raises(ArtifactCorrupt):
        stored.promote(version, "staging")


def test_a_disk_that_takes_no_file_is_told_of(stored: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    version = stored.train(stored.dataset())
    monkeypatch.setattr("shared.registry.copying.fetch", no_room)
    with pytest.raises(OSError, match="No space left"):
        stored.promote(version, "staging")


def test_another_file_under_the_target_name_is_a_conflict(stored: Platform) -> None:
    data = stored.dataset()
    version = stored.train(data)
    stored.train(data, doubling())
    other = stored.folder / "draft-iris_model_dev_v2.pkl"
    sha256 = found(stored, 2).sha256
    stored.store.put_new(stored.settings.models_bucket, "iris_model_staging_v1.pkl", other, sha256=sha256)
    with pytest.raises(ArtifactConflict, match=r"another file named 'iris_model_staging_v1\.pkl'"):
        stored.promote(version, "staging")
    assert serving(stored, data, "staging") is None


def test_a_model_of_a_deleted_dataset_is_not_registered(platform: Platform) -> None:
    data = platform.dataset()
    claim = platform.begin(data)
    with platform.database.write() as session:
        session.execute(delete(DatasetRow).where(DatasetRow.id == data.dataset_id))
    with pytest.raises(DatasetDeleted):
        platform.finish(claim, data, doubling())


def test_lists_are_filtered_by_dataset_and_active_stage(platform: Platform) -> None:
    iris, wine = platform.dataset(), platform.dataset("wine")
    for name, data in (("iris", iris), ("wine", wine), ("iris", iris), ("iris", iris)):
        platform.train(data, doubling(), name=name)
    platform.promote(3, "staging")
    retire(platform, 4, "dev")

    def listed(*, limit: int = 10, after: ListedAt | None = None, **wanted: Any) -> list[int]:
        with platform.database.read() as session:
            found = list_models(session, ModelFilter(**wanted), limit=limit, after=after)
        return [model.row.version for model in found]

    assert listed() == [4, 3, 2, 1]
    assert listed(dataset_name="iris") == [4, 3, 1]
    assert listed(stage="dev") == [3, 2, 1]
    assert listed(stage="staging") == [3]
    assert listed(after=ListedAt(3), limit=1) == [2]


def test_an_unknown_version_is_unknown(platform: Platform) -> None:
    with pytest.raises(Unknown, match="no model of version 5"):
        found(platform, 5)
