"""A home that an older release made is opened by this one: what it holds is served as before."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from cli.prepare import prepare
from shared.object_store import open_store
from shared.settings import Settings
from tests.support.buckets import Buckets
from tests.support.old_homes import copy_objects, copy_rows, unpack
from tests.support.servers import PostgreSQL, Valkey

IRIS = [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]
VISITS = [[30, "basic", 2], [None, "plus", 20]]


@pytest.fixture(params=["sqlite-local", "postgresql-s3"])
def old(request: pytest.FixtureRequest, tmp_path: Path, valkey: Valkey) -> Iterator[Settings]:
    """The settings of a platform that was last run by the release of migration 0004."""
    home = tmp_path / "home"
    unpack("0004", home)
    redis = {"redis_url": SecretStr(valkey.url), "examples": False}
    if request.param == "sqlite-local":
        yield Settings(home=home).model_copy(update=redis)
        return
    postgres: PostgreSQL = request.getfixturevalue("postgres")
    buckets: Buckets = request.getfixturevalue("buckets")
    with postgres.fresh_database("template0") as url, buckets.lend(home) as settings:
        copy_rows(home, url, "0004")
        store = open_store(settings)
        store.prepare()
        copy_objects(home, store, settings)
        store.close()
        yield settings.model_copy(update=redis | {"database_url": SecretStr(url)})


def predicted(client: TestClient, dataset: str, stage: str, rows: list[Any]) -> Any:
    body = {"dataset_name": dataset, "environment": stage, "input_data": {"features": rows}}
    return client.post("/predict", json=body).json().get("predictions")


def test_what_an_older_release_kept_is_served_as_before(old: Settings) -> None:
    prepare(old)
    with TestClient(create_app(old)) as client:
        for stage in ("dev", "staging", "production"):
            assert predicted(client, "iris", stage, IRIS) == ["setosa", "virginica"]
        assert predicted(client, "visits", "dev", VISITS) == ["yes", "no"]
        assert client.get("/models/3/artifact").status_code == 200
        assert client.get("/datasets/visits/preview").json()["rows"]
        jobs = client.get("/jobs").json()["items"]
        assert [job["status"] for job in jobs] == ["succeeded"] * 5
