"""What the doctor finds besides the bad luck of the start."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from shared.database import Database
from shared.registry.rows import DeploymentRow
from shared.registry.sealing import KEY_FILE, load_artifact_key
from shared.settings import Settings
from tests.support.bad_luck import SECRET, Scene
from tests.support.jobs import add_job
from tests.support.launcher import launched
from tests.support.processes import own_ports, run
from tests.support.registry import insert_dataset, register_model


def test_models_of_another_key_are_told_by_the_doctor(scene: Scene) -> None:
    well = Settings(home=scene.migrated())
    database = Database(well.sqlalchemy_url)
    key = load_artifact_key(well)
    job_id = add_job(database)
    with database.write() as session:
        register_model(session, insert_dataset(session), version=1, job_id=job_id)
        session.execute(update(DeploymentRow).values(hmac_key_id=key.id))
    assert _key_found(scene)["state"] == "ok"
    (well.home / KEY_FILE).unlink()
    missing = _key_found(scene)
    assert missing["state"] == "broken"
    assert f"is not there, but active models (1) were sealed with {key.id}" in missing["found"]
    assert "from a backup" in missing["cure"]
    assert not (well.home / KEY_FILE).exists()
    load_artifact_key(well)
    assert f"active models (1) were sealed with {key.id}" in _key_found(scene)["found"]
    database.close()


def test_a_variable_that_means_nothing_is_told_by_the_doctor(scene: Scene) -> None:
    answer = run(
        "cli", "doctor", variables={"MLMINI_HOME": str(scene.home), "MLMINI_DATABSE_URL": SECRET} | own_ports()
    )
    assert "MLMINI_DATABSE_URL is no setting. Did you mean MLMINI_DATABASE_URL?" in answer.stdout
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
    (api,) = [found for found in told["findings"] if found["part"] == "API"]
    assert (api["state"], "`make run`" in api["cure"]) == ("note", True)
    assert not scene.home.exists()


def test_the_doctor_does_not_wait_for_what_hangs(scene: Scene) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        variables = {
            "MLMINI_HOME": str(scene.home),
            "MLMINI_DATABASE_URL": f"postgresql://me:{SECRET}@127.0.0.1:{port}/x",
            "MLMINI_REDIS_URL": f"redis://127.0.0.1:{port}/0",
        }
        answer = run("cli", "doctor", "--json", "--url", f"http://127.0.0.1:{port}", variables=variables | own_ports())
    states = {found["part"]: found["state"] for found in json.loads(answer.stdout)["findings"]}
    assert {part for part, state in states.items() if state == "broken"} == {"Database", "Redis", "API"}
    assert SECRET not in answer.stdout


def test_the_doctor_finds_a_running_platform_well(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with launched(home):
        answer = run("cli", "doctor", "--json", variables={"MLMINI_HOME": str(home)})
    told = json.loads(answer.stdout)
    assert (answer.returncode, told["ok"]) == (0, True)
    states = {found["part"]: found["state"] for found in told["findings"]}
    assert [states[part] for part in ("Database", "Object store", "API", "Workers", "Flower")] == ["ok"] * 5


def _key_found(scene: Scene) -> dict[str, Any]:
    answer = run("cli", "doctor", "--json", variables={"MLMINI_HOME": str(scene.home)} | own_ports())
    (found,) = [found for found in json.loads(answer.stdout)["findings"] if found["part"] == "Artifact key"]
    assert isinstance(found, dict)
    return found
