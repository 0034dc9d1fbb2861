"""The collector of objects that no row names: what it takes, and what it leaves alone."""

import os
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from shared.clock import Now
from shared.database import Database
from shared.datasets.catalog import delete_dataset
from shared.datasets.rows import DatasetVersionRow, VersionState
from shared.discarded import remove_discarded
from shared.errors import ArtifactInRemoval
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State
from shared.object_store import ObjectStore, open_store
from shared.object_store.shelves import Shelf
from shared.registry import orphan_collector, orphans
from shared.registry.deployments import retire
from shared.registry.naming import ArtifactName, artifact_name, read_artifact_name
from shared.registry.outputs import retire_outputs
from shared.registry.promotion import check_promotion, commit_promotion
from shared.registry.rows import OrphanRow
from shared.settings import Settings
from tests.support.finished_batches import finish_batch, put_output
from tests.support.jobs import add_job, claim_job, end_as_failed, fail_job
from tests.support.left_over import NO_GRACE, UPLOADED, Belongings, belongings
from tests.support.objects import put
from tests.support.registry import COPIED, STAGES, insert_dataset
from tests.support.waiting import eventually

ORPHAN = "iris_model_dev_v7.pkl"
PROMOTED = "iris_model_staging_v7.pkl"


@pytest.fixture
def there(database: Database, settings: Settings, tmp_path: Path) -> Belongings:
    """On both databases, with a local store."""
    store = open_store(settings)
    store.prepare()
    return belongings(database, store, settings, tmp_path)


@pytest.fixture
def anywhere(database: Database, store: ObjectStore, store_settings: Settings, tmp_path: Path) -> Belongings:
    """On both databases and both stores."""
    return belongings(database, store, store_settings, tmp_path)


def emptied(there: Belongings, *gone: str) -> None:
    """Collect until these objects are gone: the clock of a store may tell whole seconds only."""

    def done() -> bool:
        there.collect()
        return not there.left() & set(gone)

    eventually(done)


def kept(there: Belongings, *keys: str) -> None:
    """See that several rounds leave these objects alone, though a plain orphan goes meanwhile."""
    plain = there.put_artifact("wine_model_dev_v1.pkl")
    emptied(there, plain)
    there.collect()
    assert set(keys) <= there.left()


def promote_job(there: Belongings, *, version: int = 7, stage: str = "staging") -> UUID:
    request = {"dataset_name": "iris", "version": version, "target_stage": stage}
    return add_job(there.database, kind=Kind.PROMOTE, dataset_name="iris", request=request)


def test_objects_that_no_row_names_go_and_those_with_a_row_stay(anywhere: Belongings) -> None:
    anywhere.register(8)
    named = anywhere.put_artifact("iris_model_dev_v8.pkl")
    orphans = [anywhere.put_artifact(ORPHAN), anywhere.put_artifact(PROMOTED), anywhere.put_table()]
    with capture_logs() as logs:
        emptied(anywhere, *orphans)
    assert anywhere.left() == {named}
    told = [entry for entry in logs if entry["event"] == "orphan_deleted"]
    assert sorted(entry["key"] for entry in told) == sorted(orphans)
    assert {entry["bucket"] for entry in told} == {anywhere.settings.datasets_bucket, anywhere.settings.models_bucket}
    assert all(entry["size"] > 0 and entry["age_seconds"] >= 0 for entry in told)


def batch_job(there: Belongings) -> UUID:
    request = {"dataset_name": "iris", "version": 8, "input": {"dataset_name": "iris", "dataset_version": 1}}
    return add_job(there.database, kind=Kind.PREDICT, dataset_name="iris", request=request)


def test_the_output_of_a_batch_stays_while_its_attempt_may_name_it_and_goes_with_the_attempt(
    there: Belongings, tmp_path: Path
) -> None:
    there.register(8)
    claim = claim_job(there.database, batch_job(there))
    key = put_output(there, claim, tmp_path)
    kept(there, key)
    end_as_failed(there.database, claim)
    emptied(there, key)


def test_the_output_of_an_earlier_attempt_goes_while_a_later_one_runs(there: Belongings, tmp_path: Path) -> None:
    claim = claim_job(there.database, batch_job(there))
    earlier = put_output(there, replace(claim, epoch=claim.epoch + 5), tmp_path)
    emptied(there, earlier)


def test_an_output_that_is_named_stays_and_one_that_was_retired_goes(there: Belongings, tmp_path: Path) -> None:
    there.register(8)
    job_id = batch_job(there)
    key = finish_batch(there, job_id, tmp_path)
    kept(there, key)
    with there.database.write() as session:
        assert retire_outputs(session, [job_id]) == 1
    remove_discarded(there.database, there.store, there.settings)
    assert key not in there.left()
    # As after a restore of the bucket alone.
    put(there.store, there.settings.predictions_bucket, key, b"back again", folder=tmp_path)
    emptied(there, key)


def test_what_a_deleted_dataset_left_goes(there: Belongings) -> None:
    with there.database.write() as session:
        session.execute(update(DatasetVersionRow).values(object_key=UPLOADED))
    kept(there, there.put_table())
    with there.database.write() as session:
        delete_dataset(session, "iris")
    emptied(there, UPLOADED)


def test_an_object_that_is_young_in_the_store_stays(anywhere: Belongings) -> None:
    orphan = anywhere.put_artifact(ORPHAN)
    anywhere.collect(hours=24)
    anywhere.age_in_database()
    assert anywhere.collect(hours=24).deleted == 0
    assert anywhere.left() == {orphan}


def test_an_old_object_that_the_database_has_not_known_for_long_stays(there: Belongings) -> None:
    # As after a restore: a database of yesterday beside a bucket of today.
    path = there.settings.home / "store" / there.settings.models_bucket / there.put_artifact(ORPHAN)
    os.utime(path, (0, 0))
    for _ in range(3):
        assert there.collect(hours=24).deleted == 0
    assert path.exists()
    there.age_in_database()
    assert there.collect(hours=24).deleted == 1


def test_foreign_objects_are_counted_and_left(anywhere: Belongings) -> None:
    foreign = {
        anywhere.put_artifact("notes.txt"),
        anywhere.put_artifact("iris_model_dev_v07.pkl"),
        anywhere.put_artifact("backup/iris_model_dev_v7.pkl"),
        anywhere.put_table("iris/notes.csv"),
    }
    kept(anywhere, *foreign)
    assert anywhere.collect().foreign == len(foreign)


@pytest.mark.parametrize("collect", ["report", "off"])
def test_without_leave_to_delete_nothing_is_deleted(there: Belongings, collect: str) -> None:
    orphan = there.put_artifact(ORPHAN)
    there.collect(hours=24)
    there.age()
    with capture_logs() as logs:
        for _ in range(3):
            assert there.collect(hours=24, collect=collect).deleted == 0
    assert there.left() == {orphan}
    assert {entry["key"] for entry in logs if entry["event"] == "orphan_found"} == (
        {orphan} if collect == "report" else set()
    )


def test_what_a_running_training_may_have_staged_stays_until_it_ends(there: Belongings) -> None:
    orphan = there.put_artifact(ORPHAN)
    job_id = add_job(there.database, kind=Kind.TRAIN, dataset_name="iris")
    claim_job(there.database, job_id)
    kept(there, orphan)
    with there.database.write() as session:
        session.execute(update(JobRow).values(status=State.QUEUED))
    # Another attempt takes another number.
    emptied(there, orphan)


@pytest.mark.parametrize("running", [False, True])
def test_what_a_promotion_could_name_stays_until_it_ends(there: Belongings, *, running: bool) -> None:
    orphan, other = there.put_artifact(PROMOTED), there.put_artifact("iris_model_staging_v6.pkl")
    job_id = promote_job(there)
    if running:
        claim_job(there.database, job_id)
    emptied(there, other)
    kept(there, orphan)
    with there.database.write() as session:
        session.execute(update(JobRow).values(status=State.QUEUED))
    fail_job(there.database, job_id)
    emptied(there, orphan)


def test_the_object_of_an_upload_under_way_stays(there: Belongings) -> None:
    with there.database.write() as session:
        session.execute(
            update(DatasetVersionRow).values(object_key=UPLOADED, state=VersionState.UPLOADING, number=None)
        )
    kept(there, there.put_table())


def test_the_object_of_a_retired_deployment_stays(there: Belongings) -> None:
    there.register(7)
    with there.database.write() as session:
        retire(session, version=7, stage="dev", reason=None, stages=STAGES)
    kept(there, there.put_artifact(ORPHAN))


def test_the_object_of_a_version_that_nobody_has_taken_yet_stays(there: Belongings) -> None:
    kept(there, there.put_artifact("iris_model_dev_v101.pkl"))


def test_of_several_collectors_one_deletes_each_object(anywhere: Belongings) -> None:
    orphans = [anywhere.put_artifact(f"iris_model_dev_v{number}.pkl") for number in range(1, 21)]
    anywhere.collect(hours=24)
    anywhere.age_in_database()
    together = threading.Barrier(4)
    deleted = []

    def rounds() -> None:
        together.wait()
        while anywhere.left():
            deleted.append(anywhere.collect().deleted)

    with capture_logs() as logs, ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(rounds) for _ in range(4)]:
            future.result()
    assert sum(deleted) == len(orphans)
    assert sorted(entry["key"] for entry in logs if entry["event"] == "orphan_deleted") == sorted(orphans)


def before_each_deletion(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have something happen between the check and the deletion."""

    def happen(point: str) -> None:
        if point == "collect.before_delete":
            act()

    monkeypatch.setattr(orphan_collector, "fail_point", happen)


def die(*_: object, **__: object) -> None:
    """What a killed process does next."""
    raise KeyboardInterrupt


def test_a_collector_that_stood_still_too_long_deletes_nothing(
    there: Belongings, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan = there.put_artifact(ORPHAN)

    def stand_still() -> None:
        with there.database.write() as session:
            session.execute(update(OrphanRow).values(removal_until=Now(3600 - 300 - 1)))

    before_each_deletion(monkeypatch, stand_still)
    there.collect(hours=24)
    there.age()
    assert there.collect().deleted == 0
    assert there.left() == {orphan}


def test_a_removal_that_nobody_finished_is_taken_up_later(there: Belongings, monkeypatch: pytest.MonkeyPatch) -> None:
    orphan = there.put_artifact(ORPHAN)
    there.collect(hours=24)
    there.age()
    with monkeypatch.context() as patched:
        before_each_deletion(patched, die)
        with pytest.raises(KeyboardInterrupt):
            there.collect()
    assert there.collect().deleted == 0, "somebody may still be at it"
    with there.database.write() as session:
        session.execute(update(OrphanRow).values(removal_until=Now(-1)))
    assert there.collect().deleted == 1
    assert orphan not in there.left()


def die_in_removal(there: Belongings, monkeypatch: pytest.MonkeyPatch, *, deleted: bool) -> None:
    """Vanish right before or after the first deletion of a round; then the lease is over."""
    there.collect(hours=24)
    there.age()
    with monkeypatch.context() as patched:
        if deleted:
            patched.setattr(orphans, "end_removal", die)
        else:
            before_each_deletion(patched, die)
        with pytest.raises(KeyboardInterrupt):
            there.collect()
    with there.database.write() as session:
        session.execute(update(OrphanRow).values(removal_until=Now(-1)))


@pytest.mark.parametrize("deleted", [False, True])
def test_a_removal_that_nobody_ended_keeps_its_name_from_use_whatever_its_lease_says(
    there: Belongings, monkeypatch: pytest.MonkeyPatch, *, deleted: bool
) -> None:
    there.register(7)
    there.put_artifact(PROMOTED)
    check = partial(check_promotion, dataset_name="iris", version=7, target_stage="staging", stages=STAGES)
    with there.database.read() as session:
        before = check(session)
    die_in_removal(there, monkeypatch, deleted=deleted)
    with there.database.read() as session, pytest.raises(ArtifactInRemoval, match="just being removed"):
        check(session)
    with pytest.raises(ArtifactInRemoval, match="just being removed"), there.database.write() as session:
        commit_promotion(session, before, copied=COPIED, actor="test")
    # Another janitor ends it, though a promotion waits for that: it would wait for ever.
    promote_job(there)
    assert there.collect().deleted == (not deleted)
    assert PROMOTED not in there.left()
    with pytest.raises(ArtifactInRemoval, match="was removed meanwhile"), there.database.write() as session:
        commit_promotion(session, before, copied=COPIED, actor="test")
    there.put_artifact(PROMOTED)
    with there.database.write() as session:
        commit_promotion(session, check(session), copied=COPIED, actor="test")
    kept(there, PROMOTED)


def test_a_removal_is_not_taken_over_while_a_training_may_mean_its_object(
    there: Belongings, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.put_artifact(ORPHAN)
    die_in_removal(there, monkeypatch, deleted=False)
    claim_job(there.database, add_job(there.database, kind=Kind.TRAIN, dataset_name="iris"))
    assert there.collect().deleted == 0


def test_a_promotion_does_not_commit_what_was_removed_under_its_eyes(
    there: Belongings, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.register(7)
    there.put_artifact(PROMOTED)
    check = partial(check_promotion, dataset_name="iris", version=7, target_stage="staging", stages=STAGES)
    with there.database.read() as session:
        promotion = check(session)
    there.collect(hours=24)
    there.age()
    seen = []

    def look() -> None:
        with there.database.read() as session, pytest.raises(ArtifactInRemoval, match="just being removed"):
            check(session)
        seen.append(True)

    with monkeypatch.context() as patched:
        before_each_deletion(patched, look)
        assert there.collect().deleted == 1
    assert seen
    with pytest.raises(ArtifactInRemoval, match="was removed meanwhile"), there.database.write() as session:
        commit_promotion(session, promotion, copied=COPIED, actor="test")
    # Another attempt looks again, and copies again.
    there.put_artifact(PROMOTED)
    with there.database.write() as session:
        commit_promotion(session, check(session), copied=COPIED, actor="test")
    kept(there, PROMOTED)


def test_a_removal_begins_after_the_grace_only(there: Belongings) -> None:
    seen = orphans.Removal(Shelf.MODELS, ORPHAN, 0)
    with there.database.write() as session:
        orphans.note(session, Shelf.MODELS, [ORPHAN])
        assert orphans.begin_removal(session, seen, grace_seconds=60) is None
        session.execute(update(OrphanRow).values(seen_at=Now(-61)))
        assert orphans.begin_removal(session, seen, grace_seconds=60) == seen._replace(number=1)


def test_an_object_that_was_removed_and_came_again_has_its_grace_again(there: Belongings) -> None:
    there.put_artifact(ORPHAN)
    there.collect(hours=24)
    there.age()
    assert there.collect(hours=NO_GRACE).deleted == 1
    os.utime(there.settings.home / "store" / there.settings.models_bucket / there.put_artifact(ORPHAN), (0, 0))
    assert there.collect(hours=24).deleted == 0


def test_orphans_that_are_gone_or_named_are_forgotten(there: Belongings) -> None:
    gone, named = there.put_artifact("iris_model_dev_v9.pkl"), there.put_artifact(ORPHAN)
    assert there.collect(hours=24).orphans == 2
    there.store.delete(there.settings.models_bucket, gone)
    there.register(7)
    assert there.collect(hours=24).orphans == 0
    with there.database.read() as session:
        assert session.scalars(select(OrphanRow.key)).all() == []
    assert there.left() == {named}


def test_a_removal_is_remembered_for_a_day(there: Belongings) -> None:
    there.put_artifact(ORPHAN)
    there.collect(hours=24)
    there.age()
    assert there.collect().deleted == 1
    for hours, remembered in ((23, [1]), (25, [])):
        with there.database.write() as session:
            session.execute(update(OrphanRow).values(seen_at=Now(-3600 * hours)))
        there.collect()
        with there.database.read() as session:
            assert session.scalars(select(OrphanRow.removals)).all() == remembered


@pytest.mark.parametrize("seed", range(4))
def test_nothing_that_a_row_names_or_a_job_claims_is_ever_deleted(there: Belongings, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same in every run
    with there.database.write() as session:
        insert_dataset(session, "iris_model_dev")
    objects = {
        there.put_artifact(artifact_name(dataset, stage, version))
        for dataset in ("iris", "iris_model_dev", "wine")
        for stage in ("dev", "staging")
        for version in chance.sample(range(1, 12), 4)
    }
    registered = chance.sample(range(1, 12), 4)
    for version in registered:
        there.register(version)
    spoken_for = {artifact_name("iris", "dev", version) for version in registered}
    for version in chance.sample(range(1, 12), 3):
        promote_job(there, version=version)
        spoken_for.add(artifact_name("iris", "staging", version))
    if chance.random() < 0.5:
        claim_job(there.database, add_job(there.database, kind=Kind.TRAIN, dataset_name="wine"))
        spoken_for |= {key for key in objects if key.startswith("wine_model_")}
    there.collect(hours=24)
    there.age()
    there.collect()
    assert there.left() == objects & spoken_for


@pytest.mark.parametrize(
    ("key", "read"),
    [
        ("iris_model_dev_v1.pkl", [("iris", "dev", 1)]),
        ("a_model_b_model_C_v12.pkl", [("a", "b_model_C", 12), ("a_model_b", "C", 12)]),
        ("a_model_model_b_v1.pkl", [("a", "model_b", 1), ("a_model", "b", 1)]),
        ("Iris_model_dev_v1.pkl", []),
        ("iris_model_dev_v0.pkl", []),
        ("iris_model_dev_v1.pkl.bak", []),
        ("iris_model__v1.pkl", []),
        (f"iris_model_dev_v{10**18}.pkl", []),
    ],
)
def test_a_name_is_read_in_every_way_that_it_may_be_meant(key: str, read: list[tuple[str, str, int]]) -> None:
    assert read_artifact_name(key) == [ArtifactName(*each) for each in read]
    assert all(artifact_name(*each) == key for each in read)
