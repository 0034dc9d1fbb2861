"""What an upload costs: throughput and memory of a real API process that takes a large CSV file.

Aim: the API grows by less than 100 MB, whatever the size. Beside it, in the same run: SHA-256 and a copy of the same
file, which is the least that any upload has to do.
"""

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil

from bench.measuring import free_port, print_table, seconds_of
from shared.database import Database
from shared.migration import upgrade
from shared.settings import Settings
from shared.tables.reader import Reader

# As `api.server`, but without the warm-up, whose imports would count as growth.
_SERVE = (
    "from api.app import create_app; from api.server import HttpServer; from shared.logging import configure_logging; "
    "from shared.settings import load_settings; settings = load_settings(); configure_logging('ERROR'); "
    "HttpServer(create_app(settings), settings).run()"
)
IRIS = Path(__file__).parents[1] / "shared" / "datasets" / "data" / "iris.csv"
_BLOCK_BYTES = 2**20
_MB = 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024, help="size of the file in MiB")
    size = parser.parse_args().megabytes * 2**20
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "table.csv"
        write_table(path, size)
        settings = Settings(home=Path(home) / "data", port=free_port())
        reference = seconds_of(lambda: hash_and_copy(path, Path(home) / "copy"))
        check = seconds_of_check(path, settings)
        with api(settings) as (client, process):
            # What is imported and allocated once is not what an upload costs.
            send(client, IRIS)
            with watched(process) as memory:
                sent, answered = send(client, path)
    report(path_size=size, reference=reference, check=check, sent=sent, answered=answered, memory=memory)


def report(*, path_size: int, reference: float, check: float, sent: float, answered: float, memory: "Memory") -> None:
    """Print the figures."""

    def row(what: str, seconds: float) -> list[str]:
        return [what, f"{seconds:.2f} s", f"{path_size / _MB / seconds:.0f} MB/s", f"{seconds / reference:.1f}"]

    print_table(
        f"Upload of a CSV file of {path_size / 2**20:.0f} MiB",
        [
            ["what", "time", "rate", "ratio"],
            row("SHA-256 and a copy, in-process (reference)", reference),
            row("the body sent, received and hashed", sent),
            row("the check alone, in its child", check),
            row("POST to 201: received, checked, stored", answered),
        ],
    )
    print_table(
        "Memory",
        [
            ["process", "before", "peak", "growth"],
            ["API (aim: growth below 100 MB)", *memory.api()],
            ["reader's child (limit 2,048 MiB)", "", f"{memory.children_peak / _MB:.0f} MB", ""],
        ],
    )


def write_table(path: Path, size: int) -> None:
    """A CSV file of about `size` bytes: eight measures, a number, an identifier, a category, a text."""
    generator = random.Random(0)  # noqa: S311 - the same table in every run, and no secret
    rows = []
    for number in range(20_000):
        measures = ",".join(f"{generator.gauss(0, 1):.6f}" for _ in range(8))
        rows.append(
            f"{measures},{generator.randrange(1000)},{number},{generator.choice(['red', 'blue'])},name {number}"
        )
    block = ("\n".join(rows) + "\n").encode()
    with path.open("wb") as file:
        file.write(b"a,b,c,d,e,f,g,h,count,id,color,label\n")
        while file.tell() < size:
            file.write(block)


def hash_and_copy(source: Path, target: Path) -> None:
    """The reference: read once, hash, write, make durable."""
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("wb") as write:
        while block := read.read(_BLOCK_BYTES):
            digest.update(block)
            write.write(block)
        write.flush()
        os.fsync(write.fileno())


def seconds_of_check(path: Path, settings: Settings) -> float:
    """The check of the upload, as the API has it done from its second file on."""
    reader = Reader(settings)
    try:
        reader.inspect(IRIS)
        return seconds_of(lambda: reader.inspect(path))
    finally:
        reader.close()


@contextmanager
def api(settings: Settings) -> Iterator[tuple[httpx2.Client, psutil.Process]]:
    """A real API process over SQLite and a local store."""
    settings.home.mkdir(parents=True, exist_ok=True)
    database = Database(settings.sqlalchemy_url)
    upgrade(database)
    database.close()
    environment = os.environ | {
        "MLMINI_HOME": str(settings.home),
        "MLMINI_PORT": str(settings.port),
    }
    process = subprocess.Popen([sys.executable, "-c", _SERVE], env=environment)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{settings.port}", timeout=900) as client:
            _wait_for(client)
            yield client, psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def send(client: httpx2.Client, path: Path) -> tuple[float, float]:
    """Upload a file; the seconds until its last byte was sent, and until the answer."""
    start = time.perf_counter()
    sent = 0.0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield (
            b'--limit\r\nContent-Disposition: form-data; name="file"; filename="' + path.name.encode() + b'"\r\n\r\n'
        )
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                yield block
        yield b"\r\n--limit--\r\n"
        sent = time.perf_counter() - start

    headers = {"content-type": "multipart/form-data; boundary=limit"}
    answer = client.post("/datasets/upload", content=body(), headers=headers)
    if answer.status_code != 201:
        raise SystemExit(answer.text)
    return sent, time.perf_counter() - start


@dataclass
class Memory:
    """Resident bytes of the API process and of the largest of the processes below it."""

    before: int
    peak: int = 0
    children_peak: int = 0
    done: threading.Event = field(default_factory=threading.Event)

    def api(self) -> list[str]:
        """The figures of the API process."""
        return [f"{value / _MB:.0f} MB" for value in (self.before, self.peak, self.peak - self.before)]

    def watch(self, process: psutil.Process) -> None:
        """Sample until `done`."""
        while not self.done.wait(0.02):
            self.peak = max(self.peak, process.memory_info().rss)
            for child in process.children(recursive=True):
                try:
                    self.children_peak = max(self.children_peak, child.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue


@contextmanager
def watched(process: psutil.Process) -> Iterator[Memory]:
    """Watch the memory of a process while the block runs."""
    memory = Memory(before=process.memory_info().rss)
    watcher = threading.Thread(target=memory.watch, args=(process,))
    watcher.start()
    try:
        yield memory
    finally:
        memory.done.set()
        watcher.join()


def _wait_for(client: httpx2.Client) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            client.get("/healthz").raise_for_status()
        except httpx2.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    main()
