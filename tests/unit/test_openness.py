"""Where nobody has to be asked, and which passwords everybody knows."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from shared.accounts.default_secrets import default_secrets
from shared.accounts.openness import may_be_open
from shared.errors import WrongSettings
from shared.settings import Settings, load_settings

EVERYWHERE = "0.0.0.0"  # noqa: S104 - it only is a setting
ADMIN = {"admin_password_file": Path("password")}


@pytest.mark.parametrize(
    ("host", "more", "expected"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        (EVERYWHERE, {}, False),
        ("", {}, False),
        (EVERYWHERE, {"allow_open": True}, True),
        (EVERYWHERE, {"allow_open": True} | ADMIN, False),
        ("127.0.0.1", ADMIN, True),
        (EVERYWHERE, {"published_on": "127.0.0.1"}, False),
        (EVERYWHERE, {"published_on": "127.0.0.1", "allow_open": True}, True),
        (EVERYWHERE, {"published_on": "127.0.0.1", "allow_open": True} | ADMIN, False),
        (EVERYWHERE, {"published_on": EVERYWHERE, "allow_open": True}, False),
        ("127.0.0.1", {"published_on": "192.0.2.1", "allow_open": True}, False),
    ],
)
def test_an_address_may_be_open_on_this_machine_or_where_it_is_meant(
    host: str, more: dict[str, Any], expected: bool
) -> None:
    assert may_be_open(Settings(**more), host) is expected


def test_where_a_container_is_published_has_to_be_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, taken in (("0.0.0.0", EVERYWHERE), ("[::1]", "::1")):  # noqa: S104 - it only is a setting
        monkeypatch.setenv("MLMINI_PUBLISHED_ON", given)
        assert load_settings().published_on == taken
    for wrong in ("everywhere", "127.0.0.1:8000", "ml.example.org"):
        monkeypatch.setenv("MLMINI_PUBLISHED_ON", wrong)
        with pytest.raises(WrongSettings, match=r"MLMINI_PUBLISHED_ON: .*such as 127\.0\.0\.1 or 0\.0\.0\.0"):
            load_settings()


def stored(**more: str) -> dict[str, Any]:
    return {"store": "s3", **{f"s3_{name}": SecretStr(value) for name, value in more.items()}}


@pytest.mark.asvs("13.2.3")
@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, []),
        ({"database_url": SecretStr("postgresql://mlmini:mlmini-development@postgres/x")}, ["DATABASE_URL"]),
        ({"database_url": SecretStr("postgresql+psycopg://anna:anna@db/x")}, ["DATABASE_URL"]),
        ({"database_url": SecretStr("postgresql://anna@db/x?password=Postgres")}, ["DATABASE_URL"]),
        # What comes after the question mark counts for the database, whatever is before it.
        ({"database_url": SecretStr("postgresql://anna:otters%2F17@db/x?password=postgres")}, ["DATABASE_URL"]),
        ({"database_url": SecretStr("postgresql://db/x?user=anna&password=Anna")}, ["DATABASE_URL"]),
        ({"database_url": SecretStr("postgresql://anna:otters%2F17@db/x")}, []),
        ({"database_url": SecretStr("postgresql://postgres@db/x")}, []),
        ({"database_owner_url": SecretStr("postgresql://mlmini:mlmini-development@db/x")}, ["DATABASE_OWNER_URL"]),
        ({"database_owner_url": SecretStr("postgresql://mlmini:otters%2F17@db/x")}, []),
        ({"redis_url": SecretStr("redis://:mlmini-development@redis:6379/0")}, ["REDIS_URL"]),
        ({"redis_url": SecretStr("rediss://redis/0?password=foobared")}, ["REDIS_URL"]),
        ({"redis_url": SecretStr("redis://:quiet-otters@redis:6379/0")}, []),
        (stored(access_key="minioadmin", secret_key="minioadmin"), ["S3_SECRET_KEY"]),
        (stored(access_key="mlmini", secret_key="mlmini-development"), ["S3_SECRET_KEY"]),
        (stored(access_key="mlmini", secret_key="quiet-otters"), []),
        (stored(access_key="mlmini", secret_key="mlmini-development") | {"store": "local"}, []),
        # What cannot be read is refused where it is used, and hides nothing here.
        (
            {"database_url": SecretStr("at home"), "redis_url": SecretStr("redis://:root@redis")},
            ["REDIS_URL"],
        ),
    ],
)
def test_passwords_that_everybody_knows_are_found(given: dict[str, Any], found: list[str]) -> None:
    assert default_secrets(Settings(**given)) == found
