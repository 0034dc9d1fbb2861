"""docker-compose.secrets.yml, and the page that says how its files are made: no secret is left in a variable."""

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.accounts.default_secrets import DEVELOPMENT, default_secrets
from shared.accounts.password_file import password_of_file
from shared.accounts.passwords import checked_password
from shared.home import DATABASE_URL_FILE
from shared.settings import PREFIX, Settings, load_settings
from tests.support.documented import ROOT, commands_for

BASE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
SECOND: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.secrets.yml").read_text())
SERVICES: dict[str, Any] = SECOND["services"]
# The platform, and the ids of the users of other images.
OWNERS = {"platform": "10001", "redis": "999"}
# They begin as root, and read what they like.
ROOTS = {"postgres", "seaweedfs"}

by_service = pytest.mark.parametrize("name", SERVICES)
(RECIPE,) = commands_for("compose-secrets")


def environment(name: str) -> dict[str, str | None]:
    """What a service has with both files, as compose merges them."""
    return {**BASE[name]["environment"], **SERVICES[name]["environment"]}


def named(name: str) -> set[str]:
    """The files that a service is told of, but for those that it only has to know of."""
    told = set(re.findall(r"/run/secrets/(\w+)", str(SERVICES[name])))
    return told if name == "init" else told - {"admin_password"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the commands of the page were run; nobody becomes root for it."""
    folder = tmp_path_factory.mktemp("installation")
    (folder / "sudo").touch(mode=0o700)
    (folder / "sudo").write_text(f'#!/bin/sh\necho "$@" >> {folder}/asked\n')
    path = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", "-euo", "pipefail", "-c", RECIPE.text]
    done = subprocess.run(command, cwd=folder, env=os.environ | path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def settings_of(name: str, made: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What the platform takes from the variables of a service, with the files where they are here."""
    for variable in [variable for variable in os.environ if variable.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    for variable, value in environment(name).items():
        if value is not None and variable.startswith(PREFIX) and "${" not in value:
            monkeypatch.setenv(variable, value.replace("/run/secrets", str(made / "secrets")))
    monkeypatch.setenv("MLMINI_S3_ACCESS_KEY", "mlmini")
    # What the init makes, and names in no setting of its own.
    if name in {"api", "worker"}:
        assert os.environ["MLMINI_DATABASE_URL_FILE"] == f"/app/data/{DATABASE_URL_FILE}"
        monkeypatch.delenv("MLMINI_DATABASE_URL_FILE")
    return load_settings()


def test_the_second_file_is_about_all_services_that_have_a_secret() -> None:
    with_secrets = {name for name, service in BASE.items() if re.search("PASSWORD|SECRET", str(service))}
    assert with_secrets - {"minio"} == SERVICES.keys()


@by_service
def test_no_service_has_a_secret_in_a_variable(name: str) -> None:
    for variable, value in environment(name).items():
        assert DEVELOPMENT not in str(value), variable
        assert not re.search(r"\$\{\w*(PASSWORD|SECRET)", str(value)), variable
    files = [variable for variable, value in SERVICES[name]["environment"].items() if "/run/secrets/" in value]
    for variable in set(files) - {"MLMINI_ADMIN_PASSWORD_FILE", "MLMINI_FLOWER_PASSWORD_FILE"}:
        # Else it would come both ways, which is refused.
        assert environment(name)[variable.removesuffix("_FILE")] == ""


@pytest.mark.asvs("13.3.2")
@by_service
def test_each_service_has_the_files_that_it_reads_and_no_others(name: str) -> None:
    assert sorted(SERVICES[name]["secrets"]) == sorted(named(name))
    words = f"{SERVICES[name].get('command', '')} {SERVICES[name].get('healthcheck', '')}"
    assert not re.search(r"(?<!\$)\$\{?\w*(PASSWORD|SECRET|KEY)", words)


def ran(words: list[str], made: Path, *, stub: str) -> subprocess.CompletedProcess[str]:
    """What the shell of a service does, with the files and a program of its image in the places that they have here."""
    program = made / stub
    program.touch(mode=0o700)
    program.write_text('#!/bin/sh\necho "$AWS_SECRET_ACCESS_KEY $*"\ntest -t 0 || cat\n')
    command = [word.replace("$$", "$").replace("/run/secrets", str(made / "secrets")) for word in words]
    path = {"PATH": f"{made}{os.pathsep}{os.environ['PATH']}", "AWS_SECRET_ACCESS_KEY": ""}
    command = [word.replace("/entrypoint.sh", str(program)) for word in command]
    return subprocess.run(command, env=path, input="", capture_output=True, text=True, check=False)


def test_servers_get_the_secret_of_the_file_and_do_not_start_without_it(made: Path) -> None:
    words = [*SERVICES["seaweedfs"]["entrypoint"], *BASE["seaweedfs"]["command"]]
    secret = (made / "secrets" / "store_secret_key").read_text().strip()
    started = ran(words, made, stub="started").stdout
    assert started == f"{secret} {' '.join(BASE['seaweedfs']['command'])}\n"
    missing = ran([word.replace("store_secret_key", "missing") for word in words], made, stub="started")
    assert (missing.returncode != 0, missing.stdout) == (True, "")
    read = ran(SERVICES["redis"]["command"], made, stub="redis-server").stdout
    assert f"\nrequirepass {(made / 'secrets' / 'redis_password').read_text().strip()}\nmaxmemory " in read
    assert read.startswith(" -\n")


def test_what_redis_reads_differs_in_the_place_of_its_password_only() -> None:
    before, after = (service["redis"]["command"][2] for service in (BASE, SERVICES))
    assert after == before.replace("$$REDISCLI_AUTH", "$$(cat /run/secrets/redis_password)")


def test_the_commands_of_the_page_make_each_file_for_its_owner_alone(made: Path) -> None:
    secrets = SECOND["secrets"]
    assert secrets == {name: {"file": f"./secrets/{name}"} for name in secrets}
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (made / "secrets").iterdir()}
    assert files == dict.fromkeys(secrets, 0o600)
    assert stat.S_IMODE((made / "secrets").stat().st_mode) == 0o700
    assert len({(made / "secrets" / name).read_text() for name in secrets}) == len(secrets) - 1
    owners = dict(line.split(" ", 2)[1:] for line in (made / "asked").read_text().splitlines())
    readers = {OWNERS.get(name, OWNERS["platform"]): set[str]() for name in SERVICES}
    for name in SERVICES.keys() - ROOTS:
        readers[OWNERS.get(name, OWNERS["platform"])] |= named(name)
    assert {user: set(names.split()) for user, names in owners.items()} == readers


@pytest.mark.asvs("13.2.3")
@pytest.mark.parametrize("name", ["api", "worker", "init", "flower"])
def test_the_platform_takes_its_secrets_from_these_files_and_none_is_known(
    made: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    settings = settings_of(name, made, monkeypatch)
    assert default_secrets(settings) == []

    def text(file: str) -> str:
        return (made / "secrets" / file).read_text().strip()

    assert settings.redis_url.get_secret_value() == f"redis://:{text('redis_password')}@redis:6379/0"
    if name == "flower":
        assert checked_password(password_of_file(made / "secrets" / "flower_password", called=""), name="flower")
        return
    if name == "init":
        assert settings.database_owner_url is not None
        owner = settings.database_owner_url.get_secret_value()
        assert owner == f"postgresql://mlmini:{text('postgres_password')}@postgres:5432/mlmini"
    else:
        assert settings.database_owner_url is None
        assert "database_url" not in SERVICES[name]["secrets"]
    assert settings.s3_secret_key is not None
    assert settings.artifact_key is not None
    assert settings.s3_secret_key.get_secret_value() == text("s3_secret_key") == text("store_secret_key")
    assert settings.artifact_key.get_secret_value() == text("artifact_key")
    assert checked_password(password_of_file(made / "secrets" / "admin_password", called=""), name="admin")
