"""Downloads: what is held in memory, and what becomes of the copy."""

import asyncio
import tracemalloc
from pathlib import Path
from typing import BinaryIO

from anyio import CapacityLimiter
from fastapi import Request
from fastapi.responses import StreamingResponse

from api.http.downloads import Download, send

FILE_BYTES = 64 * 2**20


def test_a_large_file_is_sent_without_being_held_in_memory(tmp_path: Path) -> None:
    def copy(target: BinaryIO) -> None:
        for _ in range(FILE_BYTES // 2**20):
            target.write(bytes(2**20))

    download = Download("large.pkl", FILE_BYTES, "0" * 64, copy)
    request = Request({"type": "http", "method": "GET", "headers": [], "request_id": "x"})

    async def take() -> int:
        response = send(request, download, scratch=tmp_path, threads=CapacityLimiter(1))
        assert isinstance(response, StreamingResponse)
        return sum([len(chunk) async for chunk in response.body_iterator])

    tracemalloc.start()
    try:
        assert asyncio.run(take()) == FILE_BYTES
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < FILE_BYTES / 8
    assert list(tmp_path.iterdir()) == []
