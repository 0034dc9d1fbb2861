"""Files on their way into the catalog."""

import errno
import hashlib
import os
import random
from pathlib import Path

import pytest

from shared.datasets.spool import HEAD_BYTES, Spool, Spooled, written_through
from shared.errors import EmptyTable, ScratchFull, ScratchUnavailable


def test_a_spooled_file_knows_its_size_and_digest(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write(b"ab")
    spool.write(bytearray(b"c"))
    file = spool.finish()
    assert file.path.read_bytes() == b"abc"
    assert (file.size_bytes, file.sha256) == (3, hashlib.sha256(b"abc").hexdigest())
    spool.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("block", [1_000_003, HEAD_BYTES, HEAD_BYTES + 1, 2 * HEAD_BYTES])
@pytest.mark.parametrize("size", [0, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1])
def test_a_spooled_file_knows_the_digest_of_its_beginning_however_it_came(
    tmp_path: Path, size: int, block: int
) -> None:
    content = random.Random(size).randbytes(size)  # noqa: S311 - the same in every run, and no secret
    spool = Spool(tmp_path)
    for start in range(0, size, block):
        spool.write(content[start : start + block])
    assert spool.finish().head_sha256 == hashlib.sha256(content[:HEAD_BYTES]).hexdigest()


def test_a_large_file_is_on_the_disk_when_the_work_beside_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    small, large = _spooled(tmp_path, 10), _spooled(tmp_path, 64 * 2**20)
    for file in (small, large):
        with written_through(file):
            pass
    assert synced == [large.path.stat().st_ino]


def test_a_disk_that_fails_beside_the_work_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)
    file = _spooled(tmp_path, 64 * 2**20)
    with pytest.raises(ScratchUnavailable), written_through(file):
        pass
    with pytest.raises(EmptyTable), written_through(file):
        raise EmptyTable("what the work found comes first")


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    for size in (10, 10**6):
        spool = Spool(tmp_path)
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, spool._file.fileno())
        os.close(full)
        # A small block only fails when it leaves the buffer.
        with pytest.raises(ScratchFull, match="Make room"):
            _write_all(spool, size)
        spool.discard()
    assert list(tmp_path.iterdir()) == []


def _spooled(folder: Path, size: int) -> Spooled:
    path = folder / str(size)
    with path.open("wb") as file:
        file.truncate(size)
    return Spooled(path, size, "", "")


def _write_all(spool: Spool, size: int) -> None:
    spool.write(b"x" * size)
    spool.finish()
