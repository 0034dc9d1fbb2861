"""Whatever is wrong at the start is told in a sentence that says what to do, by each process and by the doctor."""

import json
import signal
import socket
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from tests.support.bad_luck import REFUSES, ROWS, SECRET, WAITS, WORKS, Row, Scene, environment_of
from tests.support.launcher import Launcher
from tests.support.processes import contents, own_ports, process, run
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("uncounted")

ALL = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())

THROUGH_THE_LAUNCHER = [
    "no database listens",
    "the schema is newer",
    "the home folder is below a file",
    "the artifact key is damaged",
    "a bucket is missing and may not be made",
    "the Redis password is wrong",
]


def those(**wanted: str) -> pytest.MarkDecorator:
    """The rows in which a process does so."""
    found = {name: row for name, row in ROWS.items() if all(getattr(row, who) == what for who, what in wanted.items())}
    return pytest.mark.parametrize("row", found.values(), ids=found.keys())


def expect(text: str, row: Row, variables: Mapping[str, str]) -> None:
    """The sentence, and nothing that must not be shown."""
    assert row.says.format(home=variables["MLMINI_HOME"]) in text
    assert SECRET not in text
    assert "Traceback" not in text


@ALL
def test_preparing_tells_it(scene: Scene, row: Row) -> None:
    variables = environment_of(row, scene)
    answer = run("cli.launcher.prepare", variables={"MLMINI_REDIS_URL": scene.redis_url} | variables)
    assert answer.returncode == row.prepare, answer.stderr
    if row.prepare:
        expect(answer.stderr, row, variables)
        assert len(answer.stderr.splitlines()) == 1


@ALL
def test_the_doctor_tells_it_and_changes_nothing(scene: Scene, row: Row) -> None:
    variables = environment_of(row, scene)
    before = contents(scene.folder)
    answer = run("cli", "doctor", "--json", variables=variables | own_ports())
    assert answer.returncode == (1 if row.doctor == "broken" else 0), answer.stdout + answer.stderr
    assert answer.stderr == ""
    (found,) = [found for found in json.loads(answer.stdout)["checks"] if found["part"] == row.part]
    assert found["state"] == row.doctor
    expect(answer.stdout.replace('\\"', '"'), row, variables)
    assert contents(scene.folder) == before


@those(api=REFUSES)
def test_the_api_tells_it_when_it_starts(scene: Scene, row: Row) -> None:
    variables = environment_of(row, scene)
    answer = run("api.server", variables=variables | own_ports())
    assert answer.returncode not in {0, None}
    expect(answer.stderr, row, variables)


@those(api=WORKS)
def test_the_api_starts_and_tells_it_when_asked(scene: Scene, row: Row) -> None:
    variables = environment_of(row, scene)
    with process("api.server", variables | own_ports(), log=scene.folder / "log") as server:
        url = f"http://127.0.0.1:{server.port}"
        eventually(lambda: server.ended() or "Application startup complete" in server.log(), timeout=60)
        assert not server.ended(), server.log()
        # On a busy machine a part may give no answer in time, which is told instead.
        answer = eventually(lambda: _told_when_asked(url, row), timeout=60)
        found = eventually(lambda: _told_by_the_doctor(url, variables, row), timeout=60)
    assert answer is not None
    assert found is not None
    if row.prepare == 0:
        return
    assert answer.status_code == (200 if row.part == "Redis" else 503)
    expect(answer.text, row, variables)
    assert found["state"] == ("note" if row.part == "Redis" else "broken")


def _told_when_asked(url: str, row: Row) -> httpx2.Response | None:
    """What /readyz says, once it is about the row; with nothing to be told, that all is well."""
    answer = httpx2.get(f"{url}/readyz", trust_env=False, timeout=30)
    part = answer.json()["dependencies"][row.part.lower().replace(" ", "_")]
    well = part == {"state": "ok", "hint": None}
    return answer if (well if row.prepare == 0 else row.says in (part["hint"] or "")) else None


def _told_by_the_doctor(url: str, variables: dict[str, str], row: Row) -> dict[str, Any] | None:
    """What the doctor says of the API, once it is about the row."""
    doctor = run("cli", "doctor", "--json", "--url", url, variables=variables)
    found: dict[str, Any]
    (found,) = [each for each in json.loads(doctor.stdout)["checks"] if each["part"] == "API"]
    # On a busy machine another part may give no answer in time, which is told beside it.
    told = row.says in found["hint"] and "gave no answer within" not in found["hint"]
    return found if row.prepare == 0 or told else None


@those(worker=REFUSES)
def test_a_worker_tells_it_and_ends(scene: Scene, row: Row) -> None:
    variables = environment_of(row, scene)
    answer = run("worker", variables=variables)
    assert answer.returncode == 1
    expect(answer.stderr, row, variables)


@those(worker=WAITS)
def test_a_worker_tells_it_and_waits_until_it_is_asked_to_stop(scene: Scene, row: Row) -> None:
    variables = environment_of(row, scene)
    with process("worker", variables, log=scene.folder / "log") as worker:
        eventually(lambda: worker.ended() or "start_waits" in worker.log(), timeout=60)
        assert not worker.ended(), worker.log()
        expect(worker.log(), row, variables)
        assert worker.stop(signal.SIGTERM) == 0, worker.log()
        assert "Traceback" not in worker.log()


@pytest.mark.parametrize(
    "row",
    [ROWS[name] for name in THROUGH_THE_LAUNCHER],
    ids=THROUGH_THE_LAUNCHER,
)
def test_the_launcher_tells_it_and_leaves_nothing_running(scene: Scene, row: Row) -> None:
    variables = environment_of(row, scene)
    launcher = Launcher(scene.home, variables)
    assert launcher.wait(60) in {1, 2}
    expect(launcher.output, row, variables)
    last = [line for line in launcher.output.splitlines() if line.startswith("mlmini: ")]
    assert len(last) == 1


def test_a_worker_goes_on_when_what_it_waited_for_comes_back(scene: Scene) -> None:
    scene.migrated()
    (scene.home / "store").write_text("a file in the place of the folder")
    with process(
        "worker", {"MLMINI_HOME": str(scene.home), "MLMINI_REDIS_URL": scene.redis_url}, log=scene.folder / "log"
    ) as worker:
        eventually(lambda: worker.ended() or "start_waits" in worker.log(), timeout=60)
        (scene.home / "store").unlink()
        eventually(lambda: worker.ended() or "upkeep_started" in worker.log(), timeout=60)
        assert not worker.ended(), worker.log()
        assert worker.log().count("start_waits") == 1


def test_a_port_that_is_taken_is_told_by_the_api_and_the_doctor(scene: Scene) -> None:
    variables = {"MLMINI_HOME": str(scene.migrated())} | own_ports()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        api = run("api.server", variables=variables | {"MLMINI_PORT": port})
        named = run("cli", "doctor", variables=variables | {"MLMINI_PORT": port})
    assert api.returncode == 1
    assert api.stderr.startswith(f"The API cannot start: MLMINI_PORT: port {port} on 127.0.0.1 cannot be used: Address")
    assert "Traceback" not in api.stderr
    assert named.returncode == 1
    assert f"✗ Ports         {port} cannot be used (Address already in use)" in named.stdout
    assert "or set MLMINI_PORT to a free port" in named.stdout


def test_a_host_that_is_not_here_is_told_by_the_api_and_the_doctor(scene: Scene) -> None:
    variables = {"MLMINI_HOME": str(scene.migrated()), "MLMINI_HOST": "192.0.2.1", "MLMINI_ALLOW_OPEN": "1"}
    for answer in (run("api.server", variables=variables), run("cli", "doctor", variables=variables)):
        assert answer.returncode == 1
        assert "MLMINI_HOST: 192.0.2.1 is not an address of this machine" in answer.stdout + answer.stderr
