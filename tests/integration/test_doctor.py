"""What the doctor finds besides the bad luck of the start."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import insert, literal, select, update
from sqlalchemy.engine import make_url

from cli.doctor.examination import CheckState
from cli.doctor.storage import check_database
from cli.launcher.published import published
from shared.database import Database
from shared.registry.rows import DeploymentRow
from shared.registry.sealing import KEY_FILE, load_artifact_key
from shared.settings import Settings
from tests.support.bad_luck import SECRET, Scene
from tests.support.jobs import add_job
from tests.support.launcher import launched
from tests.support.processes import ROOT, contents, environment, own_ports, run
from tests.support.registry import insert_dataset, register_model
from tests.support.waiting import eventually

# Root may open any folder, so it looks again as nobody. The first look loads what nobody may not be able to read.
_AS_ANOTHER_USER = """
import os, sys
from cli.doctor.run import doctor
doctor(url=None, as_json=True)
if os.getuid() == 0:
    os.setuid(65534)
sys.exit(doctor(url=None, as_json=True))
"""


def test_models_of_another_key_are_told_by_the_doctor(scene: Scene) -> None:
    well = Settings(home=scene.migrated())
    database = Database(well.sqlalchemy_url)
    key = load_artifact_key(well)
    job_id = add_job(database)
    with database.write() as session:
        register_model(session, insert_dataset(session), version=1, job_id=job_id)
        # A model in two stages is one model.
        promoted = [c for c in DeploymentRow.__table__.columns if c.name not in {"id", "stage"}]
        session.execute(
            insert(DeploymentRow).from_select(
                [*promoted, "stage"], select(*promoted, literal("staging")).select_from(DeploymentRow)
            )
        )
        session.execute(update(DeploymentRow).values(hmac_key_id=key.id))
    assert _key_found(scene)["state"] == "ok"
    (well.home / KEY_FILE).unlink()
    missing = _key_found(scene)
    assert missing["state"] == "broken"
    assert f"is not there, but models (1) were sealed with {key.id}" in missing["found"]
    assert "from a backup" in missing["hint"]
    assert not (well.home / KEY_FILE).exists()
    load_artifact_key(well)
    assert f"but models (1) were sealed with {key.id}" in _key_found(scene)["found"]
    database.close()


def test_a_variable_that_means_nothing_is_told_by_the_doctor(scene: Scene) -> None:
    answer = run(
        "cli", "doctor", variables={"MLMINI_HOME": str(scene.home), "MLMINI_DATABSE_URL": SECRET} | own_ports()
    )
    assert answer.returncode == 1
    assert "MLMINI_DATABSE_URL is not a setting. Did you mean 'MLMINI_DATABASE_URL'?" in answer.stdout
    assert SECRET not in answer.stdout


@pytest.mark.parametrize("arguments", [["doctor"], ["doctor", "--json"]], ids=["lines", "json"])
def test_a_wrong_setting_is_told_by_the_doctor(scene: Scene, arguments: list[str]) -> None:
    answer = run("cli", *arguments, variables={"MLMINI_HOME": str(scene.home), "MLMINI_PORT": "web"})
    assert answer.returncode == 1
    assert "MLMINI_PORT: " in answer.stdout
    assert answer.stderr == ""


def test_the_doctor_is_content_before_the_first_start_and_makes_nothing(scene: Scene) -> None:
    answer = run("cli", "doctor", "--json", variables={"MLMINI_HOME": str(scene.home)} | own_ports())
    assert answer.returncode == 0, answer.stdout
    told = json.loads(answer.stdout)
    assert told["ok"] is True
    (api,) = [found for found in told["checks"] if found["part"] == "API"]
    assert (api["state"], "`make run`" in api["hint"]) == ("note", True)
    assert not scene.home.exists()


def test_a_home_from_a_backup_is_well_before_its_first_start(scene: Scene) -> None:
    home = scene.migrated()
    for bucket in ("datasets", "trained-models", "predictions"):
        (home / "store" / bucket).mkdir(parents=True)
    before = contents(home)
    assert _found(home, "Object store", own_ports()) == {
        "part": "Object store",
        "state": "ok",
        "found": f"{home / 'store'}, from a backup: the first start prepares it",
        "hint": "",
    }
    looked = run("cli", "fsck", variables={"MLMINI_HOME": str(home)})
    assert (looked.returncode, looked.stderr) == (0, "")
    # SQLite has files of its own beside a database that somebody reads.
    assert {path for path in contents(home).keys() ^ before.keys() if "ml_registry" not in path} == set()


def test_the_doctor_does_not_wait_for_what_hangs(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        variables = {
            "MLMINI_HOME": str(scene.home),
            "MLMINI_DATABASE_URL": f"postgresql://me:{SECRET}@127.0.0.1:{port}/x",
            "MLMINI_REDIS_URL": f"redis://127.0.0.1:{port}/0",
        }
        answer = run("cli", "doctor", "--json", "--url", f"http://127.0.0.1:{port}", variables=variables | own_ports())
    states = {found["part"]: found["state"] for found in json.loads(answer.stdout)["checks"]}
    assert {part for part, state in states.items() if state == "broken"} == {"Database", "Redis", "API"}
    assert SECRET not in answer.stdout


def test_more_api_processes_than_cores_are_told_by_the_doctor(scene: Scene) -> None:
    variables = {"MLMINI_HOME": str(scene.home), "MLMINI_API_WORKERS": "64"} | own_ports()
    answer = run("cli", "doctor", "--json", variables=variables)
    (found,) = [check for check in json.loads(answer.stdout)["checks"] if check["part"] == "Settings"]
    assert (found["state"], "MLMINI_API_WORKERS is 64" in found["hint"]) == ("note", True)


def test_the_doctor_finds_a_running_platform_well(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with launched(home, {"MLMINI_API_WORKERS": "2"}) as launcher, launcher.client() as client:
        eventually(lambda: client.get("/readyz").json()["status"] == "ok", what="the worker announces itself")
        answer = run("cli", "doctor", "--json", variables={"MLMINI_HOME": str(home)})
    told = json.loads(answer.stdout)
    assert (answer.returncode, told["ok"]) == (0, True), told
    states = {found["part"]: found["state"] for found in told["checks"]}
    assert [states[part] for part in ("Database", "Object store", "API", "Workers", "Flower")] == ["ok"] * 5
    assert "2 of 2 processes" in next(found["found"] for found in told["checks"] if found["part"] == "API")


def test_a_port_of_another_home_is_told_by_the_doctor(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with launched(home) as launcher:
        url = str(published(launcher.home)["api"])
        port = {"MLMINI_PORT": url.rpartition(":")[2]}
        of_this_home = _found(home, "Ports", port)
        of_another = _found(tmp_path / "another", "Ports", own_ports() | port)
    assert "is the port of the platform that runs on this home" in of_this_home["found"]
    assert of_another["state"] == "note"
    assert "set MLMINI_PORT to a free port" in of_another["hint"]


def test_a_database_elsewhere_that_proves_nothing_is_told(postgres_url: str, tmp_path: Path) -> None:
    here = check_database(Settings(home=tmp_path, database_url=SecretStr(postgres_url)))
    assert here.state is CheckState.OK
    # The same server, under a name that is not one of this machine.
    elsewhere = make_url(postgres_url).set(host="0.0.0.0").render_as_string(hide_password=False)  # noqa: S104 - as above
    found = check_database(Settings(home=tmp_path, database_url=SecretStr(elsewhere)))
    assert found.state is CheckState.NOTE
    assert "it need not prove that it is that one" in found.found
    assert "sslmode=verify-full" in found.hint


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/x", "nonsense"])
def test_a_database_that_does_not_answer_is_told_once_by_the_doctor(scene: Scene, url: str) -> None:
    variables = {"MLMINI_HOME": str(scene.home), "MLMINI_DATABASE_URL": url} | own_ports()
    answer = run("cli", "doctor", "--json", variables=variables)
    found = {found["part"]: found for found in json.loads(answer.stdout)["checks"]}
    assert found["Database"]["state"] == "broken"
    key = found["Artifact key"]
    assert (key["state"], key["found"]) == ("note", "not checked: the database does not answer")


def test_a_home_of_another_user_is_told_by_the_doctor(scene: Scene) -> None:
    scene.migrated().chmod(0)
    try:
        answer = subprocess.run(
            [sys.executable, "-c", _AS_ANOTHER_USER],
            env=environment({"MLMINI_HOME": str(scene.home)} | own_ports()),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    finally:
        scene.home.chmod(0o700)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    results = {found["part"]: found for found in json.loads(answer.stdout.splitlines()[-1])["checks"]}
    for part in ("Home folder", "Database", "Artifact key", "Object store"):
        assert results[part]["state"] == "broken"
        assert "Permission denied" in results[part]["hint"]
    assert "a bug of `mlmini doctor`" not in answer.stdout


def _key_found(scene: Scene) -> dict[str, Any]:
    return _found(scene.home, "Artifact key", own_ports())


def _found(home: Path, part: str, variables: dict[str, str]) -> dict[str, Any]:
    answer = run("cli", "doctor", "--json", variables={"MLMINI_HOME": str(home)} | variables)
    (found,) = [found for found in json.loads(answer.stdout)["checks"] if found["part"] == part]
    assert isinstance(found, dict)
    return found
