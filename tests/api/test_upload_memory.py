"""Uploads stream: how large a file is must not be seen in the memory of the API."""

import threading
from collections.abc import Iterator

import httpx2
import psutil
import pytest

from shared.settings import Settings
from tests.support.api_server import ApiServer
from tests.support.server import running

pytestmark = pytest.mark.any_stack

FILE_BYTES = 256 * 2**20
# Far below the file, far above what reading in chunks needs.
GROWTH_BYTES = 100 * 10**6
BOUNDARY = "a-boundary"


@pytest.fixture
def api(api_settings: Settings) -> Iterator[ApiServer]:
    """A real API process, whose memory is its own."""
    server = ApiServer(api_settings.model_copy(update={"log_level": "ERROR"}))
    with running(server):
        yield server


def body(size: int) -> Iterator[bytes]:
    """A multipart body with a CSV file of about `size` bytes, made while it is sent."""
    yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="big.csv"\r\n\r\na,b,c\n'.encode()
    block = b"1.25,2,three words here\n" * 40_000
    for _ in range(size // len(block)):
        yield block
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


def upload(api: ApiServer, size: int) -> httpx2.Response:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return httpx2.post(f"{api.url}/datasets/upload", content=body(size), headers=headers, timeout=120)


@pytest.mark.asvs("1.4.3")
def test_a_large_file_is_taken_without_being_held_in_memory(api: ApiServer) -> None:
    # What is imported and allocated once is not what an upload costs.
    assert upload(api, 10**6).status_code == 201
    process = psutil.Process(api.pid)
    before = peak = process.memory_info().rss
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        answer = upload(api, FILE_BYTES)
    finally:
        done.set()
        watcher.join()
    assert answer.status_code == 201, answer.text
    assert answer.json()["size_bytes"] > FILE_BYTES * 0.9
    assert peak - before < GROWTH_BYTES
