"""The most memory that a process has held: from when it is counted, and where nobody counts."""

from pathlib import Path

import numpy as np
import pytest

from worker import peak_memory
from worker.peak_memory import count_anew, peak_bytes

_LARGE = 64 * 2**20


def test_the_peak_is_that_since_it_was_counted_anew() -> None:
    assert count_anew()
    before = peak_bytes()
    assert before is not None
    held = np.ones(_LARGE, dtype=np.uint8)
    assert held.any()
    del held
    high = peak_bytes()
    assert high is not None
    assert high > before + _LARGE * 0.9
    assert count_anew()
    after = peak_bytes()
    assert after is not None
    assert after < high - _LARGE * 0.5


def test_nothing_is_said_where_nobody_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(peak_memory, "_CLEAR", tmp_path / "none" / "clear")
    monkeypatch.setattr(peak_memory, "_STATUS", tmp_path / "status")
    assert not count_anew()
    assert peak_bytes() is None
    (tmp_path / "status").write_text("VmPeak: 5 kB\n")
    assert peak_bytes() is None
    (tmp_path / "status").write_text("VmPeak: 5 kB\nVmHWM:\t  2048 kB\n")
    assert peak_bytes() == 2 * 2**20
