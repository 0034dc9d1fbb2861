"""Secrets in files: each secret setting has a variable that names one."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from pydantic import SecretStr

from cli.launcher.addresses import Addresses
from cli.launcher.services import environment_of
from shared.errors import WrongSettings
from shared.secret_files import secret_names
from shared.settings import Settings, load_settings

NAMES = secret_names(Settings.model_fields)
# What a secret is called. A setting with such a name that is none, with the reason.
SUSPICIOUS = ("password", "secret", "key", "token", "url", "credential")
NO_SECRETS = {
    "public_url": "the address that people know",
    "s3_endpoint_url": "an address, whose credentials are settings of their own",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_text("hush, hush\n")
    return path


def refused(monkeypatch: pytest.MonkeyPatch, path: object, match: str) -> None:
    monkeypatch.setenv("MLMINI_ARTIFACT_KEY_FILE", str(path))
    with pytest.raises(WrongSettings, match=f"MLMINI_ARTIFACT_KEY_FILE: .*{match}") as told:
        load_settings()
    assert "hush" not in str(told.value)


@pytest.mark.parametrize("name", NAMES)
def test_each_secret_is_taken_from_the_file_that_is_named_for_it(
    monkeypatch: pytest.MonkeyPatch, file: Path, name: str
) -> None:
    monkeypatch.setenv(f"MLMINI_{name.upper()}_FILE", str(file))
    settings = load_settings()
    found = getattr(settings, name)
    assert isinstance(found, SecretStr)
    assert (found.get_secret_value(), settings.model_fields_set) == ("hush, hush", {name})
    monkeypatch.setenv(f"MLMINI_{name.upper()}", "another")
    with pytest.raises(WrongSettings, match=f"MLMINI_{name.upper()} and MLMINI_{name.upper()}_FILE are both set"):
        load_settings()


def test_every_setting_that_is_called_like_a_secret_is_one_or_names_a_file() -> None:
    suspicious = {name for name in Settings.model_fields if any(word in name for word in SUSPICIOUS)}
    assert {name for name in suspicious - set(NAMES) if not name.endswith("_file")} == set(NO_SECRETS)


def test_a_file_that_others_can_read_or_that_holds_no_secret_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: Path
) -> None:
    file.chmod(0o640 | 0o004)
    refused(monkeypatch, file, r"can be read by other users .*chmod 600")
    file.chmod(0o602)
    refused(monkeypatch, file, "can be ")
    file.chmod(0o600)
    refused(monkeypatch, tmp_path / "nothing", "cannot be read: No such file")
    refused(monkeypatch, tmp_path, "(not a regular file|cannot be read)")
    os.mkfifo(tmp_path / "fifo", 0o600)
    refused(monkeypatch, tmp_path / "fifo", "not a regular file")
    for content in (b"", b"\n", b"\xff\xfe", b"x" * 70_000):
        file.write_bytes(content)
        refused(monkeypatch, file, "holds no secret")


def test_a_link_is_followed_as_where_secrets_are_mounted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: Path
) -> None:
    (tmp_path / "link").symlink_to(file)
    monkeypatch.setenv("MLMINI_ARTIFACT_KEY_FILE", str(tmp_path / "link"))
    assert load_settings().artifact_key == SecretStr("hush, hush")
    file.chmod(0o644)
    refused(monkeypatch, tmp_path / "link", "can be read by other users")


def test_parts_get_the_names_of_files_and_not_what_is_in_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLMINI_ARTIFACT_KEY_FILE", "secret")
    monkeypatch.delenv("MLMINI_REDIS_URL", raising=False)
    addresses = cast("Addresses", SimpleNamespace(port=1, flower_port=2))
    given = environment_of(load_settings(), addresses, redis_url_file=tmp_path / "redis.url")
    # They run in another folder.
    assert given["MLMINI_ARTIFACT_KEY_FILE"] == str(file)
    assert given["MLMINI_REDIS_URL_FILE"] == str(tmp_path / "redis.url")
    assert "hush" not in str(given)
