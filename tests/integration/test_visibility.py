"""What sessions leave out of all they read for somebody; on both databases."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

import api.routes
from shared.accounts.rows import DatasetHolderRow
from shared.accounts.sight import ALL_SEEING, NO_TEAM, Sight, current_sight, seeing, whole
from shared.database import Base, Database
from shared.datasets.catalog import delete_dataset, find_dataset
from shared.datasets.rows import DatasetRow, DatasetVersionRow
from shared.errors import InvalidRequest, NotAllowed, PlatformError, UnknownDataset
from shared.jobs.acceptance import IdempotencyKey, accept, answered_before
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind
from shared.registry.rows import ErasedModelRow
from shared.registry.storage import stored_bytes
from shared.registry.teams import Walls, check_name, give_dataset, hold_name
from shared.registry.visibility import SeenDatabase, _walls, datasets_of
from tests.support.registry import insert_dataset

RED, BLUE = Sight(frozenset({"red"})), Sight(frozenset({"blue", "green"}))


@pytest.fixture
def seen(database: Database) -> SeenDatabase:
    """Two datasets, of which `red_table` is kept for the team red, each with a job."""
    with database.write() as session:
        for name in ("open_table", "red_table"):
            data = insert_dataset(session, name)
            accept(session, kind=Kind.TRAIN, request={}, dataset_name=name, dataset_version_id=data.version_id)
        give_dataset(session, "red_table", owner="anna", team="red")
        give_dataset(session, "open_table", owner="anna", team=None)
    return SeenDatabase(database)


def names(seen: SeenDatabase) -> tuple[list[str], list[str]]:
    with seen.read() as session:
        datasets = session.scalars(select(DatasetRow.name).order_by(DatasetRow.name)).all()
        return list(datasets), list(session.scalars(select(JobRow.dataset_name).order_by(JobRow.dataset_name)))


@pytest.mark.parametrize(
    ("sight", "found"),
    [
        (ALL_SEEING, ["open_table", "red_table"]),
        (RED, ["open_table", "red_table"]),
        (BLUE, ["open_table"]),
        (NO_TEAM, ["open_table"]),
    ],
)
def test_a_session_finds_what_is_for_everybody_and_for_the_teams(
    seen: SeenDatabase, sight: Sight, found: list[str]
) -> None:
    with seeing(sight):
        assert names(seen) == (found, found)
        with seen.write() as session:
            assert session.scalar(select(func.count()).where(JobRow.kind == Kind.TRAIN)) == len(found)
            assert session.scalar(select(func.count(DatasetVersionRow.id))) == len(found)
            locked = session.scalars(select(DatasetRow.name).with_for_update()).all()
            assert len(locked) == len(found)
            with whole(session):
                assert session.scalar(select(func.count(JobRow.id))) == 2


def test_what_is_not_read_for_somebody_sees_everything(database: Database, seen: SeenDatabase) -> None:
    assert current_sight() is ALL_SEEING
    with seeing(BLUE), database.read() as session:
        assert session.scalar(select(func.count(DatasetRow.id))) == 2
    assert names(seen) == (["open_table", "red_table"],) * 2


def test_a_hidden_dataset_is_unknown_in_the_words_of_one_that_is_not_there(seen: SeenDatabase) -> None:
    def told(name: str) -> str:
        with seen.read() as session, pytest.raises(UnknownDataset) as refused:
            find_dataset(session, name)
        return refused.value.detail.replace(name, "NAME")

    with seeing(BLUE):
        assert told("red_table") == told("rad_table")
    with seeing(RED), pytest.raises(UnknownDataset, match="Did you mean 'red_table'"), seen.read() as session:
        find_dataset(session, "red_tables")


def test_a_batch_prediction_is_hidden_with_either_of_its_datasets(database: Database, seen: SeenDatabase) -> None:
    with database.write() as session:
        for model, rows in (("open_table", "red_table"), ("red_table", "open_table"), ("open_table", "open_table")):
            request = {"input": {"dataset_name": rows, "dataset_version": 1}}
            job = accept(session, kind=Kind.PREDICT, request=request, dataset_name=model, dataset_version_id=None)
            assert datasets_of(job) == [model, rows]
    batches = select(func.count(JobRow.id)).where(JobRow.kind == Kind.PREDICT)
    for sight, count in ((BLUE, 1), (RED, 3)):
        with seeing(sight), seen.read() as session:
            assert session.scalar(batches) == count


def test_a_key_of_a_job_that_is_hidden_by_now_is_answered_with_nothing(database: Database, seen: SeenDatabase) -> None:
    key = IdempotencyKey("berta", "again", fingerprint="f", keep_hours=1)
    with database.write() as session:
        accept(session, kind=Kind.TRAIN, request={}, dataset_name="red_table", dataset_version_id=None, key=key)
    for sight, is_there in ((RED, True), (BLUE, False)):
        with seeing(sight), seen.read() as session:
            assert (answered_before(session, key) is not None) is is_there


def test_what_a_user_has_stored_counts_also_where_it_is_hidden_from_the_user(
    database: Database, seen: SeenDatabase
) -> None:
    with database.write() as session:
        for version in session.scalars(select(DatasetVersionRow)):
            version.owner = "anna"
    with seeing(BLUE), seen.read() as session:
        assert stored_bytes(session, "anna") == 2


def test_the_name_of_a_deleted_dataset_stays_the_teams_with_its_jobs(database: Database, seen: SeenDatabase) -> None:
    with database.write() as session:
        delete_dataset(session, "red_table")
        delete_dataset(session, "open_table")
    with seeing(BLUE):
        assert names(seen) == ([], ["open_table"])
        with seen.write() as session, pytest.raises(NotAllowed, match="taken by a team that you are not in"):
            hold_name(session, "red_table", owner="berta", team=None)
    with seeing(RED), seen.write() as session:
        hold_name(session, "red_table", owner="rosa", team=None)
    with database.read() as session:
        holders = session.execute(select(DatasetHolderRow.dataset_name, DatasetHolderRow.owner, DatasetHolderRow.team))
        assert [tuple(row) for row in holders] == [("red_table", "rosa", "red")]


def test_an_erased_model_of_a_hidden_dataset_was_never_there(database: Database, seen: SeenDatabase) -> None:
    with database.write() as session:
        job_id = session.scalars(select(JobRow.id).where(JobRow.dataset_name == "red_table")).one()
        row = {"version": 9, "dataset_name": "red_table", "dataset_version": 1, "job_id": job_id, "sha256": ""}
        at = session.scalars(select(DatasetRow.created_at).limit(1)).one()
        session.add(ErasedModelRow(**row, size_bytes=1, deployments=[], trained_at=at, erased_by="anna"))
    for sight, count in ((RED, 1), (BLUE, 0)):
        with seeing(sight), seen.read() as session:
            assert session.scalar(select(func.count(ErasedModelRow.version))) == count


def test_a_dataset_that_is_there_keeps_its_team_when_a_version_is_uploaded(seen: SeenDatabase) -> None:
    with seeing(RED), seen.write() as session:
        check_name(session, "red_table", "red")
        check_name(session, "red_table", None)
        with pytest.raises(InvalidRequest, match="is for everybody"):
            check_name(session, "open_table", "red")
        hold_name(session, "open_table", owner="rosa", team=None)
        assert find_dataset(session, "open_table").owner == "anna"


def test_of_two_teams_that_take_a_name_at_once_one_gets_it(database: Database) -> None:
    seen = SeenDatabase(database)
    both = threading.Barrier(2)
    got: list[str] = []
    refused: list[PlatformError] = []

    def take(team: str) -> Callable[[], None]:
        def run() -> None:
            with seeing(Sight(frozenset({team}))):
                both.wait()
                try:
                    with seen.write() as session:
                        hold_name(session, "new_table", owner=f"of {team}", team=team)
                    got.append(team)
                except NotAllowed as error:
                    refused.append(error)

        return run

    threads = [threading.Thread(target=take(team)) for team in ("red", "blue")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 1)
    with database.read() as session:
        holder = session.scalars(select(DatasetHolderRow)).one()
    assert (holder.team, holder.owner) == (got[0], f"of {got[0]}")


def test_a_process_knows_the_teams_of_datasets_from_its_last_look(database: Database, seen: SeenDatabase) -> None:
    walls = Walls()
    with database.read() as session:
        walls.look(session)
    with seeing(BLUE):
        assert (walls.hides("red_table"), walls.hides("open_table")) == (True, False)
        assert walls.hidden() == {"red_table"}
    with seeing(RED):
        assert (walls.hides("red_table"), walls.hidden()) == (False, frozenset())
    assert not walls.hides("red_table"), "the platform's own work sees everything"
    with database.write() as session:
        give_dataset(session, "red_table", owner=None, team=None)
        give_dataset(session, "open_table", owner=None, team="red")
    with database.read() as session:
        walls.look(session)
    with seeing(BLUE):
        assert walls.hidden() == {"open_table"}


def test_every_row_that_names_a_dataset_is_left_out_with_it() -> None:
    walled = {option.entity.class_ for option in _walls(frozenset()).conditions}  # type: ignore[attr-defined]  # of SQLAlchemy
    naming = {
        mapper.class_
        for mapper in Base.registry.mappers
        if {"dataset_id", "dataset_name", "dataset_version_id"} & set(mapper.columns.keys())
    }
    assert walled == naming - {DatasetHolderRow} | {DatasetRow}


def test_no_endpoint_but_the_metrics_reads_what_nobody_may_be_told() -> None:
    folder = Path(api.routes.__file__).parent
    assert [file.name for file in folder.glob("*.py") if "whole_database" in file.read_text()] == ["health.py"]
