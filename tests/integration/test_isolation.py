"""A computing process finds no secret to read, nobody to send it to, and no process to disturb."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cli.doctor.examination import CheckState
from cli.doctor.machine import check_isolation
from shared.sandbox import ProcessLimits, Sandbox
from shared.sandbox.isolation import Isolation, Reach, is_read
from shared.settings import Settings
from tests.support.processes import ROOT

POSSIBLE = Isolation.possible()
needs_files = pytest.mark.skipif(not POSSIBLE.files, reason="the kernel of this machine has no Landlock")
needs_network = pytest.mark.skipif(not POSSIBLE.network, reason="the kernel of this machine has no seccomp")

SECRET = "a-secret-of-the-home"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        sandbox = Sandbox("tests.support.reaching_entry:main", scratch=tmp_path_factory.mktemp("scratch"))
        sandbox.start()
    yield sandbox
    sandbox.close()


@pytest.fixture
def listening() -> Iterator[int]:
    """The port of a server that takes every connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def tried(sandbox: Sandbox, folder: Path, *tries: tuple[str, object], reads: tuple[Path, ...] = ()) -> list[object]:
    """What came of each try, in their order."""
    folder.mkdir(exist_ok=True)
    asked = [[name, str(about)] for name, about in tries]
    (folder / "tries").write_text(json.dumps(asked))
    ending = sandbox.run(folder, ProcessLimits(memory_mb=512), reads=reads).wait(timeout=60)
    assert ending is not None
    assert ending.ok, ending.said
    came = json.loads((folder / "came").read_text())
    return [came[f"{name} {about}"] for name, about in asked]


def test_the_doctor_says_what_the_kernel_cannot_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    monkeypatch.setattr(Isolation, "possible", lambda: Isolation(files=True, network=True))
    assert check_isolation(settings).state is CheckState.OK
    monkeypatch.setattr(Isolation, "possible", lambda: Isolation(files=False, network=False))
    found = check_isolation(settings)
    assert found.state is CheckState.NOTE
    assert "other files of this user (Landlock) and the network (seccomp)" in found.found


@pytest.mark.parametrize("place", [Path(sys.prefix) / "home", Path("/usr/local/var/mlmini")])
def test_the_doctor_tells_of_a_home_that_computations_can_read(place: Path) -> None:
    found = check_isolation(Settings(home=place))
    assert found.state is CheckState.NOTE
    assert "can read the home folder" in found.found


@pytest.fixture
def as_a_usual_user() -> Iterator[None]:
    """Root may enter every folder."""
    user = os.geteuid()
    os.seteuid(user or 65534)
    yield
    os.seteuid(user)


@pytest.mark.usefixtures("as_a_usual_user")
def test_a_folder_beside_modules_that_nobody_may_enter_is_no_module(monkeypatch: pytest.MonkeyPatch) -> None:
    # Those of tests are closed to the other user.
    with TemporaryDirectory(dir="/tmp") as beside:
        closed = Path(beside) / "data"
        closed.mkdir(mode=0)
        (Path(beside) / "a_module.py").touch()
        monkeypatch.syspath_prepend(beside)
        assert is_read(Path(beside) / "a_module.py")
        assert not is_read(closed)


def test_the_kernel_of_linux_can_keep_it_from_both() -> None:
    assert (POSSIBLE.files and POSSIBLE.network) or not sys.platform.startswith("linux")


@needs_files
@pytest.mark.asvs("13.2.5")
def test_it_reads_and_changes_nothing_of_the_home_but_its_own_folder(sandbox: Sandbox, tmp_path: Path) -> None:
    secret, other = tmp_path / "artifact.key", tmp_path / "scratch-of-another-job"
    secret.write_text(SECRET)
    other.mkdir()
    (other / "table.csv").write_text(SECRET)
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "mine").write_text("mine")
    (folder / "link").symlink_to(secret)
    came = tried(
        sandbox,
        folder,
        ("read", secret),
        ("read", folder / "link"),
        ("read", folder / ".." / "artifact.key"),
        ("read", other / "table.csv"),
        ("list", tmp_path),
        ("write", secret),
        ("write", tmp_path / "new"),
        ("remove", secret),
        ("read", folder / "mine"),
        ("write", folder / "new"),
        ("remove", folder / "mine"),
    )
    assert came == ["PermissionError"] * 8 + ["mine", "done", "done"]
    assert secret.read_text() == SECRET


@needs_files
def test_it_reads_what_it_is_given_and_cannot_change_that(sandbox: Sandbox, tmp_path: Path) -> None:
    table, other = tmp_path / "table.csv", tmp_path / "other.csv"
    for file in (table, other):
        file.write_text("a,b\n")
    came = tried(sandbox, tmp_path / "run", ("read", table), ("write", table), ("read", other), reads=(table,))
    assert came == ["a,b\n", "PermissionError", "PermissionError"]


@needs_files
def test_it_sees_no_environment_of_others_and_no_files_of_people_or_of_the_system(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    came = tried(
        sandbox,
        tmp_path / "run",
        ("read", f"/proc/{os.getpid()}/environ"),
        ("read", f"/proc/{os.getppid()}/environ"),
        ("list", Path.home()),
        ("list", "/run"),
        ("read", "/etc/shadow"),
        ("read", ROOT / "README.md"),
        ("signal", os.getpid()),
    )
    assert came == ["PermissionError"] * 7


def test_what_libraries_need_is_there(sandbox: Sandbox, tmp_path: Path) -> None:
    came = tried(
        sandbox,
        tmp_path / "run",
        ("pair", ""),
        ("write", os.devnull),
        ("read", "/proc/self/comm"),
        ("threads", ""),
        ("run", "uname"),
        ("import", "sklearn.svm"),
        ("import", "worker.train_computation"),
        ("import", "tests.support.wilful_model"),
        ("import", "tests.support.cached_kernel"),
        ("guess", "model.json"),
    )
    assert came[:2] == ["done", "done"]
    assert str(came[2]).startswith("python")
    assert came[3:] == [3, os.uname().sysname, "sklearn", "worker", "tests", "tests", "application/json"]


@needs_network
def test_it_changes_nothing_that_belongs_to_others_by_its_name_or_number(sandbox: Sandbox, tmp_path: Path) -> None:
    secret = tmp_path / "artifact.key"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    came = tried(
        sandbox,
        tmp_path / "run",
        ("mode", secret),
        ("owner", secret),
        ("attribute", secret),
        ("limits", os.getpid()),
        ("priority of a process", os.getpid()),
        ("priority of a user", 0),
        ("call", "shmget"),
        ("call", "semget"),
        ("call", "msgget"),
        ("newer call", 452),
        ("newer call", 463),
        ("newer call", 466),
        ("mode of an open file", tmp_path / "run" / "mine"),
        ("limits", 0),
        ("priority of a process", 0),
    )
    assert came == ["PermissionError"] * 12 + ["done", True, "done"]
    assert secret.stat().st_mode & 0o777 == 0o600


@needs_network
@pytest.mark.asvs("13.2.4")
def test_it_reaches_nobody(sandbox: Sandbox, tmp_path: Path, listening: int) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        tries: list[tuple[str, object]] = [
            ("connect", f"127.0.0.1:{listening}"),
            ("connect", f"localhost:{listening}"),
            ("serve", ""),
        ]
        tries += [("unix", path), ("datagram", ""), ("ring", ""), ("other numbers", "")]
        came = tried(sandbox, tmp_path / "run", *tries)
    assert came[:1] + came[2:] == ["PermissionError"] * 6
    assert came[1] in {"PermissionError", "gaierror"}, "who has no socket can ask for no name"


@needs_files
@needs_network
def test_it_reaches_the_one_port_that_it_may_and_no_other(tmp_path: Path, listening: int) -> None:
    sandbox = Sandbox("tests.support.reaching_entry:main", scratch=tmp_path / "scratch", reach=Reach(ports=[listening]))
    try:
        with socket.create_server(("127.0.0.1", 0)) as other:
            came = tried(
                sandbox,
                tmp_path / "run",
                ("connect", f"127.0.0.1:{listening}"),
                ("connect", f"127.0.0.1:{other.getsockname()[1]}"),
                ("serve", ""),
                ("datagram", ""),
                ("ring", ""),
                ("unix", tmp_path / "none"),
            )
    finally:
        sandbox.close()
    assert came == ["done", *["PermissionError"] * 5]
