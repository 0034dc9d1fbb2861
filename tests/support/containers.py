"""The stack of docker-compose.yml, run for a test under a project name and on ports of its own.

Images come from the variables of .env.example where they are set in the environment. The object store is the default
one, or MinIO where COMPOSE_PROFILES says so. Nobody's own .env is read.
"""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

import httpx2

from shared.settings import PREFIX
from tests.support.documented import blocks
from tests.support.server import free_ports
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"

BUILD_SECONDS = 1800
COMMAND_SECONDS = 300
READY_SECONDS = 180

# Workers that die are noticed in seconds, so that a test need not wait for minutes.
QUICK = {
    "MLMINI_LEASE_SECONDS": "6",
    "MLMINI_BEAT_SECONDS": "2",
    "MLMINI_RESCUE_SECONDS": "1",
    # Less than the slow fit of a test takes on a fast machine.
    "MLMINI_DRAIN_SECONDS": "1",
}

# What docs/containers.md has people write into their .env for MinIO.
MINIO = {"COMPOSE_PROFILES": "minio", "SEAWEEDFS_SCALE": "0", "MLMINI_S3_ENDPOINT_URL": "http://minio:9000"}

# The port of gRPC that the page of the containers publishes.
GRPC_PORT = 8001

# A name that the platform is told to answer to.
PUBLISHED = "ml.example.org"


class Containers:
    """One project of docker compose."""

    def __init__(self, *overrides: Path, **variables: str) -> None:
        self.project = f"mlmini-e2e-{token_hex(3)}"
        self.api_port, self.flower_port, console_port = free_ports(3)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self.environment = kept | QUICK | (MINIO if kept.get("COMPOSE_PROFILES") == "minio" else {})
        self.environment |= variables | {
            "MLMINI_ALLOWED_HOSTS": PUBLISHED,
            "COMPOSE_FILE": os.pathsep.join(map(str, (COMPOSE_FILE, *overrides))),
            "COMPOSE_PROJECT_NAME": self.project,
            "API_PORT": str(self.api_port),
            "FLOWER_PORT": str(self.flower_port),
            "MINIO_CONSOLE_PORT": str(console_port),
        }
        self._folder = TemporaryDirectory()
        self.tool = self._tool()
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{self.api_port}", trust_env=False, timeout=90)

    def compose(self, *words: str, seconds: float = COMMAND_SECONDS) -> str:
        """Run a command of compose and return what it printed.

        Raises:
            AssertionError: when it fails.
        """
        return self.run([*self.tool, *words], seconds=seconds)

    def up(self, *words: str) -> None:
        """Start what is not there yet, and wait until the platform serves and sees a worker."""
        self.compose("up", "-d", *words, seconds=BUILD_SECONDS)
        eventually(lambda: self.readiness() == "ok", timeout=READY_SECONDS, interval=0.5, what="/readyz says ok")

    def readiness(self) -> str:
        """What /readyz says; empty while nobody answers."""
        try:
            answer = self.client.get("/readyz")
        except httpx2.TransportError:
            return ""
        status: str = answer.json()["status"] if answer.status_code == httpx2.codes.OK else ""
        return status

    def ids(self, service: str = "") -> list[str]:
        """The ids of all containers of a service, or of the project, those that have ended among them."""
        filters = [f"--filter=label=com.docker.compose.project={self.project}"]
        filters += [f"--filter=label=com.docker.compose.service={service}"] if service else []
        return self.run(["docker", "ps", "--all", "--quiet", *filters]).split()

    def inspect(self, *ids: str) -> list[dict[str, Any]]:
        """What the engine knows of containers."""
        found: list[dict[str, Any]] = json.loads(self.run(["docker", "inspect", *ids]))
        return found

    def execute(self, container: str, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the shell in a container."""
        return subprocess.run(
            ["docker", "exec", container, "sh", "-c", command],
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def python(self, container: str, program: str, *words: str) -> str:
        """Run a program in a container and return what it printed.

        Raises:
            AssertionError: when it fails.
        """
        return self.run(["docker", "exec", container, "python", "-c", program, *words])

    def sql(self, query: str) -> str:
        """What the database answers."""
        return self.compose(
            "exec", "-T", "postgres", "psql", "-U", "mlmini", "-d", "mlmini", "-At", "-c", query
        ).strip()

    def run(self, command: list[str], *, seconds: float = COMMAND_SECONDS, cwd: Path = ROOT) -> str:
        """Run a command with the variables of this project and return what it printed.

        Raises:
            AssertionError: when it fails.
        """
        done = subprocess.run(
            command, env=self.environment, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert done.returncode == 0, f"{shlex.join(command)}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def log_of(self, container: str, *options: str) -> str:
        """What a container wrote."""
        command = ["docker", "logs", *options, container]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout

    def logs(self) -> str:
        """The last lines of every container."""
        parts = []
        for container in self.inspect(*self.ids()):
            last = self.log_of(container["Id"], "--tail=40")
            parts.append(f"== {container['Name']}: {container['State']}\n{last}")
        return "\n".join(parts)

    def remove(self) -> None:
        """Remove every trace of the project: containers, networks, volumes."""
        self.client.close()
        # A volume belongs to the profiles of its services.
        self.compose("--profile", "minio", "down", "--volumes", "--remove-orphans")
        self._folder.cleanup()

    def _tool(self) -> list[str]:
        """Compose as a plugin of docker, else as a program of its own.

        Raises:
            AssertionError: when neither is here, or no engine answers.
        """
        self.run(["docker", "version"])
        for tool in (["docker", "compose"], ["docker-compose"]):
            if subprocess.run([*tool, "version"], capture_output=True, check=False).returncode == 0:
                empty = Path(self._folder.name) / "empty.env"
                empty.touch()
                return [*tool, "--env-file", str(empty)]
        raise AssertionError("neither `docker compose` nor `docker-compose` is here: install one of them")


def published_grpc() -> str:
    """What the page of the containers has for an override file that publishes the port of gRPC."""
    texts = (block.text for block in blocks(ROOT / "docs" / "containers.md"))
    (override,) = (text for text in texts if f"127.0.0.1:{GRPC_PORT}:" in text)
    return override


@contextmanager
def running_containers(*overrides: Path, **variables: str) -> Iterator[Containers]:
    """The whole stack, built and ready; it is removed at the end. What it logged is told with a failure.

    `overrides` are files beside docker-compose.yml, and `variables` stand for lines of .env.
    """
    containers = Containers(*overrides, **variables)
    try:
        containers.up("--build")
        yield containers
    except BaseException as error:
        error.add_note(containers.logs())
        raise
    finally:
        containers.remove()
