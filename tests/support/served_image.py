"""The image of the API as a container of its own that serves an exported folder, and how that folder is had."""

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.support.containers import ROOT, Containers
from tests.support.documented import blocks
from tests.support.server import free_ports
from tests.support.waiting import eventually

PAGE = ROOT / "docs" / "serve-a-folder.md"
START = "docker run --rm --init -p 127.0.0.1:8080:8080 "
IMAGE = " mlmini-api:0.1.0 "
# What the page names in its command.
EXPORTED = "iris-model"
_START_SECONDS = 60

# Prints a folder as an archive: a container's /tmp cannot be copied from outside.
_PACK = "import sys, tarfile; tarfile.open(fileobj=sys.stdout.buffer, mode='w|').add(sys.argv[1], arcname='.')"


@dataclass(frozen=True)
class Export:
    """Where the folder `iris-model` of an export lies on this machine, and the key that it is sealed with."""

    beside: Path
    key: str


@dataclass(frozen=True)
class ServedImage:
    """One container that serves a folder."""

    stack: Containers
    id: str
    client: httpx2.Client

    @property
    def health(self) -> str:
        """What the health check of the image found."""
        (found,) = self.stack.inspect(self.id)
        return str(found["State"]["Health"]["Status"])

    def answers(self) -> bool:
        """Whether the model is in memory."""
        try:
            return self.client.get("/ping").is_success
        except httpx2.TransportError:
            return False


def export(stack: Containers, model: str, folder: Path) -> Export:
    """Write what serves in dev into `iris-model` of a folder of this machine; once for each model."""
    (container,) = stack.ids("api")
    place = f"/tmp/{model}"  # noqa: S108 - in a container
    words = ["mlmini", "models", "export", f"{model}@dev", "--to", place, "--key-file", f"{place}.key"]
    stack.run(["docker", "exec", container, *words])
    command = ["docker", "exec", container, "python", "-c", _PACK, place]
    packed = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder / EXPORTED, filter="data")
    return Export(folder, stack.execute(container, f"cat {place}.key").stdout.strip())


@contextmanager
def served(stack: Containers, folder: Path, *options: str) -> Iterator[ServedImage]:
    """Serve the exported folder with the command of the page and further options of `docker run`."""
    (line,) = (block.text.strip() for block in blocks(PAGE) if block.text.startswith(START))
    (container,) = stack.inspect(*stack.ids("api"))
    (port,) = free_ports(1)
    start = START.replace("--rm", "--detach").replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    line = line.replace(START, " ".join([start.strip(), *options, ""]))
    line = line.replace(IMAGE, f" {container['Config']['Image']} ")
    started = stack.run(["bash", "-euo", "pipefail", "-c", line], cwd=folder).strip()
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            image = ServedImage(stack, started, client)
            try:
                eventually(image.answers, timeout=_START_SECONDS, interval=0.5, what="/ping is answered")
                yield image
            except BaseException as error:
                error.add_note(stack.log_of(started))
                raise
    finally:
        stack.run(["docker", "rm", "--force", started])
