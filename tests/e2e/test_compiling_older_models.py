"""Models of an older release on a platform that runs: each gets its compiled form, by itself or by `mlmini`."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from shared.database import Database
from shared.object_store import open_store
from shared.settings import Settings
from tests.e2e.test_operations import QUESTION, predicted, trained
from tests.support.command_line import CommandLine
from tests.support.launcher import Launcher, launched
from tests.support.older_models import forget_forms
from tests.support.waiting import eventually


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a platform that has a model without a form; it does not run."""
    with launched(tmp_path / "home", {"MLMINI_EXAMPLES": "0"}) as launcher, launcher.client() as client:
        trained(client)
    forget(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def mlmini(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def forget(home: Path) -> None:
    settings = Settings(home=home)
    database, store = Database(settings.sqlalchemy_url), open_store(settings)
    forget_forms(database, store, settings)
    store.close()
    database.close()


def restarted(home: Path) -> AbstractContextManager[Launcher]:
    return launched(home, {"MLMINI_EXAMPLES": "0"})


def compilations(client: httpx2.Client) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = client.get("/jobs?kind=compile").json()["items"]
    return jobs


def test_a_model_that_serves_gets_its_form_by_itself(home: Path) -> None:
    with restarted(home) as launcher, launcher.client() as client:
        before = predicted(client)
        eventually(lambda: [job["status"] for job in compilations(client)] == ["succeeded"], timeout=60)
        assert client.get("/models/1").json()["compilation"]["compiled"]
        assert predicted(client) == before
        predicted(client)
        assert len(compilations(client)) == 1
        assert client.get("/jobs?kind=compile").json()["items"][0]["links"]["model"] == "/models/1"


def test_the_verb_has_forms_made_and_tells_what_came_of_each(tmp_path: Path, mlmini: CommandLine) -> None:
    home = tmp_path / "home"
    with restarted(home) as launcher, launcher.client() as client:
        trained(client)
        # An API that has loaded the model does not ask for its form.
        predicted(client)
        forget(home)
        shown = mlmini.succeed("models", "compile", MLMINI_HOME=str(home))
        assert "makes the compiled forms of 1 model." in shown.err
        assert "succeeded  Equal to scikit-learn on " in shown.out
        again = mlmini.succeed("models", "compile", MLMINI_HOME=str(home))
        assert again.out.startswith("Nothing to do: ")
        document = mlmini.succeed("models", "compile", "1", "--json", MLMINI_HOME=str(home)).document
        (whole,) = document["items"]
        assert (whole["version"], whole["compiled"], whole["detail"]) == (1, True, "It has its compiled form.")
        missing = mlmini.run("models", "compile", "7", MLMINI_HOME=str(home))
        assert (missing.status, "There is no model of version 7. " in missing.err) == (1, True)
        assert client.post("/predict", json=QUESTION).status_code == 200


@pytest.mark.thorough
def test_without_a_worker_the_jobs_wait(home: Path, mlmini: CommandLine) -> None:
    document = mlmini.succeed("models", "compile", "--detach", "--json", MLMINI_HOME=str(home)).document
    (waiting,) = document["items"]
    assert (waiting["version"], waiting["status"], waiting["compiled"]) == (1, "queued", None)
    with restarted(home) as launcher, launcher.client() as client:
        ended = client.get(f"/jobs/{waiting['job_id']}?wait=60").json()
        assert (ended["status"], ended["result"]["stages"]) == ("succeeded", ["dev"])
