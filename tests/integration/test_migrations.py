"""The migrations make the schema that the code is written for, on both databases, and take it away again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine, func, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from shared.counters import CounterRow
from shared.database import Database
from shared.datasets.rows import DatasetVersionRow
from shared.errors import WrongSettings
from shared.evaluation.assessment import Assessment
from shared.jobs.acceptance import find_job
from shared.jobs.rows import MIDDLE_PRIORITY, JobEventRow
from shared.jobs.states import State
from shared.migration import SENTENCES, SchemaState, configuration, schema_state, upgrade
from shared.registry.assessments import add_assessment, find_assessment
from shared.registry.rows import DeploymentRow, ModelTagRow, RegistryRow
from shared.schema import metadata
from tests.support import processes
from tests.support.jobs import add_job, add_lines, claim_job, log_of
from tests.support.processes import contents
from tests.support.registry import insert_dataset, register_model
from tests.support.servers import PostgreSQL

pytestmark = pytest.mark.usefixtures("uncounted")

ROOT = Path(__file__).parents[2]

MIGRATING = "tests.support.migrating"
# Root may enter any folder.
NOBODY = "65534"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table; the test runs on both kinds."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/home/ml_registry.db"
        return
    server: PostgreSQL = request.getfixturevalue("postgres")
    with server.fresh_database("template0") as url:
        yield url


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    """A database without any table."""
    database = Database(empty_url)
    yield database
    database.close()


def run(database: Database, act: str, *arguments: str) -> None:
    """One of alembic's commands."""
    with database.engine.connect() as connection:
        getattr(command, act)(configuration(connection), *arguments)
        connection.commit()


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names())


def state_of(database: Database) -> SchemaState:
    with database.engine.connect() as connection:
        return schema_state(connection)


def test_the_schema_goes_up_and_down_and_up_again(empty: Database) -> None:
    upgrade(empty)
    assert tables(empty) == set(metadata.tables) | {"alembic_version"}
    run(empty, "downgrade", "base")
    assert tables(empty) == {"alembic_version"}
    upgrade(empty)
    assert tables(empty) == set(metadata.tables) | {"alembic_version"}


def test_a_migration_keeps_jobs_with_their_events_and_logs(database: Database) -> None:
    job_id = add_job(database)
    add_lines(database, claim_job(database, job_id), "one", "two")
    run(database, "downgrade", "0002")
    upgrade(database)
    assert log_of(database, job_id) == ["one", "two"]
    with database.read() as session:
        job = find_job(session, job_id)
        assert (job.status, job.priority, job.usage) == (State.RUNNING, MIDDLE_PRIORITY, None)
        assert session.scalar(select(func.count()).select_from(JobEventRow)) == 2


def test_a_migration_finds_the_target_of_a_model_in_its_signature(database: Database) -> None:
    job_id = add_job(database)
    with database.write() as session:
        register_model(session, insert_dataset(session), version=1, job_id=job_id)
    run(database, "downgrade", "0006")
    assert "target" not in {column["name"] for column in inspect(database.engine).get_columns("model_registry")}
    upgrade(database)
    with database.read() as session:
        assert session.scalars(select(RegistryRow.target)).one() == "target"


def test_a_migration_that_copies_the_models_keeps_all_that_refers_to_them(database: Database) -> None:
    job_id = add_job(database)
    with database.write() as session:
        register_model(session, insert_dataset(session), version=1, job_id=job_id)
        session.add(ModelTagRow(version=1, tag="kept"))
        add_assessment(session, 1, Assessment(notes=["kept"]))
    run(database, "downgrade", "0015")
    upgrade(database)
    with database.read() as session:
        assert session.execute(select(RegistryRow.version, RegistryRow.candidate)).all() == [(1, 1)]
        assert session.scalars(select(ModelTagRow.tag)).all() == ["kept"]
        assert session.scalars(select(DeploymentRow.version)).all() == [1]
        assert find_assessment(session, 1) == Assessment(notes=["kept"])


def test_several_models_of_a_job_are_not_brought_back_to_an_older_release(database: Database) -> None:
    job_id = add_job(database)
    with database.write() as session:
        data = insert_dataset(session)
        for version in (1, 2):
            register_model(session, data, version=version, job_id=job_id, candidate=version)
    with pytest.raises(RuntimeError, match="jobs of several models"):
        run(database, "downgrade", "0015")
    upgrade(database)
    with pytest.raises(IntegrityError), database.write() as session:
        register_model(session, data, version=3, job_id=job_id, candidate=2)
    assert state_of(database) is SchemaState.CURRENT


def test_a_migration_keeps_reading_old_versions_by_the_rules_that_took_them(database: Database) -> None:
    with database.write() as session:
        insert_dataset(session)
        insert_dataset(session, "new")
        read_by = update(DatasetVersionRow).where(DatasetVersionRow.object_key == "new")
        session.execute(read_by.values(reading={"rules": 2, "format": "csv"}, findings=[{"code": "trimmed"}]))
    for _ in range(2):
        run(database, "downgrade", "0010")
        columns = {column["name"] for column in inspect(database.engine).get_columns("dataset_versions")}
        assert not columns & {"options", "findings", "profile"}
        upgrade(database)
        with database.read() as session:
            found = {row.object_key: row for row in session.scalars(select(DatasetVersionRow))}
            assert [(row.options, row.findings) for row in found.values()] == [({}, []), ({}, [])]
            assert found["iris"].profile is None
        assert found["iris"].reading == {"rules": 1, "format": "csv"}
        # Also where an older release was put back for a while.
        assert found["new"].reading == {"rules": 2, "format": "csv"}


def test_the_migrations_and_the_rows_do_not_drift(database: Database) -> None:
    run(database, "check")


def test_the_migrated_schema_is_the_one_that_the_rows_describe(empty: Database) -> None:
    upgrade(empty)
    migrated = schema(empty)
    run(empty, "downgrade", "base")
    metadata.create_all(empty.engine)
    assert migrated == schema(empty)


def schema(database: Database) -> dict[str, Any]:
    """Also what may differ without alembic's `check` noticing: conditions of indexes, acts of foreign keys."""
    found = inspect(database.engine)
    return {
        table: {
            # Sorted: a migration adds its columns behind the others.
            "columns": sorted((each["name"], str(each["type"]), each["nullable"]) for each in found.get_columns(table)),
            "key": found.get_pk_constraint(table),
            "foreign keys": sorted(found.get_foreign_keys(table), key=lambda each: str(each["name"])),
            "unique": sorted(found.get_unique_constraints(table), key=lambda each: str(each["name"])),
            "indexes": sorted(map(index, found.get_indexes(table))),
        }
        for table in metadata.tables
    }


def index(found: Any) -> tuple[str, list[str], bool, str]:
    conditions = [str(value) for name, value in found.get("dialect_options", {}).items() if name.endswith("_where")]
    return found["name"], found["column_names"], bool(found["unique"]), " ".join(conditions)


def test_the_counters_start_at_zero(database: Database) -> None:
    with database.read() as session:
        counters = {row.name: row.value for row in session.scalars(select(CounterRow))}
    assert counters == {"model_version": 0, "registry_generation": 0}


def test_a_process_can_tell_whether_the_schema_is_its_own(empty: Database) -> None:
    upgrade(empty)
    assert state_of(empty) is SchemaState.CURRENT
    run(empty, "downgrade", "base")
    assert state_of(empty) is SchemaState.EMPTY


def test_four_processes_that_start_together_migrate_once(empty_url: str, tmp_path: Path) -> None:
    with (tmp_path / "errors").open("w+b") as shown:
        started = [
            processes.launch([MIGRATING, empty_url], env=processes.environment({}), cwd=ROOT, output=shown)
            for _ in range(4)
        ]
        assert [process.wait(timeout=60) for process in started] == [0, 0, 0, 0], Path(shown.name).read_text()
    database = Database(empty_url)
    assert state_of(database) is SchemaState.CURRENT
    run(database, "check")
    database.close()


def test_a_second_upgrade_changes_nothing(database: Database) -> None:
    with database.write() as session:
        session.get_one(CounterRow, "model_version").value = 7
    upgrade(database)
    with database.read() as session:
        assert session.get_one(CounterRow, "model_version").value == 7


def alembic(home: Path, url: str, *arguments: str) -> str:
    """What alembic prints at a prompt."""
    variables = {"MLMINI_HOME": str(home)} | ({} if url.startswith("sqlite") else {"MLMINI_DATABASE_URL": url})
    answer = processes.run("alembic", *arguments, variables=variables)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_tables_of_another_program_are_left_as_they_are(empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    add_foreign_table(empty_url)
    before = contents(tmp_path)
    database = Database(empty_url)
    with pytest.raises(WrongSettings) as refused:
        upgrade(database)
    assert refused.value.detail == SENTENCES[SchemaState.FOREIGN]
    assert contents(tmp_path) == before
    assert tables(database) == {"letters"}
    database.close()


def test_a_file_of_another_program_where_the_platform_once_was_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.db.migration-lock").touch()
    url = f"sqlite:///{tmp_path}/x.db"
    add_foreign_table(url)
    before = contents(tmp_path)
    with pytest.raises(WrongSettings):
        upgrade(Database(url))
    assert contents(tmp_path) == before


def test_a_folder_that_may_not_be_entered_is_told(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(0o000)
    answer = processes.run(MIGRATING, f"sqlite:///{closed}/x.db", NOBODY, variables={})
    assert answer.returncode == 1
    assert "The folder of the database file cannot be written: Permission denied" in answer.stderr


def test_tables_are_added_to_those_of_another_program_when_it_is_meant(empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    add_foreign_table(empty_url)
    assert "`alembic upgrade head`" in SENTENCES[SchemaState.FOREIGN]
    alembic(tmp_path / "home", empty_url, "upgrade", "head")
    database = Database(empty_url)
    upgrade(database)
    assert tables(database) == {"letters", "alembic_version"} | set(metadata.tables)
    database.close()


def add_foreign_table(url: str) -> None:
    """As another program makes one, which knows nothing of how the platform opens a database."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE letters (title TEXT)"))
    engine.dispose()


def test_alembic_works_from_the_command_line(empty_url: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    alembic(home, empty_url, "upgrade", "head")
    assert "(head)" in alembic(home, empty_url, "current")
    alembic(home, empty_url, "check")
    alembic(home, empty_url, "downgrade", "base")
    database = Database(empty_url)
    assert tables(database) == {"alembic_version"}
    database.close()
