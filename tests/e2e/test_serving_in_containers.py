"""How containers answer predictions: by machine code of the image, by several processes, over gRPC, and alone."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from tritonclient.grpc import service_pb2 as messages

from tests.support.container_calls import FOREST, ended, predict, train, upload
from tests.support.containers import BUILD_SECONDS, GRPC_PORT, Containers, published_grpc, running_containers
from tests.support.rpc import SERVICE, request, typed
from tests.support.served_image import Export, export, served
from tests.support.server import free_ports
from tests.support.waiting import eventually

pytestmark = [pytest.mark.containers, pytest.mark.timeout(BUILD_SECONDS)]

# The second has no compiled form: a predicting process answers.
NEIGHBOURS = {"module": "neighbors", "class": "KNeighborsClassifier", "params": {}}
MODELS = {"compiled": FOREST, "sandboxed": NEIGHBOURS}
ROWS = [[1.4, 0.2], [4.7, 1.4]]
VALUES = [value for row in ROWS for value in row]
ENDED_IN_ORDER = {0, 143}

# How often each kernel was found as machine code, and how often it had to be compiled.
KERNELS = """
import json
from shared.compiled.kernels import columns, trees
kernels = [each for module in (columns, trees) for each in vars(module).values() if hasattr(each, "signatures")]
print(json.dumps({each.__name__: [sum(each.stats.cache_hits.values()), sum(each.stats.cache_misses.values())]
                  for each in kernels if each.signatures}))
"""
# How many of 40 connections each process has accepted.
CONNECTIONS = """
import http.client, json, os, sys
def opened():
    return [len(os.listdir(f"/proc/{pid}/fd")) for pid in sys.argv[1:]]
before, kept = opened(), []
for _ in range(40):
    kept.append(http.client.HTTPConnection("127.0.0.1", 8000))
    kept[-1].request("GET", "/healthz")
    assert kept[-1].getresponse().status == 200
print(json.dumps([after - was for was, after in zip(before, opened())]))
"""
# As on clusters that give each container a user of its own.
STRICT = ("--read-only", "--tmpfs /tmp", "--cap-drop ALL", "--security-opt no-new-privileges")
USERS = {"the user of the image": "", "any other user": "--user 12345:12345"}


@pytest.fixture(scope="module")
def grpc_port() -> int:
    (port,) = free_ports(1)
    return port


@pytest.fixture(scope="module")
def containers(grpc_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """Two API processes that serve gRPC, published as the page says, and a model of each kind."""
    path = tmp_path_factory.mktemp("compose") / "docker-compose.override.yml"
    path.write_text(published_grpc().replace(f'"127.0.0.1:{GRPC_PORT}:', f'"127.0.0.1:{grpc_port}:'))
    variables = {"MLMINI_GRPC_PORT": str(GRPC_PORT), "MLMINI_API_WORKERS": "2"}
    with running_containers(path, **variables) as running:
        for name, model in MODELS.items():
            assert ended(running, train(running, upload(running, name), model=model))["status"] == "succeeded"
        yield running


@pytest.fixture(scope="module")
def exported(containers: Containers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Export]:
    """The models, as folders of this machine."""
    return {name: export(containers, name, tmp_path_factory.mktemp(name)) for name in MODELS}


@pytest.fixture(autouse=True)
def logs_of_a_failure(containers: Containers, request: pytest.FixtureRequest) -> Iterator[None]:
    """What the containers said is part of the report of a failed test."""
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before:
        sys.stdout.write(containers.logs())


def entries(containers: Containers, service: str, event: str) -> list[dict[str, Any]]:
    """The lines of that event in the log of a service."""
    lines = [line for each in containers.ids(service) for line in containers.log_of(each).splitlines()]
    found = [json.loads(line) for line in lines if line.startswith("{")]
    return [line for line in found if line["event"] == event]


def test_one_model_is_compiled_and_the_other_is_not(containers: Containers) -> None:
    compiled = {}
    for name in MODELS:
        version, labels = predict(containers, name, "dev")
        assert labels == ["setosa", "versicolor"]
        compiled[name] = containers.client.get(f"/models/{version}").json()["compilation"]["compiled"]
    assert compiled == {"compiled": True, "sandboxed": False}
    assert entries(containers, "api", "predicting_process_started")


@pytest.mark.parametrize("service", ["api", "worker"])
def test_machine_code_is_read_from_the_image_and_nothing_is_compiled(containers: Containers, service: str) -> None:
    (container,) = containers.ids(service)
    kernels = json.loads(containers.python(container, KERNELS))
    assert {"add_trees", "put_numbers"} <= kernels.keys()
    assert {tuple(counts) for counts in kernels.values()} == {(1, 0)}
    assert entries(containers, service, "kernels_not_trusted") == []
    folder = "/app/shared/compiled/kernels/__machine_code__"
    assert containers.execute(container, f"test -f {folder}/complete && test ! -w {folder}").returncode == 0


def test_both_processes_of_an_api_container_answer(containers: Containers) -> None:
    assert containers.client.get("/readyz").json()["processes"] == {"up": 2, "wanted": 2}
    pids = [str(line["pid"]) for line in entries(containers, "api", "api_process_started")]
    (container,) = containers.ids("api")
    accepted = json.loads(containers.python(container, CONNECTIONS, *pids))
    assert len(accepted) == 2
    # How they are dealt out is up to the kernel.
    assert min(accepted) > 0


def test_grpc_is_served_where_its_port_is_set_and_published(containers: Containers, grpc_port: int) -> None:
    asked = request(model_name="compiled@dev", inputs=[typed("rows", [2, 2], "FP64", fp64_contents=VALUES)])
    with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
        content = channel.unary_unary(f"{SERVICE}ModelInfer")(asked.SerializeToString(), timeout=60)
    (output,) = messages.ModelInferResponse.FromString(content).outputs
    assert [label.decode() for label in output.contents.bytes_contents] == ["setosa", "versicolor"]


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("model", MODELS)
def test_the_image_serves_a_folder_with_no_privileges_and_a_root_that_cannot_be_written(
    containers: Containers, exported: dict[str, Export], model: str, user: str
) -> None:
    options = [*STRICT, USERS[user], f"--env MLMINI_EXPORT_KEY={exported[model].key}"]
    with served(containers, exported[model].beside, *options) as image:
        ping = image.client.get("/ping")
        assert (ping.status_code, ping.text) == (200, "\n")
        answer = image.client.post("/invocations", json={"instances": ROWS}).raise_for_status()
        assert answer.json() == {"predictions": predict(containers, model, "dev")[1]}
        assert {tuple(counts) for counts in json.loads(containers.python(image.id, KERNELS)).values()} == {(1, 0)}
        assert "kernels_not_trusted" not in containers.log_of(image.id)
        eventually(lambda: image.health == "healthy", timeout=60, interval=1)
        containers.run(["docker", "stop", image.id])
        (stopped,) = containers.inspect(image.id)
        assert stopped["State"]["ExitCode"] in ENDED_IN_ORDER


def test_the_documented_command_serves_a_folder_and_leaves_the_image_as_it_is(
    containers: Containers, exported: dict[str, Export]
) -> None:
    with served(containers, exported["compiled"].beside) as image:
        answer = image.client.post("/invocations", json={"instances": ROWS}).raise_for_status()
        assert answer.json() == {"predictions": predict(containers, "compiled", "dev")[1]}
        changed = [line.split(maxsplit=1)[1] for line in containers.run(["docker", "diff", image.id]).splitlines()]
    # Elsewhere the engine itself makes places to mount at.
    assert [path for path in changed if path.startswith(("/app", "/opt/venv"))] == []


def test_an_api_with_several_processes_stops_in_order(containers: Containers) -> None:
    (container,) = containers.ids("api")
    containers.run(["docker", "stop", container])
    (stopped,) = containers.inspect(container)
    assert stopped["State"]["ExitCode"] in ENDED_IN_ORDER
    containers.up()
