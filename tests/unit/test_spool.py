"""Files on their way into the catalog."""

import hashlib
import os
from pathlib import Path

import pytest

from shared.datasets.spool import Spool


def test_a_spooled_file_knows_its_size_and_digest(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write(b"ab")
    spool.write(bytearray(b"c"))
    file = spool.finish()
    assert file.path.read_bytes() == b"abc"
    assert (file.size_bytes, file.sha256) == (3, hashlib.sha256(b"abc").hexdigest())
    spool.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    for size in (10, 10**6):
        spool = Spool(tmp_path)
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, spool._file.fileno())
        os.close(full)
        # A small block only fails when it leaves the buffer.
        with pytest.raises(OSError, match="No space"):
            _write_all(spool, size)
        spool.discard()
    assert list(tmp_path.iterdir()) == []


def _write_all(spool: Spool, size: int) -> None:
    spool.write(b"x" * size)
    spool.finish()
