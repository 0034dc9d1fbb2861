"""A server of one exported model: the forms of MLflow and SageMaker, and the answers of the platform."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, cast

import httpx2
import pandas as pd
import psutil
import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sklearn.neighbors import KNeighborsClassifier

from api.parts import Parts
from api.standalone.app import create_standalone_app
from api.standalone.keys import ServeKeys
from shared.exported.exporting import export, find_wanted
from shared.exported.key import export_key_of
from shared.exported.serving import ExportedModel
from shared.settings import Settings
from tests.support.alive import alive
from tests.support.models import IRIS_COLUMNS, LIBRARIES, Fitted, Platform, iris_forest, with_promise
from tests.support.processes import finish
from tests.support.raw_http import connected, is_closed, read_answer
from tests.support.server import free_ports, running
from tests.support.standalone import MODULE, ServedByVerb, ServedInImage, StandaloneServer
from tests.support.training_tables import dirty, trained
from tests.support.waiting import eventually

# What is exported is the same on every stack: tests/integration/test_exporting.py has both kinds of stores.
pytestmark = pytest.mark.any_stack

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3], [5.9, 3.0, 5.1, 1.8]]
RECORDS = [dict(zip(IRIS_COLUMNS, row, strict=True)) for row in ROWS]
FRAME = pd.DataFrame(ROWS, columns=list(IRIS_COLUMNS))
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}
FOREST, NEIGHBOURS, CUSTOMERS = 1, 2, 3


def neighbours() -> Fitted:
    """A model that has no compiled form."""
    forest = iris_forest()
    model = KNeighborsClassifier(3).fit(ROWS, ["setosa", "virginica", "versicolor"])
    return Fitted(model, forest.signature.model_copy(update={"classes": list(model.classes_)}), dict(LIBRARIES))


def furnish(parts: Parts, folder: Path) -> Platform:
    """A compiled forest, a model that is a pickle, and one of a table of all kinds of columns with a threshold."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    data = platform.dataset()
    assert platform.train(data, with_promise(iris_forest(), 0.2).in_form()) == FOREST
    assert platform.train(data, with_promise(neighbours(), 0.3)) == NEIGHBOURS
    result = trained("ensemble.HistGradientBoostingClassifier", dirty(), threshold={"value": 0.9, "positive": "buys"})
    fitted = Fitted(result.model, result.facts.signature, result.facts.environment).in_form()
    assert platform.train(platform.dataset("customers"), fitted, name="customers") == CUSTOMERS
    return platform


class Site(NamedTuple):
    """The platform, the folder with its exported models by version, and a server of each."""

    platform: TestClient
    folders: Path
    key: str
    servers: dict[int, StandaloneServer]

    def served(self, version: int) -> httpx2.Client:
        return self.servers[version].client()


@pytest.fixture(scope="module")
def site(
    one_client: TestClient, one_parts: Parts, one_platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folders, key = tmp_path_factory.mktemp("exported"), export_key_of(one_parts.key)
    servers = {}
    with ExitStack() as stack:
        for version in (FOREST, NEIGHBOURS, CUSTOMERS):
            export(
                find_wanted(one_platform.database, one_parts.settings, version),
                folders / str(version),
                store=one_parts.store,
                settings=one_parts.settings,
                key=one_parts.key,
                export_key=key,
            )
            secret = {"MLMINI_EXPORT_KEY": key.secret.hex()} if version == NEIGHBOURS else {}
            servers[version] = StandaloneServer(folders / str(version), **secret)
            stack.enter_context(running(servers[version]))
        yield Site(one_client, folders, key.secret.hex(), servers)


KEY, OTHER = "of-more-than-thirty-two-signs-" + "1" * 9, "mlm_0123456789_" + "ab" * 32
# Written by hand, so that an address that slips in here is noticed.
OPEN = {"GET /ping", "GET /health", "GET /v2/health/live", "GET /v2/health/ready", "GET /errors", "GET /errors/{code}"}


@pytest.fixture(scope="module")
def guarded(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandaloneServer]:
    """A server off loopback that asks for one of two keys."""
    file = tmp_path_factory.mktemp("keys") / "keys"
    file.touch(mode=0o600)
    file.write_text(f"{KEY}\n{OTHER}\n")
    variables = {"MLMINI_SERVE_KEYS_FILE": str(file)}
    server = StandaloneServer(site.folders / str(FOREST), "--host", "0.0.0.0", **variables)  # noqa: S104 - with keys
    with running(server):
        yield server


def known(site: Site, version: int, name: str = "iris", **rows: Any) -> dict[str, Any]:
    """What the platform answers."""
    body = {"dataset_name": name, "environment": "dev", "version": version, "input_data": rows}
    classes = {"return": ["label", "probability"]}
    answer: dict[str, Any] = site.platform.post("/predict", json=body | classes).raise_for_status().json()
    return answer


@pytest.mark.parametrize("version", [FOREST, NEIGHBOURS])
@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": list(IRIS_COLUMNS), "data": ROWS}},
        {"dataframe_records": RECORDS},
        {"instances": ROWS},
        {"instances": RECORDS},
        {"inputs": ROWS},
        {"inputs": {name: list(FRAME[name]) for name in IRIS_COLUMNS}},
    ],
)
def test_every_form_of_the_rows_has_the_answer_of_the_platform(site: Site, version: int, body: dict[str, Any]) -> None:
    expected = known(site, version, features=ROWS)
    with site.served(version) as client:
        answer = client.post("/invocations", json=body)
        assert answer.json() == {"predictions": expected["predictions"]}
        assert answer.headers["x-model-version"] == str(version)
        answer = client.post("/invocations?predict_fn=predict_proba", json=body)
        assert answer.json() == {"predictions": expected["probabilities"]}


@pytest.mark.parametrize("version", [FOREST, NEIGHBOURS])
def test_a_table_in_csv_has_the_same_answer(site: Site, version: int) -> None:
    expected = known(site, version, features=ROWS)["predictions"]
    with site.served(version) as client:
        for table in (FRAME.to_csv(index=False), FRAME.to_csv()):
            assert client.post("/invocations", content=table, headers=CSV).json() == {"predictions": expected}


def test_raw_rows_of_a_mixed_table_have_the_answer_of_the_platform(site: Site) -> None:
    table = dirty().drop(columns="target")
    records = json.loads(table.to_json(orient="records", date_format="iso"))
    expected = known(site, CUSTOMERS, "customers", records=records)
    with site.served(CUSTOMERS) as client:
        assert (
            client.post("/invocations", json={"dataframe_records": records}).json()["predictions"]
            == (expected["predictions"])
        )
        own = {"dataset_name": "customers", "environment": "dev", "input_data": {"records": records}}
        assert client.post("/predict", json=own | {"return": ["label", "probability"]}).json() == expected
        told = client.post("/invocations", json={"dataframe_records": [{"city": "Ulm"}]})
        assert "'Ulm'" in told.headers["x-warnings"]


def test_who_accepts_csv_gets_a_line_for_each_row(site: Site) -> None:
    expected = known(site, FOREST, features=ROWS)
    lines = "".join(f"{label}\n" for label in expected["predictions"])
    shares = "".join(",".join(map(str, row)) + "\n" for row in expected["probabilities"])
    with site.served(FOREST) as client:
        for content, kind in ((json.dumps({"instances": ROWS}), JSON), (FRAME.to_csv(index=False), CSV)):
            headers = kind | {"Accept": "text/csv, */*;q=0.5"}
            answer = client.post("/invocations", content=content, headers=headers)
            assert answer.headers["content-type"].startswith("text/csv")
            assert answer.text == lines
            path = "/invocations?predict_fn=predict_proba"
            assert client.post(path, content=content, headers=headers).text == shares


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "application/json, text/csv", "text/csv;q=0, */*"])
def test_everybody_else_gets_json(site: Site, accept: str) -> None:
    with site.served(FOREST) as client:
        answer = client.post("/invocations", json={"instances": ROWS}, headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/json"


def test_it_says_that_it_is_there_and_which_release_it_is(site: Site) -> None:
    with site.served(FOREST) as client:
        assert [client.get(path).status_code for path in ("/ping", "/health", "/v2/health/ready")] == [200] * 3
        assert client.head("/ping").status_code == 200
        assert client.get("/version").text == site.platform.get("/version").json()["platform"]


@pytest.mark.parametrize("version", [FOREST, NEIGHBOURS])
def test_the_ways_of_the_platform_lead_to_the_same_model(site: Site, version: int) -> None:
    body = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": ROWS}}
    tensor = {"name": "rows", "shape": [3, 4], "datatype": "FP64", "data": ROWS}
    with site.served(version) as client:
        classes = {"return": ["label", "probability"]}
        assert client.post("/predict", json=body | classes).json() == known(site, version, features=ROWS)
        table = client.post(
            "/predict?dataset_name=iris&environment=dev", content=FRAME.to_csv(index=False), headers=CSV
        )
        assert table.json()["predictions"] == known(site, version, features=ROWS)["predictions"]
        inferred = client.post("/v2/models/iris@dev/infer", json={"inputs": [tensor]}).json()
        assert inferred["outputs"][0]["data"] == known(site, version, features=ROWS)["predictions"]
        assert client.get("/v2/models/iris@dev").json()["versions"] == [str(version)]
        assert client.post("/v2/repository/index").json()[0]["name"] == "iris@dev"


@pytest.mark.parametrize("version", [FOREST, NEIGHBOURS])
def test_intervals_are_those_of_the_platform(site: Site, version: int) -> None:
    body = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": ROWS}, "return": ["interval"]}
    expected = site.platform.post("/predict", json=body | {"version": version}).json()
    assert len(expected["intervals"]) == 3
    path = "/predict?dataset_name=iris&environment=dev&interval=true"
    with site.served(version) as client:
        assert client.post("/predict", json=body).json() == expected
        assert client.post(path, content=FRAME.to_csv(index=False), headers=CSV).json() == expected


def test_an_address_for_each_model_is_not_here_for_there_is_one_model(site: Site) -> None:
    with site.served(FOREST) as client:
        # In memory, whatever way it is asked for.
        client.post("/invocations", json={"instances": ROWS})
        body = {"input_data": {"features": ROWS}}
        assert client.post("/models/iris/dev/predict", json=body).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"dataset_name": "irsi"}, 404, "Did you mean 'iris'?"),
        ({"environment": "production"}, 409, "Ask for 'dev', or 'iris@dev'."),
        ({"version": 7}, 409, "and not version 7"),
        ({"target": "weight"}, 409, "It predicts 'target', not 'weight'."),
    ],
)
def test_another_model_is_not_here(site: Site, asked: dict[str, Any], status: int, said: str) -> None:
    body = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": ROWS}}
    with site.served(FOREST) as client:
        answer = client.post("/predict", json=body | asked)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/invocations", "{", 400, "BAD_REQUEST"),
        ("/invocations", "", 400, "BAD_REQUEST"),
        ("/invocations", "[]", 400, "BAD_REQUEST"),
        ("/invocations", '{"instances": [[1]]}', 400, "BAD_REQUEST"),
        ("/invocations", '{"instances": [["a", 1, 1, Infinity]]}', 400, "BAD_REQUEST"),
        ("/invocations?predict_fn=fit", '{"instances": [[1, 1, 1, 1]]}', 400, "BAD_REQUEST"),
        ("/invocations?environment=dev", '{"instances": [[1, 1, 1, 1]]}', 400, "BAD_REQUEST"),
        ("/invocations", '{"inputs": "' + "x" * 4_200_000 + '"}', 413, "BAD_REQUEST"),
        ("/invocations/", "{}", 404, "ENDPOINT_NOT_FOUND"),
        ("/ping", "{}", 405, "BAD_REQUEST"),
    ],
)
def test_what_cannot_be_right_is_told_in_the_form_of_mlflow(
    site: Site, path: str, body: str, status: int, code: str
) -> None:
    with site.served(FOREST) as client:
        answer = client.post(path, content=body, headers=JSON)
        assert answer.status_code == status, answer.text
        assert answer.json().keys() == {"error_code", "message"}
        assert answer.json()["error_code"] == code


def test_other_media_types_other_names_and_other_pages_are_refused(site: Site) -> None:
    with site.served(FOREST) as client:
        for headers, status in (
            ({"Content-Type": "application/x-npy"}, 415),
            (JSON | {"Host": "evil.example"}, 421),
            (JSON | {"Origin": "https://evil.example"}, 403),
        ):
            assert client.post("/invocations", content="{}", headers=headers).status_code == status
        missing = client.get("/docs").json()
        assert "/invocations" in missing["detail"]
        assert client.get(missing["type"]).status_code == 200


def test_prometheus_reads_of_requests_and_of_no_jobs(site: Site) -> None:
    with site.served(FOREST) as client:
        body = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": ROWS}}
        labels = 'method="POST",route="/predict"'

        def counted() -> list[float]:
            answer = client.get("/metrics")
            assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            lines = [line.rpartition(" ") for line in answer.text.splitlines()]
            wanted = (f'http_requests_total{{{labels},status="200"}}', f"http_request_seconds_count{{{labels}}}")
            return [float(number) for name, _, number in lines if name.removeprefix("mlmini_") in wanted]

        assert client.post("/predict", json=body).status_code == 200
        before = counted()
        assert client.post("/predict", json=body).status_code == 200
        assert counted() == [count + 1 for count in before]
        assert len(before) == 2
        text = client.get("/metrics").text
        assert "mlmini_predictions_overdue 0.0" in text
        assert "job" not in text
        assert client.get("/metrics", headers={"Host": "elsewhere.example"}).status_code == 421


def test_an_interrupt_ends_it_and_all_that_it_started(site: Site) -> None:
    server = ServedByVerb(site.folders / str(NEIGHBOURS), MLMINI_EXPORT_KEY=site.key)
    with running(server):
        with server.client() as client:
            assert client.post("/invocations", json={"instances": ROWS}).status_code == 200
        assert_ends_whole(server, signal.SIGINT)


def assert_ends_whole(server: ServedByVerb, number: signal.Signals) -> None:
    """A signal ends it and all that it started; what a pickle needs is only in the latter."""
    started = psutil.Process(server.pid).children(recursive=True)
    if sys.platform == "linux":
        assert [name for name in ("/sklearn/", "/pandas/") if name in maps_of(server.pid)] == []
        assert [child for child in started if "/sklearn/" in maps_of(child.pid)]
    assert server.process is not None
    server.process.send_signal(number)
    assert server.process.wait(timeout=30) == 0
    eventually(lambda: not any(map(alive, started)), timeout=10)


def maps_of(pid: int) -> str:
    """What a process has loaded."""
    return Path(f"/proc/{pid}/maps").read_text()


def refused(folder: Path, cwd: Path, *options: str, **variables: str) -> tuple[int, str]:
    """The exit status of a server that does not start, and its one sentence."""
    server = StandaloneServer(folder, *options, **variables)
    done = finish([MODULE, str(folder), *options], env=server.environment(), cwd=cwd)
    server.remove()
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - refused
def test_an_address_off_loopback_is_refused_unless_it_is_meant(site: Site, tmp_path: Path, host: str) -> None:
    status, said = refused(site.folders / str(FOREST), tmp_path, "--host", host)
    assert status == 2
    assert "MLMINI_SERVE_KEYS_FILE" in said
    assert "Set MLMINI_ALLOW_OPEN=1 if that is meant" in said


def test_one_that_is_open_answers_under_any_name(site: Site) -> None:
    server = StandaloneServer(site.folders / str(FOREST), "--host", "0.0.0.0", MLMINI_ALLOW_OPEN="1")  # noqa: S104
    with running(server), server.client() as client:
        headers = {"Host": "model.example:8080"}
        assert client.post("/invocations", json={"instances": ROWS}, headers=headers).status_code == 200
        body = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": ROWS}}
        assert client.post("/predict", json=body, headers=headers).status_code == 200


def test_the_command_of_the_image_listens_for_those_who_start_and_end_it(site: Site, tmp_path: Path) -> None:
    server = ServedInImage(site.folders / str(NEIGHBOURS), MLMINI_EXPORT_KEY=site.key)
    with running(server):
        assert '"host": "0.0.0.0"' in server.log
        with server.client() as client:
            answer = client.post("/invocations", json={"instances": ROWS}, headers={"Host": "model.example"})
        assert answer.json()["predictions"] == known(site, NEIGHBOURS, features=ROWS)["predictions"]
        assert_ends_whole(server, signal.SIGTERM)
    closed = ServedInImage(site.folders / str(FOREST), MLMINI_ALLOW_OPEN="0")
    command, given = closed.command(), closed.environment()
    closed.remove()
    done = subprocess.run(command, env=given, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Set MLMINI_ALLOW_OPEN=1 if that is meant" in done.stderr


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_what_is_no_port_is_refused(site: Site, tmp_path: Path, port: str) -> None:
    status, said = refused(site.folders / str(FOREST), tmp_path, SAGEMAKER_BIND_TO_PORT=port)
    assert status == 2
    assert f"SAGEMAKER_BIND_TO_PORT must be a port from 1 to 65535, not '{port}'" in said


def test_a_port_that_is_taken_is_told(site: Site, tmp_path: Path) -> None:
    taken = str(site.servers[FOREST].port)
    assert (
        f"Port {taken} on 127.0.0.1 cannot be used" in refused(site.folders / str(FOREST), tmp_path, "--port", taken)[1]
    )
    assert (
        "is not an address of this machine"
        in refused(site.folders / str(FOREST), tmp_path, "--host", "192.0.2.1", MLMINI_ALLOW_OPEN="1")[1]
    )


def test_a_pickle_is_not_loaded_without_the_key_that_sealed_it(site: Site, tmp_path: Path) -> None:
    folder = site.folders / str(NEIGHBOURS)
    status, said = refused(folder, tmp_path)
    assert status == 1
    assert "there is no key here. Set MLMINI_EXPORT_KEY" in said
    assert "Set it to the key of whoever exported" in refused(folder, tmp_path, MLMINI_EXPORT_KEY="ab" * 32)[1]
    assert "64 hexadecimal digits" in refused(folder, tmp_path, MLMINI_EXPORT_KEY="secret")[1]


def test_without_a_folder_it_is_the_one_of_sagemaker(site: Site, tmp_path: Path) -> None:
    server = site.servers[FOREST]
    done = finish([MODULE, "--port", "0"], env=server.environment(), cwd=tmp_path)
    assert "--port must be a port" in done.stderr
    done = finish([MODULE], env=server.environment() | {"SAGEMAKER_BIND_TO_PORT": str(free_ports(1)[0])}, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "'/opt/ml/model' is not served. /opt/ml/model does not exist." in done.stderr


def test_clients_that_are_slow_are_given_up(site: Site) -> None:
    server = StandaloneServer(site.folders / str(FOREST), MLMINI_HEADER_SECONDS="1", MLMINI_BODY_SECONDS="1")
    begin = b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
    with running(server):
        for sent in (begin, begin + b"application/json\r\nContent-Length: 100\r\n\r\n{"):
            with connected(server.url) as connection:
                connection.sendall(sent)
                assert read_answer(connection, method="POST").status == 408
                assert is_closed(connection)


def test_without_a_folder_for_temporary_files_it_says_what_to_do(site: Site, tmp_path: Path) -> None:
    words = [str(tmp_path / "none"), str(site.folders / str(FOREST)), "--port", str(free_ports(1)[0])]
    done = finish(["tests.support.without_temporary_folder", *words], env=dict(os.environ), cwd=tmp_path)
    assert done.returncode == 2
    assert "There is no folder for temporary files" in done.stderr
    assert "--tmpfs /tmp" in done.stderr


def test_a_home_serves_its_own_pickles(site: Site, one_parts: Parts) -> None:
    settings: Settings = one_parts.settings
    server = StandaloneServer(site.folders / str(NEIGHBOURS), MLMINI_HOME=str(settings.home))
    with running(server):
        assert '"seal_checked": true' in server.log


def addresses() -> list[str]:
    """Every address of a server of one model."""
    app = create_standalone_app(cast("ExportedModel", None), Settings(), keys=ServeKeys([]), of_any_name=False)
    routes = list(iter_route_contexts(app.routes))
    return sorted(
        {f"{method} {route.path_format}" for route in routes for method in (route.methods or set()) - {"HEAD"}}
    )


@pytest.mark.asvs("13.4.5")
def test_with_keys_every_address_asks_but_what_tells_that_it_is_there(guarded: StandaloneServer) -> None:
    assert len(addresses()) > 15
    assert set(addresses()) > OPEN
    with guarded.client() as client:
        for address in [*addresses(), "GET /nothing", "GET /ping/", "POST /ping", "OPTIONS /predict", "TRACE /predict"]:
            method, path = re.sub(r"{\w+}", "no", address).split(" ")
            for headers in ({}, {"X-API-Key": KEY[:-1]}, {"Cookie": f"mlmini_session={KEY}"}):
                answer = client.request(method, path, headers=headers)
                assert (answer.status_code == 401) is (address not in OPEN), address
            with_key = client.request(method, path, headers={"X-API-Key": KEY}).status_code
            assert with_key not in {401, 403}
            assert with_key < 500
        assert [client.head(path).status_code for path in ("/ping", "/version")] == [200, 401]


def test_whoever_brings_a_key_gets_the_answer_by_every_way(site: Site, guarded: StandaloneServer) -> None:
    expected = known(site, FOREST, features=ROWS)["predictions"]
    short = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": ROWS}}
    with guarded.client() as client:
        for headers in ({"X-API-Key": KEY}, {"X-API-Key": OTHER}, {"Authorization": f"Bearer {KEY}"}):
            given: Any = headers | {"Host": "model.example"}
            assert client.post("/predict", json=short, headers=given).json()["predictions"] == expected
            answer = client.post("/invocations", json={"instances": ROWS}, headers=given)
            assert answer.json() == {"predictions": expected}
            table = client.post("/invocations", content=FRAME.to_csv(index=False), headers=given | CSV)
            assert table.json() == {"predictions": expected}
        for twice in ({"X-API-Key": KEY, "Authorization": f"Bearer {KEY}"}, {"X-API-Key": ""}):
            assert client.post("/predict", json=short, headers=twice).status_code == 401


def test_a_refusal_has_the_form_of_the_protocol_and_says_what_to_send(guarded: StandaloneServer) -> None:
    said = "Send one of the keys of this server in `X-API-Key`, or as `Authorization: Bearer`."
    with guarded.client() as client:
        problem = client.post("/predict", json={})
        assert problem.headers["content-type"] == "application/problem+json"
        assert problem.headers["www-authenticate"] == "Bearer"
        assert problem.json()["code"] == "not_authenticated"
        assert client.get(problem.json()["type"]).status_code == 200
        assert said in problem.json()["detail"]
        assert said in client.post("/invocations", json={}).json()["message"]
        assert said in client.get("/v2").json()["error"]


def test_no_key_is_in_the_log_or_in_the_arguments(guarded: StandaloneServer) -> None:
    with guarded.client() as client:
        assert client.get("/version", headers={"X-API-Key": KEY}).status_code == 200
    eventually(lambda: '"path": "/version"' in guarded.log)
    assert '"asks_for_keys": true' in guarded.log
    assert KEY not in guarded.log + " ".join(psutil.Process(guarded.pid).cmdline())


def test_keys_that_are_none_stop_the_start_and_are_not_shown(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.touch(mode=0o600)
    file.write_text(f"{KEY}\nhush\n")
    status, said = refused(site.folders / str(FOREST), tmp_path, MLMINI_SERVE_KEYS_FILE=str(file))
    assert (status, "hush" in said, KEY in said) == (2, False, False)
    assert "MLMINI_SERVE_KEYS: there is no key on line 2." in said
