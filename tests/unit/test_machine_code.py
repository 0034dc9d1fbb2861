"""The folder of the kernels' machine code: it is trusted as code is, or not read at all."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.compiled.kernels import columns, folder, trees
from tests.support.documented import ROOT


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return tmp_path / "machine code"


def test_a_folder_is_made_for_its_owner_alone(there: Path) -> None:
    assert folder.is_usable(there)
    assert there.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("place", ["folder", "file"])
def test_what_others_may_write_is_not_read(there: Path, place: str) -> None:
    assert folder.is_usable(there)
    planted = there / "trees.add_trees-52.py311.1.nbc"
    planted.write_bytes(b"code")
    assert folder.is_usable(there)
    (there if place == "folder" else planted).chmod(0o777)
    with capture_logs() as logs:
        assert not folder.is_usable(there)
    assert [line["event"] for line in logs] == ["kernels_not_trusted"]
    assert "other users" in logs[0]["reason"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("place", ["folder", "file"])
def test_what_another_user_owns_is_not_read(there: Path, place: str) -> None:
    assert folder.is_usable(there)
    planted = there / "trees.add_trees-52.py311.1.nbc"
    planted.write_bytes(b"code")
    os.chown(there if place == "folder" else planted, 12345, 12345)
    assert not folder.is_usable(there)


def test_a_folder_that_cannot_be_written_is_used_once_it_is_complete(
    there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folder.is_usable(there)
    # Root may write everything; what is asked is replaced.
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    assert not folder.is_usable(there)
    folder.write_stamp(there)
    assert folder.is_usable(there)
    (there / "complete").write_text("of another release")
    assert not folder.is_usable(there)


def test_a_folder_that_cannot_be_made_is_not_used(there: Path) -> None:
    (there.parent / "a file").write_text("")
    assert not folder.is_usable(there.parent / "a file" / "below")


def test_all_kernels_are_compiled_when_they_are_imported_and_never_again() -> None:
    kernels: list[Any] = [columns.put_numbers, columns.put_bins, columns.put_tables, columns.round_to_single]
    kernels += [columns.are_within, columns.sigmoid_pairs, trees.add_trees, trees.value_of_each_tree]
    for kernel in kernels:
        assert len(kernel.signatures) == 1
        assert not kernel._can_compile


def test_the_install_fills_the_folder_and_says_so() -> None:
    command = [sys.executable, "-m", "shared.compiled.kernels.warm"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert "are compiled" in answer.stdout
    assert folder.is_usable()
    assert {path.name.partition("-")[0] for path in folder.FOLDER.glob("*.nbi")} >= {"trees.add_trees"}
