"""Files on their way into the catalog."""

import hashlib
import os
import random
from pathlib import Path

import pytest

from shared.datasets.spool import HEAD_BYTES, Spool
from shared.errors import ScratchFull


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


def _write_all(spool: Spool, size: int) -> None:
    spool.write(b"x" * size)
    spool.finish()
