"""The key that seals artifacts: made once, shared by all, never shown."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.errors import WrongSettings
from shared.registry.sealing import KEY_FILE, load_artifact_key
from shared.settings import Settings

SECRET = "a secret of more than thirty-two characters"


def test_processes_that_start_together_get_the_same_key(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from shared.registry.sealing import load_artifact_key\n"
        "from shared.settings import Settings\n"
        "sys.stdin.read()\n"
        "print(load_artifact_key(Settings(home=pathlib.Path(sys.argv[1]))).secret.hex())\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "home")]
    racers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(6)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.close()
    secrets = set()
    for racer in racers:
        assert racer.stdout is not None
        with racer.stdout as answer:
            secrets.add(answer.read())
        assert racer.wait(timeout=60) == 0
    assert len(secrets) == 1
    assert [path.name for path in (tmp_path / "home").iterdir()] == [KEY_FILE]


@pytest.mark.asvs("13.3.2")
def test_only_the_owner_can_read_the_key(settings: Settings) -> None:
    load_artifact_key(settings)
    assert stat.S_IMODE((settings.home / KEY_FILE).stat().st_mode) == 0o600


def test_the_key_stays_the_same_from_start_to_start(settings: Settings) -> None:
    assert load_artifact_key(settings) == load_artifact_key(settings)


def test_a_key_file_that_went_through_an_editor_holds_the_same_key(settings: Settings) -> None:
    key = load_artifact_key(settings)
    with (settings.home / KEY_FILE).open("a") as file:
        file.write(" \r\n")
    assert load_artifact_key(settings) == key


def test_a_key_from_the_settings_writes_no_file(settings: Settings) -> None:
    key = load_artifact_key(settings.model_copy(update={"artifact_key": SecretStr(SECRET)}))
    assert key.secret == SECRET.encode()
    assert not (settings.home / KEY_FILE).exists()


def test_a_short_key_is_refused_without_showing_it(settings: Settings) -> None:
    with pytest.raises(WrongSettings, match="MLMINI_ARTIFACT_KEY must have at least 32") as refused:
        load_artifact_key(settings.model_copy(update={"artifact_key": SecretStr("hunter2")}))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "ab" * 31])
def test_a_damaged_key_file_is_refused_and_not_replaced(settings: Settings, content: str) -> None:
    settings.home.mkdir()
    (settings.home / KEY_FILE).touch(mode=0o600)
    (settings.home / KEY_FILE).write_text(content)
    with pytest.raises(WrongSettings, match="does not hold a key"):
        load_artifact_key(settings)
    assert (settings.home / KEY_FILE).read_text() == content


def test_the_secret_is_not_in_what_is_printed_of_a_key(settings: Settings) -> None:
    key = load_artifact_key(settings)
    assert key.secret.hex() not in repr(key)
    assert repr(key.secret) not in repr(key)
    assert key.id not in key.secret.hex()
