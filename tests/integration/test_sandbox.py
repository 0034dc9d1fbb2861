"""The fork server with real processes."""

import errno
import os
import resource
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import psutil
import pytest

from shared.sandbox import ProcessLimits, Sandbox, SandboxFailed, SandboxProcess
from tests.support.alive import alive
from tests.support.waiting import eventually

ENTRY = "tests.support.sandbox_entry:main"
LIMITS = ProcessLimits(memory_mb=256)
# FD_SETSIZE of the C library.
SELECTABLE = 1024

pytestmark = pytest.mark.usefixtures("servers_by_command_line")


@pytest.fixture(autouse=True)
def _tests_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(ENTRY, scratch=tmp_path)
    yield sandbox
    sandbox.close()


def run(sandbox: Sandbox, folder: Path, order: str) -> SandboxProcess:
    folder.mkdir(exist_ok=True)
    (folder / "order").write_text(order)
    return sandbox.run(folder, LIMITS)


def gone(pid: int) -> bool:
    return not alive(pid)


def test_an_entry_that_returns_ends_well_and_leaves_its_answer(sandbox: Sandbox, tmp_path: Path) -> None:
    ending = run(sandbox, tmp_path / "a", "answer").wait(timeout=30)
    assert ending is not None
    assert ending.ok
    assert (tmp_path / "a" / "answer").read_text() == str(tmp_path / "a")


def test_a_process_with_more_descriptors_than_select_can_see_runs_them_as_well(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    with ExitStack() as opened:
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        while opened.enter_context(Path(os.devnull).open("rb")).fileno() < SELECTABLE:
            pass
        ending = run(sandbox, tmp_path / "a", "answer").wait(timeout=30)
    assert ending is not None
    assert ending.ok


def test_a_server_that_is_still_starting_is_not_waited_for_at_the_end(tmp_path: Path) -> None:
    sandbox = Sandbox("tests.support.slow_entry:main", scratch=tmp_path)
    with ThreadPoolExecutor() as pool:
        starting = pool.submit(sandbox.start)
        eventually(lambda: sandbox._server is not None)
        sandbox.close()
        assert isinstance(starting.exception(), SandboxFailed)


def test_an_exception_is_an_exit_code_and_its_traceback_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    ending = run(sandbox, tmp_path / "a", "raise").wait(timeout=30)
    assert ending is not None
    assert not ending.ok
    assert not ending.out_of_memory
    assert "ZeroDivisionError" in ending.said


def test_a_process_that_prints_without_end_fills_no_disk_and_its_last_words_are_told(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    ending = run(sandbox, tmp_path / "a", "print").wait(timeout=30)
    assert ending is not None
    assert "the end" in ending.said
    assert len(ending.said) == 4000
    assert sum(file.stat().st_size for file in (tmp_path / "a").rglob("*")) < 100


def test_a_full_disk_is_told_from_other_failures(sandbox: Sandbox, tmp_path: Path) -> None:
    ending = run(sandbox, tmp_path / "a", "fill").wait(timeout=30)
    assert ending is not None
    assert ending.disk_full


def test_what_a_process_used_is_told_however_it_ends(sandbox: Sandbox, tmp_path: Path) -> None:
    idle = run(sandbox, tmp_path / "a", "answer").wait(timeout=30)
    busy = run(sandbox, tmp_path / "b", "work").wait(timeout=30)
    killed = run(sandbox, tmp_path / "c", "wait")
    killed.kill()
    ending = killed.wait(timeout=10)
    assert idle is not None
    assert busy is not None
    assert ending is not None
    assert idle.peak_memory_mb is not None
    assert busy.peak_memory_mb is not None
    assert busy.cpu_seconds is not None
    assert busy.peak_memory_mb > idle.peak_memory_mb + 60
    assert 0.3 <= busy.cpu_seconds < 5
    assert ending.peak_memory_mb is not None
    assert ending.cpu_seconds is not None


@pytest.mark.asvs("1.4.3")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to a subreaper")
@pytest.mark.parametrize("killed", ["nobody", "the run", "the server", "the guard", "the process itself"])
def test_processes_that_leave_their_session_die_with_their_run(sandbox: Sandbox, tmp_path: Path, killed: str) -> None:
    process = run(sandbox, tmp_path / "a", "leave" if killed == "nobody" else "leave and wait")
    eventually((tmp_path / "a" / "started").exists)
    started = [int(pid) for pid in (tmp_path / "a" / "started").read_text().split()]
    if killed == "the run":
        process.kill()
    elif killed != "nobody":
        server = psutil.Process(process.pid).ppid()
        guard = psutil.Process(server).ppid()
        os.kill({"the server": server, "the guard": guard, "the process itself": process.pid}[killed], signal.SIGKILL)
    assert process.wait(timeout=10) is not None
    for pid in [process.pid, *started]:
        eventually(partial(gone, pid))
    again = run(sandbox, tmp_path / "b", "answer").wait(timeout=30)
    assert again is not None
    assert again.ok


def test_what_one_run_leaves_behind_is_ended_without_harm_to_another(sandbox: Sandbox, tmp_path: Path) -> None:
    bystander = run(sandbox, tmp_path / "bystander", "ignore")
    eventually((tmp_path / "bystander" / "started").exists)
    its_child = int((tmp_path / "bystander" / "started").read_text())
    assert run(sandbox, tmp_path / "a", "leave").wait(timeout=30) is not None
    for pid in (tmp_path / "a" / "started").read_text().split():
        assert gone(int(pid))
    assert bystander.wait(timeout=0) is None
    assert alive(its_child)
    bystander.kill()
    assert bystander.wait(timeout=10) is not None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the address space")
def test_more_memory_than_allowed_is_told_from_other_failures(sandbox: Sandbox, tmp_path: Path) -> None:
    ending = run(sandbox, tmp_path / "a", "eat").wait(timeout=30)
    assert ending is not None
    assert ending.out_of_memory


def test_a_process_that_ignores_signals_is_killed_with_what_it_started(sandbox: Sandbox, tmp_path: Path) -> None:
    process = run(sandbox, tmp_path / "a", "ignore")
    eventually((tmp_path / "a" / "started").exists)
    grandchild = int((tmp_path / "a" / "started").read_text())
    assert process.wait(timeout=0.05) is None
    process.kill()
    ending = process.wait(timeout=10)
    assert ending is not None
    assert ending.signal == signal.SIGKILL
    eventually(lambda: not alive(grandchild))


@pytest.mark.parametrize("order", ["stick", "move"], ids=["stuck in C", "in another process group"])
def test_a_process_that_is_hard_to_reach_is_killed(sandbox: Sandbox, tmp_path: Path, order: str) -> None:
    process = run(sandbox, tmp_path / "a", order)
    eventually((tmp_path / "a" / "started").exists)
    process.kill()
    ending = process.wait(timeout=10)
    assert ending is not None
    assert ending.signal == signal.SIGKILL


@pytest.mark.asvs("13.3.2")
def test_a_process_sees_no_settings_and_no_foreign_descriptors(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLMINI_S3_SECRET_KEY", "s3cret")
    secret = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(secret, True)
    try:
        ending = run(sandbox, tmp_path / "a", "look").wait(timeout=30)
    finally:
        os.close(secret)
    assert ending is not None
    assert ending.ok
    seen = (tmp_path / "a" / "seen").read_text()
    assert "s3cret" not in seen
    assert "descriptors [0, 1, 2]" in seen
    assert "MLMINI" not in seen


def test_two_processes_run_at_the_same_time(sandbox: Sandbox, tmp_path: Path) -> None:
    first = run(sandbox, tmp_path / "a", "wait")
    second = run(sandbox, tmp_path / "b", "answer")
    assert second.wait(timeout=30) is not None
    assert first.wait(timeout=0) is None
    first.kill()
    assert first.wait(timeout=10) is not None


def test_a_kill_is_never_too_early(sandbox: Sandbox, tmp_path: Path) -> None:
    for number in range(40):
        process = run(sandbox, tmp_path / str(number), "wait")
        process.kill()
        assert process.wait(timeout=10) is not None, f"run {number} goes on"


def test_kills_at_the_moment_of_an_end_leave_the_runs_of_others_alone(sandbox: Sandbox, tmp_path: Path) -> None:
    bystander = run(sandbox, tmp_path / "bystander", "wait")
    for number in range(80):
        process = run(sandbox, tmp_path / str(number), "answer")
        # Ends by itself within milliseconds: the kill comes before, at, or after that.
        process.wait(timeout=number / 8000)
        process.kill()
        assert process.wait(timeout=10) is not None
    assert bystander.wait(timeout=0) is None
    bystander.kill()
    assert bystander.wait(timeout=10) is not None


def test_a_killed_server_takes_its_processes_along_and_is_started_again(sandbox: Sandbox, tmp_path: Path) -> None:
    # Again and again: the server may die before its child has asked to be told.
    for number in range(8):
        process = run(sandbox, tmp_path / str(number), "wait")
        server = psutil.Process(process.pid).ppid()
        os.kill(server, signal.SIGKILL)
        ending = process.wait(timeout=10)
        assert ending is not None
        assert ending.exit_code is None
        eventually(partial(gone, process.pid))
    again = run(sandbox, tmp_path / "b", "answer").wait(timeout=30)
    assert again is not None
    assert again.ok


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_to_stop_is_for_the_owner_alone(sandbox: Sandbox, tmp_path: Path, number: signal.Signals) -> None:
    process = run(sandbox, tmp_path / "a", "wait")
    server = psutil.Process(process.pid).ppid()
    for pid in (psutil.Process(server).ppid(), server, process.pid):
        os.kill(pid, number)
    other = run(sandbox, tmp_path / "b", "answer").wait(timeout=30)
    assert other is not None
    assert other.ok
    assert process.wait(timeout=0) is None
    process.kill()
    ending = process.wait(timeout=10)
    assert ending is not None
    assert ending.signal == signal.SIGKILL


def test_a_server_that_stands_still_is_ended_with_what_it_started(sandbox: Sandbox, tmp_path: Path) -> None:
    process = run(sandbox, tmp_path / "a", "leave and wait")
    eventually((tmp_path / "a" / "started").exists)
    server = psutil.Process(process.pid).ppid()
    guard = psutil.Process(server).ppid()
    os.kill(server, signal.SIGSTOP)
    sandbox.close()
    assert process.wait(timeout=10) is not None
    for pid in (guard, server, process.pid, *map(int, (tmp_path / "a" / "started").read_text().split())):
        eventually(partial(gone, pid))


@pytest.mark.parametrize("stopped", ["nobody", "the server", "the run"])
def test_everything_dies_with_an_owner_that_is_killed(tmp_path: Path, stopped: str) -> None:
    (tmp_path / "order").write_text("leave and wait")
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(f"""
                import pathlib, time
                from shared.sandbox import ProcessLimits, Sandbox
                sandbox = Sandbox({ENTRY!r}, scratch=pathlib.Path({str(tmp_path)!r}))
                process = sandbox.run(pathlib.Path({str(tmp_path)!r}), ProcessLimits(memory_mb=256))
                print(process.pid, flush=True)
                time.sleep(60)
            """),
        ],
        stdout=subprocess.PIPE,
    )
    assert owner.stdout is not None
    with owner, owner.stdout:
        pid = int(owner.stdout.readline())
        server = psutil.Process(pid).ppid()
        guard = psutil.Process(server).ppid()
        eventually((tmp_path / "started").exists)
        started = [int(each) for each in (tmp_path / "started").read_text().split()]
        if stopped != "nobody":
            os.kill(server if stopped == "the server" else pid, signal.SIGSTOP)
        owner.kill()
        for each in (pid, server, guard, *started):
            eventually(partial(gone, each))


def test_an_entry_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxFailed, match="no_such_module"):
        Sandbox("no_such_module:main", scratch=tmp_path).start()


def test_what_a_server_reported_before_it_died_is_not_taken_for_news_of_the_second(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = socket.socketpair()

    def report_and_die() -> None:
        with theirs:
            _, descriptors, _, _ = socket.recv_fds(theirs, 65536, 1)
            with socket.socket(fileno=descriptors[0]) as run:
                run.sendall(b'{"pid": 1}\n')

    dying = threading.Thread(target=report_and_die)
    dying.start()
    connected = Sandbox._connected
    with ours:
        first = iter([ours])
        monkeypatch.setattr(Sandbox, "_connected", lambda self: next(first, None) or connected(self))
        process = run(sandbox, tmp_path, "answer")
    dying.join()
    ending = process.wait(timeout=60)
    assert ending is not None
    assert ending.ok


def test_a_lack_of_descriptors_costs_the_process_that_runs_nothing(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = run(sandbox, tmp_path / "running", "wait")

    def none_left() -> tuple[socket.socket, socket.socket]:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patched:
        patched.setattr(socket, "socketpair", none_left)
        with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
            run(sandbox, tmp_path / "refused", "answer")
    assert running.wait(timeout=0.5) is None
    ending = run(sandbox, tmp_path / "later", "answer").wait(timeout=60)
    assert ending is not None
    assert ending.ok
    running.kill()
    assert running.wait(timeout=30) is not None
