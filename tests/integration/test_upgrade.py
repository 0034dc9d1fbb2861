"""A home that an older release made is opened by this one: what it holds is served as before, under seals of today."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Executable, delete, select, update
from structlog.testing import capture_logs

from api.app import create_app
from cli.launcher.prepare import prepare
from shared.consistency import Examination
from shared.counters import CounterRow
from shared.database import Database
from shared.errors import ArtifactCorrupt, StoreUnavailable
from shared.migration import upgrade
from shared.object_store import ObjectStore, open_store
from shared.registry import deployments
from shared.registry.artifact import fetch
from shared.registry.rows import DeploymentRow
from shared.registry.seal_renewal import Renewal, Renewed
from shared.registry.sealing import ArtifactKey, load_artifact_key
from shared.settings import Settings
from tests.support.buckets import Buckets
from tests.support.models import Platform
from tests.support.old_homes import copy_objects, copy_rows, unpack
from tests.support.servers import PostgreSQL, Valkey
from tests.support.stack import TEST_CLIENT

IRIS = [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]
VISITS = [[30, "basic", 2], [None, "plus", 20]]
# Cells as people write them, among them such as today's rules read in another way.
WRITTEN = {
    ",": "age,plan,visits\n30,basic,2\n NA ,plus,20\n,basic,1e1\n?, basic,7.5\n+55,NA,inf\n41,Plus ,-3\n",
    ";": "age;plan;visits\n30;basic;2\n1,5;plus;1.234\n;plus;2,5\n 44 ;none;0012\n",
}
UNSEEN = "Column 'plan' has values that training did not meet: "
INFINITE = "Column 'visits' has numbers that are infinite or too large: they were taken as missing, as in training, "
# What the release of the home predicted for them, and for the records.
PREDICTED = {
    "0004": {",": "yes no no no no yes", ";": "yes yes yes no", "records": "yes no no no"},
    "0005": {",": "yes no yes no no no", ";": "yes no no no", "records": "yes no no no"},
}
WARNED = {
    ",": [
        UNSEEN + "' basic', 'Plus ', in lines 5, 7. They were taken as unknown. Did you mean 'basic', 'plus'?",
        INFINITE + "in line 6.",
    ],
    ";": [],
    "records": [UNSEEN + "' plus', 'NA', in rows 1, 2. They were taken as unknown. Did you mean 'plus'?"],
}
RECORDS = [
    {"age": 30, "plan": "basic", "visits": 2},
    {"age": None, "plan": " plus", "visits": 20},
    {"plan": "NA", "visits": 7.5},
    {"age": 41, "plan": None},
]
REFUSED = {"age": "41", "plan": "plus", "visits": 3}

DATASET_OF_VISITS = select(DeploymentRow.dataset_id).where(DeploymentRow.version == 2).scalar_subquery()


@pytest.fixture(params=["sqlite-local", pytest.param("postgresql-s3", marks=pytest.mark.thorough)])
def old(request: pytest.FixtureRequest, tmp_path: Path, valkey: Valkey) -> Iterator[Settings]:
    """The settings of a platform that was last run by the release of migration 0004."""
    home = tmp_path / "home"
    unpack("0004", home)
    redis = {"redis_url": SecretStr(valkey.url), "examples": False, "allowed_hosts": TEST_CLIENT}
    if request.param == "sqlite-local":
        yield Settings(home=home).model_copy(update=redis)
        return
    postgres: PostgreSQL = request.getfixturevalue("postgres")
    buckets: Buckets = request.getfixturevalue("buckets")
    with postgres.fresh_database("template0") as url, buckets.lend(home) as settings:
        copy_rows(home, url, "0004")
        with closing(open_store(settings)) as store:
            store.prepare()
            copy_objects(home, store, settings)
        yield settings.model_copy(update=redis | {"database_url": SecretStr(url)})


@dataclass(frozen=True)
class Old:
    """The parts of such a platform, its tables brought up to date; its seals are those of the older release."""

    platform: Platform
    renewal: Renewal

    def refused(self) -> dict[tuple[int, str], str]:
        """The deployments, also retired ones, whose models are refused, and why."""
        own, found = self.platform, {}
        with own.database.read() as session:
            artifacts = [deployments.read_artifact(*row) for row in session.execute(deployments.artifacts())]
        for artifact in artifacts:
            try:
                fetch(own.store, own.settings, self.renewal.key, artifact, own.folder / "fetched")
            except ArtifactCorrupt as error:
                found[artifact.version, artifact.stage] = error.detail
        return found

    def change(self, *statements: Executable) -> None:
        """Change rows, as somebody could who can write the database."""
        with self.platform.database.write() as session:
            for statement in statements:
                session.execute(statement)

    def seals(self) -> dict[int, str]:
        """The seals by the deployments' ids."""
        with self.platform.database.read() as session:
            return {row.id: row.hmac for row in session.execute(select(DeploymentRow.id, DeploymentRow.hmac))}

    def kinds(self) -> list[str]:
        """What `mlmini fsck` finds."""
        own = self.platform
        look = Examination(own.database, own.store, own.settings, self.renewal.key)
        return sorted(difference.kind for difference in look.differences())


def opened(settings: Settings, folder: Path) -> Old:
    database, store = Database(settings.sqlalchemy_url), open_store(settings)
    upgrade(database)
    store.prepare()
    key = load_artifact_key(settings)
    return Old(Platform(database, store, settings, key, folder), Renewal(database, store, settings, key))


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Old]:
    """On SQLite and a local store."""
    unpack("0004", tmp_path / "home")
    found = opened(Settings(home=tmp_path / "home"), tmp_path)
    yield found
    found.platform.database.close()


def predicted(client: TestClient, dataset: str, stage: str, rows: list[Any]) -> Any:
    body = {"dataset_name": dataset, "environment": stage, "input_data": {"features": rows}}
    return client.post("/predict", json=body).json().get("predictions")


def written(client: TestClient, dataset: str, content: str) -> Any:
    query = f"/predict?dataset_name={dataset}&environment=dev"
    headers = {"Content-Type": "text/csv", "Accept": "application/json"}
    return client.post(query, content=content.encode(), headers=headers).json()


def expect_predictions(client: TestClient, home: str) -> None:
    """Cells of CSV and of JSON mean what they meant to the older release."""
    for delimiter, content in WRITTEN.items():
        answer = written(client, "visits", content)
        assert (" ".join(answer["predictions"]), answer["warnings"]) == (PREDICTED[home][delimiter], WARNED[delimiter])
    given = {"dataset_name": "visits", "environment": "dev"}
    answer = client.post("/predict", json=given | {"input_data": {"records": RECORDS}}).json()
    assert (" ".join(answer["predictions"]), answer["warnings"]) == (PREDICTED[home]["records"], WARNED["records"])
    refused = client.post("/predict", json=given | {"input_data": {"records": [REFUSED]}}).json()
    assert refused["detail"] == "Column 'age' (integer), row 0: the text '41' is not a number."


def test_what_an_older_release_kept_is_served_as_before(old: Settings, tmp_path: Path) -> None:
    expect_service(old, tmp_path, "0004")


def test_what_the_release_before_kept_is_served_as_before(tmp_path: Path, valkey: Valkey) -> None:
    unpack("0005", tmp_path / "home")
    update = {"redis_url": SecretStr(valkey.url), "examples": False, "allowed_hosts": TEST_CLIENT}
    expect_service(Settings(home=tmp_path / "home").model_copy(update=update), tmp_path, "0005")


def expect_service(old: Settings, folder: Path, home: str) -> None:
    """Everything that was made by an older release is there, and goes on."""
    prepare(old)
    with TestClient(create_app(old)) as client:
        expect_predictions(client, home)
        for stage in ("dev", "staging", "production"):
            assert predicted(client, "iris", stage, IRIS) == ["setosa", "virginica"]
        assert predicted(client, "visits", "dev", VISITS) == ["yes", "no"]
        assert client.get("/models/3/artifact").status_code == 200
        assert client.get("/datasets/visits/preview").json()["rows"]
        jobs = client.get("/jobs").json()["items"]
        assert [job["status"] for job in jobs if job["kind"] != "compile"] == ["succeeded"] * 5
        # Each model that was loaded gets its compiled form once there is a worker.
        asked = [job["request"]["version"] for job in jobs if job["kind"] == "compile"]
        assert sorted(asked) == [1, 2]
    there = opened(old, folder)
    assert (there.refused(), there.kinds()) == ({}, [])
    assert there.platform.promote(2, "staging", name="visits")["serving_version"] == 2
    assert there.refused() == {}
    before = there.seals()
    prepare(old)
    assert there.seals() == before
    there.platform.database.close()
    there.platform.store.close()


def test_before_it_is_prepared_old_seals_are_refused_with_what_to_do(here: Old) -> None:
    refused = here.refused()
    assert len(refused) == 5
    assert all("seal of an older release" in reason and "`mlmini up`" in reason for reason in refused.values())
    assert here.kinds() == ["seal_outdated"] * 5
    assert here.renewal.renew() == Renewed(renewed=5)
    assert (here.refused(), here.kinds()) == ({}, [])


def test_what_is_not_what_was_registered_stays_refused_and_the_rest_goes_on(here: Old) -> None:
    bucket = here.platform.settings.models_bucket
    here.platform.overwrite("visits_model_dev_v2.pkl", lambda data: data[:-1] + b"x")
    here.platform.store.delete(bucket, "iris_model_staging_v1.pkl")
    with capture_logs() as lines:
        assert here.renewal.renew() == Renewed(renewed=3, left=2)
    told = {(line["version"], line["stage"]): line["reason"] for line in lines if line["event"] == "seal_not_renewed"}
    assert "other contents" in told[2, "dev"]
    assert "missing" in told[1, "staging"]
    assert here.refused().keys() == {(2, "dev"), (1, "staging")}
    assert here.kinds() == ["object_digest", "object_missing", "seal_outdated", "seal_outdated"]


@pytest.mark.parametrize(
    "pointed",
    [
        update(DeploymentRow).where(DeploymentRow.stage == "production").values(dataset_id=DATASET_OF_VISITS),
        update(DeploymentRow).where(DeploymentRow.version == 2).values(stage="production"),
        update(DeploymentRow).where(DeploymentRow.version == 2).values(version=3, stage="staging"),
        update(DeploymentRow).where(DeploymentRow.version == 2).values(size_bytes=1),
    ],
    ids=["to another dataset", "to another stage", "to another version", "to another file"],
)
def test_a_row_that_was_pointed_elsewhere_gets_no_seal_of_today(here: Old, pointed: Executable) -> None:
    here.change(pointed)
    assert here.renewal.renew() == Renewed(renewed=4, left=1)
    assert len(here.refused()) == 1


def test_an_old_seal_that_comes_after_the_renewal_is_refused_for_good(here: Old) -> None:
    old = here.seals()
    here.renewal.renew()
    here.change(*(update(DeploymentRow).where(DeploymentRow.id == row).values(hmac=mac) for row, mac in old.items()))
    assert here.renewal.renew() == Renewed()
    assert len(here.refused()) == 5
    # Nor does it help to take the mark of the renewal away: what is renewed is what the old seal said itself.
    here.change(
        delete(CounterRow).where(CounterRow.name.startswith("seals:")),
        update(DeploymentRow).where(DeploymentRow.stage == "production").values(dataset_id=DATASET_OF_VISITS),
    )
    assert here.renewal.renew() == Renewed(renewed=4, left=1)
    assert here.refused().keys() == {(1, "production")}


def test_a_renewal_that_was_cut_off_is_ended_by_the_next_start(here: Old) -> None:
    failing = replace(here.renewal, store=cast("ObjectStore", Failing(here.platform.store, after=2)))
    with pytest.raises(StoreUnavailable):
        failing.renew()
    assert len(here.refused()) == 3
    assert here.renewal.renew() == Renewed(renewed=3)
    assert here.refused() == {}


class Failing:
    """A store that goes away after some files were read."""

    def __init__(self, store: ObjectStore, *, after: int) -> None:
        self._store = store
        self._left = after

    @contextmanager
    def open(self, bucket: str, key: str, **part: Any) -> Iterator[BinaryIO]:
        if self._left == 0:
            raise StoreUnavailable
        self._left -= 1
        with self._store.open(bucket, key, **part) as file:
            yield file


def test_of_several_that_start_together_one_renews(old: Settings, tmp_path: Path) -> None:
    starting = [opened(old, tmp_path) for _ in range(4)]
    counted: list[Renewed] = []
    threads = [threading.Thread(target=lambda each=each: counted.append(each.renewal.renew())) for each in starting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.renewed for each in counted) == [0, 0, 0, 5]
    assert starting[0].refused() == {}
    for each in starting:
        each.platform.database.close()
        each.platform.store.close()


def test_seals_of_a_key_that_is_not_here_are_renewed_once_it_is_back(here: Old) -> None:
    other = replace(here.renewal, key=ArtifactKey(b"another key of thirty-two bytes or more"))
    assert other.renew() == Renewed()
    assert here.renewal.renew() == Renewed(renewed=5)
    assert here.refused() == {}


def test_an_older_release_does_not_start_on_seals_that_it_cannot_read(here: Old) -> None:
    with closing(sqlite3.connect(here.platform.settings.home / "ml_registry.db")) as database:
        ((revision,),) = database.execute("SELECT version_num FROM alembic_version").fetchall()
    # It knows the revisions up to this one, and refuses a schema of any other.
    assert revision > "0004"
