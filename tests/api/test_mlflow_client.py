"""MLflow's own client asks, from an environment of its own: `make clients` makes that, and runs this."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from shared.exported.exporting import export, find_wanted
from shared.exported.key import export_key_of
from tests.support.api_server import serving
from tests.support.models import IRIS_COLUMNS, Fitted, Platform, iris_forest
from tests.support.processes import ROOT
from tests.support.server import running
from tests.support.stack import Stack
from tests.support.standalone import StandaloneServer
from tests.support.training_tables import dirty, trained

pytestmark = [pytest.mark.clients, pytest.mark.any_stack]

CLIENT = ROOT / ".venv-clients" / "bin" / "python"
# It is given the address of a server as MLflow has it, and tables as pandas writes them.
PROGRAM = """
import io, json, sys
import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

asked = json.load(sys.stdin)
client = ScoringServerClient("127.0.0.1", 1)
client.url_prefix = asked["url"]
client.wait_server_ready(timeout=30)
frame = pd.read_json(io.StringIO(asked["table"]), orient="table").reset_index(drop=True)
told = {"version": client.get_version()}
for name, data in {
    "frame": frame,
    "array": frame.to_numpy() if asked["numbers"] else frame,
    "lists": frame.to_numpy().tolist() if asked["numbers"] else frame,
    "one row": frame.head(1),
}.items():
    told[name] = client.invoke(data).get_predictions().iloc[:, 0].tolist()
try:
    client.invoke(frame.rename(columns={frame.columns[0]: "strange"}))
except Exception as error:
    told["refused"] = str(error)
print(json.dumps(told))
"""
IRIS = pd.DataFrame([[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]], columns=list(IRIS_COLUMNS))
CUSTOMERS = dirty().drop(columns="target")


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[dict[str, str]]:
    """Where the models are asked for, by name: each on the platform, and alone at the root of a server."""
    folder = tmp_path_factory.mktemp("site")
    result = trained("ensemble.HistGradientBoostingClassifier", dirty())
    customers = Fitted(result.model, result.facts.signature, result.facts.environment).in_form()
    with stack.settings(folder / "home") as settings, serving(settings) as (url, parts):
        platform = Platform(parts.database, parts.store, settings, parts.key, folder)
        key = export_key_of(parts.key)
        found: dict[str, str] = {}
        servers: list[StandaloneServer] = []
        for name, fitted in (("iris", iris_forest().in_form()), ("customers", customers)):
            version = platform.train(platform.dataset(name), fitted, name=name)
            served = find_wanted(parts.database, settings, version)
            export(served, folder / name, store=parts.store, settings=settings, key=parts.key, export_key=key)
            servers.append(StandaloneServer(folder / name))
            found |= {name: f"{url}/serve/{name}@dev", f"{name} alone": servers[-1].url}
        with running(servers[0]), running(servers[1]):
            yield found


def asked(url: str, table: pd.DataFrame, *, numbers: bool) -> dict[str, Any]:
    """What the client got."""
    assert CLIENT.exists(), "make clients makes the environment that this needs"
    given = json.dumps({"url": url, "table": table.to_json(orient="table", index=False), "numbers": numbers})
    done = subprocess.run([str(CLIENT), "-c", PROGRAM], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("where", ["iris", "iris alone"])
def test_frames_arrays_and_lists_of_numbers_are_answered(urls: dict[str, str], where: str) -> None:
    told = asked(urls[where], IRIS, numbers=True)
    assert told["frame"] == told["array"] == told["lists"] == ["setosa", "virginica"]
    assert told["one row"] == ["setosa"]
    assert told["version"]
    assert "error code 400" in told["refused"]
    assert "has no column 'strange'" in told["refused"]


@pytest.mark.parametrize("where", ["customers", "customers alone"])
def test_a_frame_of_all_kinds_of_columns_with_gaps_is_answered(urls: dict[str, str], where: str) -> None:
    told = asked(urls[where], CUSTOMERS, numbers=False)
    assert len(told["frame"]) == len(CUSTOMERS)
    assert told["frame"] == asked(urls["customers"], CUSTOMERS, numbers=False)["frame"]
