"""The key against the models that were sealed: a lost one is not replaced without a word."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from structlog.testing import capture_logs

from api.app import create_app
from cli.launcher.prepare import prepare
from shared.database import Database
from shared.errors import WrongSettings
from shared.registry import deployments
from shared.registry.artifact_keys import open_artifact_key
from shared.registry.sealing import KEY_FILE, read_artifact_key
from shared.settings import Settings
from tests.support.old_homes import unpack
from tests.support.servers import Valkey
from worker.runtime import Runtime

NEW = SecretStr("a new secret of more than thirty-two characters")


@pytest.fixture
def prepared(tmp_path: Path, valkey: Valkey) -> Settings:
    """A platform with models."""
    unpack("0004", tmp_path / "home")
    settings = Settings(home=tmp_path / "home", redis_url=SecretStr(valkey.url), examples=False)
    prepare(settings)
    return settings


@pytest.fixture
def database(prepared: Settings) -> Iterator[Database]:
    database = Database(prepared.sqlalchemy_url)
    yield database
    database.close()


def test_a_key_that_is_gone_stops_every_start_and_is_not_made_anew(prepared: Settings) -> None:
    key = read_artifact_key(prepared)
    assert key is not None
    saved = (prepared.home / KEY_FILE).rename(prepared.home.with_name("saved.key"))
    said = rf"{KEY_FILE} is missing .*models \(3\) were sealed with {key.id}.*from a backup.*train them again"
    for start in (prepare, Runtime):
        with pytest.raises(WrongSettings, match=said):
            start(prepared)
    with pytest.raises(WrongSettings, match=said), TestClient(create_app(prepared)):
        pass
    assert not (prepared.home / KEY_FILE).exists()
    saved.rename(prepared.home / KEY_FILE)
    prepare(prepared)


def test_retired_models_keep_a_lost_key_from_being_replaced_too(prepared: Settings, database: Database) -> None:
    with database.write() as session:
        for version, stage in ((1, "dev"), (1, "staging"), (1, "production"), (2, "dev")):
            deployments.retire(session, version=version, stage=stage, reason=None, stages=prepared.stages)
    (prepared.home / KEY_FILE).unlink()
    with pytest.raises(WrongSettings, match="is missing"):
        open_artifact_key(prepared, database)


def test_a_start_with_the_key_of_all_models_tells_of_no_other(prepared: Settings, database: Database) -> None:
    with capture_logs() as lines:
        open_artifact_key(prepared, database)
    assert lines == []


def test_who_sets_another_key_goes_on_and_is_told_of_the_models_that_it_does_not_fit(
    prepared: Settings, database: Database
) -> None:
    old = read_artifact_key(prepared)
    assert old is not None
    (prepared.home / KEY_FILE).unlink()
    with capture_logs() as lines:
        key = open_artifact_key(prepared.model_copy(update={"artifact_key": NEW}), database)
    (line,) = [line for line in lines if line["event"] == "models_of_another_key"]
    assert (line["key"], line["sealed_with"]) == (key.id, {old.id: 2})
