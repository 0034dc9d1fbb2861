"""Passwords that everybody knows, and addresses that others reach: what starts with them, and what does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from structlog.testing import capture_logs

from api.app import create_app
from cli.actions.administering import create_admin
from cli.client.errors import CommandFailed
from cli.doctor.access import check_access
from cli.doctor.examination import CheckState
from cli.launcher.prepare import prepare
from shared.accounts.exposure import check_exposure, check_secrets
from shared.accounts.permissions import Role
from shared.accounts.users import user_count
from shared.database import Database
from shared.errors import WrongSettings
from shared.settings import Settings
from tests.support.accounts import PASSWORD, add_user
from tests.support.first_start import home_of_a_start
from worker.runtime import Runtime

EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing listens there
KNOWN = "redis://:mlmini-development@127.0.0.1:9/0"
REFUSED = "MLMINI_REDIS_URL: the password is one that everybody knows"
IN_COMPOSE = {"host": EVERYWHERE, "allow_open": True, "published_on": "127.0.0.1"}


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path) -> Path:
    """What a first start has left."""
    return home_of_a_start(tmp_path, sqlite_template)


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{home}/ml_registry.db")
    yield database
    database.close()


def settings(home: Path, **more: Any) -> Settings:
    return Settings(home=home, **{"redis_url": SecretStr(KNOWN)} | more)


@pytest.mark.asvs("13.2.3")
@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"host": EVERYWHERE, "allow_open": True}, "others reach the platform, since MLMINI_HOST is 0.0.0.0"),
        (
            IN_COMPOSE | {"published_on": "192.0.2.1"},
            "others reach the platform, since MLMINI_PUBLISHED_ON is 192.0.2.1",
        ),
        (IN_COMPOSE | {"admin_password_file": Path("x")}, "MLMINI_ADMIN_PASSWORD_FILE gives the platform an admin"),
        ({"oidc_issuer": "https://login.example.org"}, "people log in through MLMINI_OIDC_ISSUER"),
    ],
)
def test_passwords_that_everybody_knows_are_refused_outside_of_development(
    home: Path, database: Database, more: dict[str, Any], reason: str
) -> None:
    with pytest.raises(WrongSettings, match=REFUSED) as told:
        check_secrets(database, settings(home, **more))
    assert reason in told.value.detail
    assert "REDIS_PASSWORD" in told.value.detail
    check_secrets(database, settings(home, redis_url=SecretStr("redis://:quiet-otters@127.0.0.1:9/0"), **more))


@pytest.mark.asvs("13.2.3")
def test_with_an_account_nothing_starts_on_them_and_doctor_says_why(home: Path, database: Database) -> None:
    for more in ({}, IN_COMPOSE):
        check_secrets(database, settings(home, **more))
    add_user(database, "anna", Role.ADMIN)
    for more in ({}, IN_COMPOSE):
        with pytest.raises(WrongSettings, match=f"{REFUSED}.* here there are accounts"):
            check_secrets(database, settings(home, **more))
    with pytest.raises(WrongSettings, match=REFUSED):
        Runtime(settings(home))
    with pytest.raises(WrongSettings, match=REFUSED), TestClient(create_app(settings(home))):
        pass
    found = check_access(settings(home))
    assert (found.state, "MLMINI_REDIS_URL" in found.found) == (CheckState.BROKEN, True)
    assert check_access(Settings(home=home)).state is CheckState.OK


@pytest.mark.asvs("13.2.3")
def test_no_account_is_made_while_they_are_used_so_that_the_next_start_works(
    home: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home / "password"
    file.write_text(PASSWORD)
    monkeypatch.setenv("MLMINI_HOME", str(home))
    monkeypatch.setenv("MLMINI_REDIS_URL", KNOWN)
    with pytest.raises(CommandFailed, match=f"{REFUSED}.*there would be accounts"):
        create_admin("anna", file, as_json=False)
    with TestClient(create_app(settings(home)), base_url="http://127.0.0.1") as client:
        answer = client.post("/users", json={"name": "anna", "role": "admin", "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (409, "default_secrets")
        assert "MLMINI_REDIS_URL" in answer.json()["detail"]
        assert "development" in answer.json()["detail"]
        assert "mlmini-development" not in answer.text
    with pytest.raises(WrongSettings, match=REFUSED):
        prepare(settings(home, admin_password_file=file))
    with database.read() as session:
        assert user_count(session) == 0


@pytest.mark.parametrize(
    ("more", "variable"),
    [
        ({"host": EVERYWHERE}, "MLMINI_HOST: on 0.0.0.0"),
        (IN_COMPOSE | {"allow_open": False}, "MLMINI_HOST: on 0.0.0.0"),
        (IN_COMPOSE | {"admin_password_file": Path("x")}, "MLMINI_HOST: on 0.0.0.0"),
        (IN_COMPOSE | {"published_on": EVERYWHERE}, "MLMINI_PUBLISHED_ON: on 0.0.0.0"),
    ],
)
def test_without_accounts_an_address_that_others_reach_is_refused(
    home: Path, database: Database, more: dict[str, Any], variable: str
) -> None:
    with pytest.raises(WrongSettings, match=f"{variable}, others could do everything"):
        check_exposure(database, settings(home, **more))
    check_exposure(database, settings(home, **IN_COMPOSE))
    add_user(database, "anna", Role.ADMIN)
    check_exposure(database, settings(home, **more))


def test_an_api_says_once_that_nobody_has_to_log_in_and_only_then(home: Path, database: Database) -> None:
    def told() -> list[Any]:
        with capture_logs() as logs, TestClient(create_app(Settings(home=home))):
            return [log["host"] for log in logs if log["event"] == "nobody_has_to_log_in"]

    assert told() == ["127.0.0.1"]
    add_user(database, "anna", Role.ADMIN)
    assert told() == []
