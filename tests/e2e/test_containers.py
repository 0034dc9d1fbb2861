"""The images and docker-compose.yml on a real engine, from an empty disk to predictions, with containers that die.

`make e2e` runs it; `make test` does not, since it needs a container engine. pytest-celery is not used: its fixtures
start a worker of its own making around a Celery application, and what has to be tried here are our images, our
compose file and workers that carry a database and a store, which Celery knows nothing of.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.container_calls import JOB_SECONDS, ended, predict, previewed, served_by, train, upload, worker_of
from tests.support.containers import BUILD_SECONDS, MINIO, PUBLISHED, Containers, running_containers
from tests.support.documented import Block, commands_for
from tests.support.waiting import eventually
from tests.support.walk import Walk

pytestmark = [pytest.mark.containers, pytest.mark.timeout(BUILD_SECONDS)]

OURS = ("gateway", "api", "worker", "flower")
UPLOAD_SECONDS = 600
# Long enough to be killed in the middle of it on any machine.
SLOW = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 5000}}
LARGE_BYTES = 100 * 2**20
# By itself, or, with everything closed, by the SIGTERM that it was sent.
ENDED_IN_ORDER = {0, 143}


@pytest.fixture(scope="module")
def stack() -> Iterator[Containers]:
    with running_containers() as containers:
        yield containers


@pytest.fixture(autouse=True)
def logs_of_a_failure(stack: Containers, request: pytest.FixtureRequest) -> Iterator[None]:
    """What the containers said is part of the report of a failed test."""
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before:
        sys.stdout.write(stack.logs())


def test_every_container_becomes_healthy_and_the_init_ends_well(stack: Containers) -> None:
    (init,) = stack.inspect(*stack.ids("init"))
    assert init["State"]["ExitCode"] == 0
    others = [container for container in stack.ids() if not init["Id"].startswith(container)]

    def health() -> set[str]:
        return {container["State"]["Health"]["Status"] for container in stack.inspect(*others)}

    eventually(lambda: health() == {"healthy"}, timeout=120, interval=1)


def test_ports_are_published_on_loopback_only(stack: Containers) -> None:
    bindings = [
        binding["HostIp"]
        for container in stack.inspect(*stack.ids())
        for published in container["NetworkSettings"]["Ports"].values()
        for binding in published or []
    ]
    assert set(bindings) == {"127.0.0.1"}


@pytest.mark.parametrize("service", OURS)
def test_our_containers_have_no_privileges_and_a_root_that_cannot_be_written(stack: Containers, service: str) -> None:
    (container,) = stack.ids(service)
    assert stack.execute(container, "id -u").stdout.strip() == "10001"
    for path in ("/file", "/app/file", "/opt/file", "/etc/file"):
        assert stack.execute(container, f"touch {path}").returncode != 0
    status = stack.execute(container, "cat /proc/1/status").stdout.splitlines()
    facts = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    assert (facts["CapEff"], facts["CapBnd"], facts["NoNewPrivs"]) == ("0" * 16, "0" * 16, "1")


def test_the_whole_walk_works_through_the_published_port(stack: Containers) -> None:
    walk = Walk(stack.client)
    walk.wait_for_examples()
    steps = list(walk.steps())
    assert [step for step in steps if step.answer.is_error] == []
    assert {"upload_dataset", "train_model", "get_job", "promote_model", "predict"} <= {
        step.operation for step in steps
    }


@pytest.mark.parametrize("place", ["api", "flower"])
def test_each_address_answers_to_the_names_of_the_platform_only(stack: Containers, place: str) -> None:
    port, path = {"api": (stack.api_port, "/healthz"), "flower": (stack.flower_port, "/healthcheck")}[place]
    names = ("127.0.0.1", "localhost", PUBLISHED, "elsewhere.example", "api", "flower")
    answers = {
        name: httpx2.get(f"http://127.0.0.1:{port}{path}", headers={"Host": name}, trust_env=False, timeout=60)
        for name in names
    }
    refused = {name for name, answer in answers.items() if answer.status_code == httpx2.codes.MISDIRECTED_REQUEST}
    assert refused == {"elsewhere.example", "api", "flower"}
    assert all(answers[name].is_success for name in answers.keys() - refused)
    if place == "api":
        assert answers["elsewhere.example"].json()["code"] == "unknown_host"


def test_the_init_refuses_a_store_that_is_another_one_than_before(stack: Containers) -> None:
    others = [f"-eMLMINI_{name}_BUCKET=other-{name.lower()}" for name in ("DATASETS", "MODELS")]
    with pytest.raises(AssertionError, match=r"status 2\n(.|\n)*the object store is empty"):
        stack.compose("run", "--rm", "-T", *others, "init")


@pytest.mark.parametrize("given", ["ADMIN_PASSWORD_FILE=/run/secrets/admin_password", "PUBLISHED_ON=192.0.2.1"])
def test_the_init_refuses_the_passwords_for_development_outside_of_it(stack: Containers, given: str) -> None:
    with pytest.raises(AssertionError, match=r"status 2\n(.|\n)*the password is one that everybody knows") as told:
        stack.compose("run", "--rm", "-T", f"-eMLMINI_{given}", "init")
    named = ("MLMINI_DATABASE_OWNER_URL", "MLMINI_REDIS_URL", "MLMINI_S3_SECRET_KEY")
    assert all(name in str(told.value) for name in named)


@pytest.mark.parametrize(
    ("variables", "stores"),
    [({}, {"seaweedfs"}), (MINIO, {"minio"}), ({"SEAWEEDFS_SCALE": "0"}, set())],
    ids=["nothing is said", "minio", "a store elsewhere"],
)
def test_the_store_is_seaweedfs_unless_another_is_named(
    stack: Containers, variables: dict[str, str], stores: set[str]
) -> None:
    # Nothing is started, so that any image will do for the one that may not be here.
    (redis,) = stack.inspect(*stack.ids("redis"))
    image = redis["Config"]["Image"]
    plain = Containers()
    for name in MINIO:
        plain.environment.pop(name, None)
    plain.environment |= variables | {"MINIO_IMAGE": image, "SEAWEEDFS_IMAGE": image}
    try:
        # `up --no-start` of docker-compose waits for the end of the init, which does not begin.
        plain.compose("create")
        created = plain.inspect(*plain.ids())
        services = {container["Config"]["Labels"]["com.docker.compose.service"] for container in created}
        (init,) = plain.inspect(*plain.ids("init"))
    finally:
        plain.remove()
    assert services & {"seaweedfs", "minio"} == stores
    endpoint = variables.get("MLMINI_S3_ENDPOINT_URL", "http://seaweedfs:9000")
    assert f"MLMINI_S3_ENDPOINT_URL={endpoint}" in init["Config"]["Env"]


# What comes of statements with the account that the platform has in a container.
TRIED = """
import json, sys
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from shared.database_access import open_database
from shared.settings import load_settings
engine, found = open_database(load_settings()).engine, {}
for statement in sys.argv[1:]:
    with engine.connect() as connection:
        try:
            found[statement] = connection.execute(text(statement)).rowcount
        except DBAPIError as error:
            found[statement] = error.orig.sqlstate
print(json.dumps(found))
"""
FORBIDDEN = "42501"
ACCOUNTS = r"SELECT usename FROM pg_stat_activity WHERE datname = 'mlmini' AND pid <> pg_backend_pid() GROUP BY usename"


def test_api_and_workers_change_rows_and_nothing_else_in_the_database(stack: Containers) -> None:
    assert re.fullmatch(r"mlmini_parts_[0-9a-f]{8}", stack.sql(ACCOUNTS))
    allowed = ["DELETE FROM jobs WHERE false", "SELECT 1 FROM audit_entries LIMIT 0"]
    refused = ["DROP TABLE jobs", "CREATE TABLE mine (a integer)", "DELETE FROM audit_entries WHERE false"]
    for service in ("api", "worker"):
        (container,) = stack.ids(service)
        found = json.loads(stack.python(container, TRIED, *allowed, *refused))
        assert found == dict.fromkeys(allowed, 0) | dict.fromkeys(refused, FORBIDDEN)
        (inspected,) = stack.inspect(container)
        assert [name for name in inspected["Config"]["Env"] if "OWNER_URL" in name or "@postgres" in name] == []


def test_volumes_from_before_get_that_account_at_the_next_start(stack: Containers) -> None:
    before = stack.sql(ACCOUNTS)
    stack.compose("stop", "api", "worker")
    stack.compose("run", "--rm", "-T", "--no-deps", "init", "rm", "/app/data/database.url")
    for statement in (f"DROP OWNED BY {before}", f"DROP ROLE {before}", "GRANT CREATE ON SCHEMA public TO PUBLIC"):
        stack.sql(statement)
    stack.up()
    assert re.fullmatch(r"mlmini_parts_[0-9a-f]{8}", stack.sql(ACCOUNTS))
    assert stack.sql(ACCOUNTS) != before
    (container,) = stack.ids("api")
    assert json.loads(stack.python(container, TRIED, "CREATE TABLE mine (a integer)")).popitem()[1] == FORBIDDEN


def test_a_large_upload_passes_the_gateway(stack: Containers) -> None:
    names, row = ",".join(f"x{n}" for n in range(100)), ",".join(["0.123456789"] * 100) + "\n"
    rows = LARGE_BYTES // len(row) + 1
    body = f"{names}\n{row * rows}".encode()
    answer = stack.client.post("/datasets/upload", files={"file": ("large.csv", body)}, timeout=UPLOAD_SECONDS)
    assert answer.raise_for_status().json()["rows"] == rows


def test_events_pass_the_gateway_as_they_come(stack: Containers) -> None:
    job_id = train(stack, upload(stack, "followed"), model=SLOW)
    statuses = []
    with stack.client.stream("GET", f"/jobs/{job_id}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if not line.startswith('data: {"job_id"'):
                continue
            statuses.append(json.loads(line.removeprefix("data: "))["status"])
            if len(statuses) == 1:
                # Had the gateway kept the event until the end of the job, there would be nothing to cancel.
                stack.client.post(f"/jobs/{job_id}/cancel").raise_for_status()
    assert statuses[0] in {"queued", "running"}
    assert statuses[-1] == "cancelled"


def test_flower_shows_the_task_of_a_job(stack: Containers) -> None:
    job_id = train(stack, upload(stack, "seen_in_flower"))
    assert ended(stack, job_id)["status"] == "succeeded"
    url = f"http://127.0.0.1:{stack.flower_port}/task/{job_id}"
    eventually(lambda: "SUCCESS" in httpx2.get(url, trust_env=False, timeout=60).text, timeout=30, interval=0.5)


def test_two_apis_answer_under_one_address_and_both_serve_what_one_promoted(stack: Containers) -> None:
    stack.up("--scale", "api=2", "--no-recreate")
    eventually(lambda: len({served_by(stack.client.get("/healthz")) for _ in range(6)}) == 2, timeout=60, interval=0.5)
    dataset = upload(stack, "promoted")
    version = ended(stack, train(stack, dataset))["result"]["version"]
    request = {"dataset_name": dataset, "version": version, "target_stage": "staging"}
    promoted = ended(stack, stack.client.post("/promote", json=request).json()["job_id"])
    assert promoted["status"] == "succeeded"
    # Each looks for new versions every second.
    eventually(lambda: {predict(stack, dataset, "staging")[0] for _ in range(6)} == {version}, timeout=5)
    assert len({served_by(stack.client.get("/healthz")) for _ in range(6)}) == 2
    stack.up("--scale", "api=1", "--no-recreate")


def test_the_job_of_a_killed_worker_is_finished_by_another(stack: Containers) -> None:
    stack.up("--scale", "worker=3", "--no-recreate")
    job_id = train(stack, upload(stack, "killed"), model=SLOW)
    first = worker_of(stack, job_id)
    stack.run(["docker", "kill", first])
    job = ended(stack, job_id)
    assert (job["status"], job["attempts"]) == ("succeeded", 2)
    assert not worker_of(stack, job_id).startswith(first)
    assert stack.sql(f"SELECT count(*) FROM model_registry WHERE job_id = '{job_id}'") == "1"  # noqa: S608 - an id of ours
    stack.up("--scale", "worker=1")


def test_a_stopped_worker_hands_its_job_back(stack: Containers) -> None:
    job_id = train(stack, upload(stack, "handed_back"), model=SLOW)
    worker_of(stack, job_id)
    stack.compose("stop", "worker")
    (worker,) = stack.inspect(*stack.ids("worker"))
    assert worker["State"]["ExitCode"] == 0
    assert stack.client.get(f"/jobs/{job_id}").json()["status"] == "queued"
    stack.up()
    assert ended(stack, job_id)["status"] == "succeeded"


def test_while_no_api_is_there_the_gateway_says_so_as_the_api_would(stack: Containers) -> None:
    # Compose itself may stop the gateway with it.
    stack.run(["docker", "stop", *stack.ids("api")])
    url = f"http://127.0.0.1:{stack.api_port}/healthz"
    answer = httpx2.get(url, trust_env=False, timeout=30, headers={"X-Request-ID": "from-the-client"})
    assert answer.status_code == httpx2.codes.SERVICE_UNAVAILABLE
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"]
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "from-the-client"
    stack.up()


def test_everything_stops_in_order_and_comes_back_with_all_that_it_knew(stack: Containers) -> None:
    dataset = upload(stack, "kept")
    ended(stack, train(stack, dataset))
    known = {path: stack.client.get(path).json() for path in ("/datasets", "/models", "/jobs")}
    answer = predict(stack, dataset, "dev")
    stack.compose("stop")
    ours = [container for service in OURS for container in stack.inspect(*stack.ids(service))]
    codes = {container["Name"]: container["State"]["ExitCode"] for container in ours}
    assert set(codes.values()) <= ENDED_IN_ORDER, codes
    stack.compose("down")
    assert stack.ids() == []
    stack.up()
    assert {path: stack.client.get(path).json() for path in known} == known
    assert predict(stack, dataset, "dev") == answer


@pytest.mark.parametrize("block", commands_for("containers"), ids=lambda block: block.place)
def test_the_documented_commands_work(stack: Containers, block: Block, tmp_path: Path) -> None:
    for command in block.commands:
        # A reader watches it; here, the next command comes.
        in_foreground = " up" in command and "--detach" not in command
        line = f"{command} --detach" if in_foreground else command
        line = line.replace("docker compose", " ".join(stack.tool)).replace(":8000", f":{stack.api_port}")
        stack.run(["bash", "-euo", "pipefail", "-c", line], seconds=BUILD_SECONDS, cwd=tmp_path)
        if " up" in command:
            # The database and the object store that runs belong together.
            eventually(lambda: previewed(stack), timeout=JOB_SECONDS, interval=0.5, what="a preview of iris")
    stack.up()
