"""`mlmini up` with real processes."""

import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import psutil
import pytest

from tests.support.alive import kill_each
from tests.support.busy_folders import below
from tests.support.command_line import MODULE, environment
from tests.support.launcher import COMMAND, PARENT, READY_SECONDS, Launcher, all_gone, launched
from tests.support.processes import finish
from tests.support.raw_http import exchange
from tests.support.site import SLOW
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("uncounted")

# Far more than the launcher waits for its parts before it kills them: a busy machine is slow to end processes, too.
STOP_SECONDS = 30


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """A running platform for tests that leave it as it is, started as users do it after everything was killed.

    None of it is forked, so that in the end it goes with its launcher as that of users does.
    """
    home = tmp_path_factory.mktemp("shared") / "home"
    with launched(home) as launcher:
        family = launcher.family()
        kill_each([psutil.Process(launcher.process.pid), *family])
        eventually(lambda: all_gone(family), timeout=30)
        launcher.wait()
    # The parts run in the home; what lies there is data, whatever it is called.
    (home / "redis.py").touch(mode=0o600)
    (home / "redis.py").write_text("raise SystemExit('imported from the home')")
    with launched(home, command=COMMAND) as again:
        yield again
        kill(again)


def stop(launcher: Launcher, number: int) -> None:
    """Ask it to stop, which leaves no process."""
    family = launcher.family()
    began = time.monotonic()
    assert launcher.stop(number) == 0
    assert time.monotonic() - began < STOP_SECONDS
    assert all_gone(family)
    assert "killed" not in launcher.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_a_request_to_stop_leaves_no_process(tmp_path: Path, number: int) -> None:
    with launched(tmp_path / "home") as launcher:
        stop(launcher, number)


def test_everything_is_ready_when_it_says_so(platform: Launcher) -> None:
    pages = {name: platform.status_of(name) for name in ("Swagger UI", "Readiness", "Jobs", "Flower")}
    assert pages == {"Swagger UI": 200, "Readiness": 200, "Jobs": 200, "Flower": 200}
    for part in ("Valkey", "Storage", "API", "Worker", "Flower"):
        assert f"✓ {part} " in platform.output
    assert f"Data        {platform.home}\n" in platform.output
    assert "\033" not in platform.output


def test_a_start_after_kill_9_of_everything_works(platform: Launcher) -> None:
    assert platform.status_of("Readiness") == 200
    assert (platform.home / "logs" / "worker.log.1").exists()


def test_what_it_writes_is_for_its_owner_alone(platform: Launcher) -> None:
    found = {platform.home: platform.home.stat()} | below(platform.home)
    assert [path for path, status in found.items() if status.st_mode & 0o077] == []


def test_redis_answers_nobody_without_its_password_which_is_in_a_file_alone(platform: Launcher) -> None:
    file = Path(platform.part("worker").environ()["MLMINI_REDIS_URL_FILE"])
    url = file.read_text().strip()
    password = url.split(":")[2].partition("@")[0]
    assert len(password) > 20
    for process in platform.family():
        assert password not in " ".join(process.cmdline())
        assert password not in str(process.environ())
    logs = [path for path in (platform.home / "logs").iterdir() if password in path.read_text()]
    assert logs == []
    port = int(url.rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as stranger:
        for words in (b"PING", b"KEYS *", b"CONFIG GET requirepass"):
            stranger.sendall(words + b"\r\n")
            assert stranger.recv(1000).startswith(b"-NOAUTH")


def test_flower_gets_no_setting_of_the_platform_but_where_redis_is(platform: Launcher) -> None:
    given = [name for name in platform.part("flower").environ() if name.startswith("MLMINI_")]
    assert given == ["MLMINI_REDIS_URL_FILE"]


def test_flower_answers_to_the_names_of_this_machine_only(platform: Launcher) -> None:
    url = platform.url("Flower")
    for host in ("localhost", "127.0.0.1:5555", "[::1]:5555"):
        assert exchange(url, "GET /healthcheck HTTP/1.1", f"Host: {host}").status == 200
    for target in ("/healthcheck", "/tasks", "/", "/static/js/flower.js", "/nothing"):
        assert exchange(url, f"GET {target} HTTP/1.1", "Host: evil.example").status == 421
    assert exchange(url, "GET /tasks HTTP/1.0").status == 421
    assert exchange(url, "GET /tasks HTTP/1.1", "Host: localhost", "Host: localhost").status in {400, 421}


def test_a_second_start_on_the_same_home_is_refused(platform: Launcher) -> None:
    second = Launcher(platform.home)
    assert second.wait() == 1
    assert f"already runs on {platform.home} (process {platform.process.pid})" in second.output
    assert platform.process.poll() is None
    assert platform.status_of("Readiness") == 200


def test_two_homes_run_side_by_side_on_ports_of_their_own(platform: Launcher, tmp_path: Path) -> None:
    with ExitStack() as taken:
        for port in (8000, 5555):
            # Where somebody has one of them already, it is taken just as well.
            with suppress(OSError):
                taken.enter_context(socket.create_server(("127.0.0.1", port)))
        with launched(tmp_path / "home", ports=False) as other:
            assert "as 8000 is taken; MLMINI_PORT names another" in other.output
            assert "as 5555 is taken; MLMINI_FLOWER_PORT names another" in other.output
            assert [each.status_of("Readiness") for each in (platform, other)] == [200, 200]
            assert [each.status_of("Flower") for each in (platform, other)] == [200, 200]


@pytest.mark.parametrize(("word", "name"), [("worker", "Worker"), ("valkey-server", "Valkey")])
def test_a_part_that_ends_is_named_and_ends_everything(tmp_path: Path, word: str, name: str) -> None:
    with launched(tmp_path / "home") as launcher:
        family = launcher.family()
        launcher.part(word).kill()
        assert launcher.wait() == 1
        eventually(lambda: all_gone(family))
    assert f"mlmini: {name} was ended by SIGKILL" in launcher.output
    log = tmp_path / "home" / "logs" / f"{name.lower()}.log"
    told = launcher.output.partition(f"The last lines of {log}:\n")[2]
    assert told.startswith("    ")
    assert told.splitlines()[0].strip() in log.read_text()


def kill(launcher: Launcher) -> None:
    """Kill the launcher alone, which ends all of its parts."""
    family = launcher.family()
    assert len(family) >= 4
    launcher.process.kill()
    launcher.wait()
    eventually(lambda: all_gone(family), timeout=90)


def test_kill_9_of_the_launcher_ends_all_parts(tmp_path: Path) -> None:
    with launched(tmp_path / "home") as launcher:
        kill(launcher)


@pytest.mark.thorough
def test_a_part_that_ignores_the_request_is_killed_in_time(tmp_path: Path) -> None:
    with launched(tmp_path / "home") as launcher:
        family = launcher.family()
        launcher.part("worker").suspend()
        began = time.monotonic()
        # As the end of a terminal does.
        assert launcher.stop(signal.SIGHUP) == 0
        assert time.monotonic() - began < STOP_SECONDS
        # What it had started is ended by the kernel, a moment later.
        eventually(lambda: all_gone(family))
        assert "Worker did not stop and is killed" in launcher.output


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    with launched(tmp_path / "home") as launcher:
        family = launcher.family()
        launcher.part("worker").suspend()
        launcher.process.send_signal(signal.SIGINT)
        eventually(lambda: "Stopping" in launcher.output)
        began = time.monotonic()
        assert launcher.stop() == 0
        assert time.monotonic() - began < 3
        # What it had started is ended by the kernel, a moment later.
        eventually(lambda: all_gone(family))


def test_ctrl_c_in_the_middle_of_a_fit_puts_the_job_back_and_counts_no_crash(tmp_path: Path) -> None:
    with launched(tmp_path / "home") as launcher, launcher.client() as client:
        family = launcher.family()
        job = client.post("/train", json={"dataset_name": "iris", "use_example": True, "model": SLOW}).json()
        eventually(lambda: client.get(f"/jobs/{job['job_id']}").json()["progress"]["step"] == "fitting", timeout=30)
        began = time.monotonic()
        assert launcher.stop() == 0
        assert time.monotonic() - began < STOP_SECONDS
        assert all_gone(family)
    with closing(sqlite3.connect(tmp_path / "home" / "ml_registry.db")) as database:
        assert database.execute("SELECT status, crash_count FROM jobs").fetchall() == [("queued", 0)]


def test_a_request_to_stop_during_the_start_is_followed(tmp_path: Path) -> None:
    launcher = Launcher(tmp_path / "home")
    eventually((tmp_path / "home" / "logs" / "valkey.log").exists, timeout=READY_SECONDS)
    family = launcher.family()
    assert launcher.stop() == 0
    assert all_gone(family)
    assert "Stop  " not in launcher.output


def test_the_launcher_follows_its_parent_when_asked_to(tmp_path: Path) -> None:
    with launched(tmp_path / "home", module=PARENT) as parent:
        family = parent.family()
        parent.process.kill()
        eventually(lambda: all_gone(family), timeout=STOP_SECONDS)
        assert "Stopped in" in parent.output


def test_a_named_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        for variable in ("MLMINI_PORT", "MLMINI_FLOWER_PORT"):
            launcher = Launcher(tmp_path / "home", {variable: port})
            assert launcher.wait() == 1
            assert f"{variable}: port {port} on 127.0.0.1 cannot be used: Address already in use" in launcher.output


BAD_SETTINGS = {
    "no number": ({"MLMINI_PORT": "eighty"}, "MLMINI_PORT: "),
    "open to all": ({"MLMINI_HOST": "0.0.0.0"}, "MLMINI_HOST"),  # noqa: S104 - it has to be refused
    "no database URL": ({"MLMINI_DATABASE_URL": "postgres at home"}, "MLMINI_DATABASE_URL: "),
    "no Redis URL": ({"MLMINI_REDIS_URL": "http://127.0.0.1"}, "MLMINI_REDIS_URL: "),
    "a password that breaks the URL": ({"MLMINI_REDIS_URL": "redis://:secret/word@127.0.0.1"}, "MLMINI_REDIS_URL: "),
}


@pytest.mark.parametrize(("variables", "sentence"), BAD_SETTINGS.values(), ids=BAD_SETTINGS.keys())
def test_a_wrong_setting_is_told_in_a_sentence(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    launcher = Launcher(tmp_path / "home", variables)
    assert launcher.wait() == 2
    last = launcher.output.splitlines()[-1]
    assert last.startswith("mlmini: ")
    assert sentence in last
    assert "Traceback" not in launcher.output
    assert "secret" not in launcher.output


AWAY = {
    "database": ({"MLMINI_DATABASE_URL": "postgresql://me:secret@127.0.0.1:9/x"}, "MLMINI_DATABASE_URL: "),
    "Redis": ({"MLMINI_REDIS_URL": "redis://:secret@127.0.0.1:9/0"}, "at the address of MLMINI_REDIS_URL."),
    "object store": (
        {
            "MLMINI_STORE": "s3",
            "MLMINI_S3_ENDPOINT_URL": "http://127.0.0.1:9",
            "MLMINI_S3_ACCESS_KEY": "one",
            "MLMINI_S3_SECRET_KEY": "secret",
        },
        "object store",
    ),
}


@pytest.mark.parametrize(("variables", "sentence"), AWAY.values(), ids=AWAY.keys())
def test_a_part_that_is_away_is_told_in_a_sentence(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    launcher = Launcher(tmp_path / "home", variables)
    assert launcher.wait() == 1
    (told,) = [line for line in launcher.output.splitlines() if line.startswith("mlmini: ")]
    assert sentence in told
    assert "Traceback" not in launcher.output
    assert "secret" not in launcher.output


def test_a_home_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    launcher = Launcher(tmp_path / "home")
    assert launcher.wait() == 2
    assert (
        f"mlmini: MLMINI_HOME: {tmp_path / 'home'} cannot be used as the home folder: File exists." in launcher.output
    )


def test_databases_and_redis_of_the_user_are_used(tmp_path: Path, postgres_url: str, valkey_url: str) -> None:
    variables = {"MLMINI_DATABASE_URL": postgres_url, "MLMINI_REDIS_URL": valkey_url}
    with launched(tmp_path / "home", variables) as launcher:
        assert launcher.status_of("Readiness") == 200
        assert not any("valkey" in process.name() for process in launcher.family())
        assert not (tmp_path / "home" / "ml_registry.db").exists()


def test_the_version_and_the_help_are_shown(tmp_path: Path) -> None:
    def shown(*arguments: str) -> str:
        done = finish([MODULE, *arguments], env=environment(), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert shown("--version").startswith("mlmini ")
    assert "--with-parent" in shown("up", "--help")
