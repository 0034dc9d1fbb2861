"""The reader with its real child processes."""

import gzip
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import structlog

from shared.errors import DuplicateColumns, InvalidTable, ProcessStopping, ReaderUnavailable, TableTooLarge
from shared.sandbox import Ending, Sandbox
from shared.settings import Settings
from shared.tables.reader import Reader
from tests.support.tables import IRIS, parquet
from tests.support.waiting import eventually
from tests.support.workbooks import workbook

pytestmark = pytest.mark.usefixtures("servers_by_command_line")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader(Settings(home=tmp_path_factory.mktemp("home")))
    yield reader
    reader.close()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path


def test_a_file_is_inspected_and_shown_in_a_child(reader: Reader) -> None:
    found = reader.inspect(IRIS)
    assert found.rows == 150
    assert [column.name for column in found.columns][-1] == "target"
    shown = reader.preview(IRIS, found.reading, 2, found.columns)
    assert shown.rows == [[5.1, 3.5, 1.4, 0.2, "setosa"], [4.9, 3.0, 1.4, 0.2, "setosa"]]


def test_the_error_of_the_child_is_raised_again_with_its_class_and_places(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(DuplicateColumns, match="'a'") as refused:
        reader.inspect(written(tmp_path, b"a,a\n1,2\n"))
    assert refused.value.errors == [{"loc": ["file", "a"], "msg": "columns 1, 2 have this name"}]
    with pytest.raises(InvalidTable, match="Line 2 has 1 field"):
        reader.inspect(written(tmp_path, b"a,b\n1\n"))


def test_nothing_stays_in_the_folder(reader: Reader, tmp_path: Path) -> None:
    before = sorted(reader.folder.iterdir())
    reader.inspect(IRIS)
    with pytest.raises(InvalidTable):
        reader.inspect(written(tmp_path, b"\x89PNG"))
    assert sorted(reader.folder.iterdir()) == before


def test_the_limits_of_the_settings_reach_the_child(tmp_path: Path) -> None:
    reader = Reader(Settings(home=tmp_path / "home", table_max_columns=2, table_max_bytes=1000))
    try:
        with pytest.raises(TableTooLarge, match="the limit is 2"):
            reader.inspect(written(tmp_path, b"a,b,c\n1,2,3\n"))
        with pytest.raises(TableTooLarge, match="1,000 bytes"):
            reader.inspect(written(tmp_path, b"a\n" + b"1\n" * 1000))
    finally:
        reader.close()
    assert not reader.folder.exists()


@pytest.mark.asvs("5.2.1")
def test_a_file_that_needs_more_memory_than_allowed_is_too_large(tmp_path: Path) -> None:
    # One string repeated: a few kilobytes in the file, half a gigabyte in one row group.
    content = parquet({"a": ["x" * 2**19] * 1024})
    assert len(content) < 10 * 2**20
    reader = Reader(Settings(home=tmp_path / "home", reader_memory_mb=256))
    try:
        with pytest.raises(TableTooLarge, match=r"256 MiB of memory .* MLMINI_READER_MEMORY_MB"):
            reader.inspect(written(tmp_path, content))
        assert reader.inspect(IRIS).rows == 150
    finally:
        reader.close()


def test_a_wide_table_is_read_in_the_memory_that_reading_may_take(reader: Reader, tmp_path: Path) -> None:
    names = ",".join(f"c{number}" for number in range(1_000)) + "\n"
    found = reader.inspect(written(tmp_path, (names + ("12.34," * 999 + "5\n") * 700).encode()))
    assert (found.rows, len(found.columns)) == (700, 1_000)


@pytest.mark.parametrize(
    "said",
    [
        "memory allocation of 4096 bytes failed",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "ValueOrDie called on an error: Out of memory: malloc of size 4383936 failed",
    ],
)
def test_a_library_that_aborts_for_want_of_memory_does_not_blame_the_file(said: str) -> None:
    assert Ending(signal=signal.SIGABRT, said=said).out_of_memory
    assert not Ending(signal=signal.SIGABRT, said="free(): invalid pointer").out_of_memory


def test_a_workbook_that_needs_more_memory_than_allowed_is_too_large(tmp_path: Path) -> None:
    def far_away(sheet: Any) -> None:
        # A sheet is loaded with the empty cells between those that hold something: nine million, here.
        sheet.cell(9_000, 1_000, 1)

    reader = Reader(Settings(home=tmp_path / "home", reader_memory_mb=256))
    try:
        with pytest.raises(TableTooLarge, match=r"256 MiB of memory .* MLMINI_READER_MEMORY_MB"):
            reader.inspect(written(tmp_path, workbook([["a", "b"], [1, 2]], far_away)))
        assert reader.inspect(written(tmp_path, workbook([["a", "b"], [1, 2]]))).rows == 1
    finally:
        reader.close()


@pytest.mark.asvs("5.2.1")
def test_a_file_that_takes_too_long_is_too_large_and_its_child_is_killed(tmp_path: Path) -> None:
    reader = Reader(Settings(home=tmp_path / "home", reader_seconds=0.2))
    try:
        with pytest.raises(TableTooLarge, match=r"0\.2 seconds .* MLMINI_READER_SECONDS"):
            reader.inspect(written(tmp_path, gzip.compress(b"a,b\n" + b"12345,x\n" * 10_000_000, 1)))
        eventually(lambda: not _computing(), what="the child is gone")
    finally:
        reader.close()


@pytest.fixture(scope="module")
def odd_reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader whose children end as the file says."""
    reader = Reader(Settings(home=tmp_path_factory.mktemp("home")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        reader._sandbox = Sandbox("tests.support.odd_reader:main", scratch=reader.folder)
        ended = threading.Event()
        killer = threading.Thread(target=_kill_servers, args=[reader.folder, ended])
        killer.start()
        yield reader
        ended.set()
        killer.join()
    reader.close()


def _kill_servers(folder: Path, ended: threading.Event) -> None:
    """Kill the fork servers that readers wish dead."""
    while not ended.wait(0.02):
        for wish in folder.glob("*/server-*.kill"):
            wish.unlink()
            os.kill(int(wish.stem.removeprefix("server-")), signal.SIGKILL)


@pytest.mark.parametrize("act", ["kill", "server", "cpu", "abort", "raise", "lose"])
def test_a_file_whose_reader_was_ended_once_is_read_by_another_one(
    odd_reader: Reader, tmp_path: Path, act: str
) -> None:
    assert odd_reader.inspect(written(tmp_path, f"{act} 1\n7\n".encode())).rows == 1


@pytest.mark.parametrize("act", ["kill", "server", "cpu", "lose"])
def test_what_ends_readers_from_outside_is_not_the_fault_of_the_file(
    odd_reader: Reader, tmp_path: Path, act: str
) -> None:
    with pytest.raises(ReaderUnavailable, match="The file is not at fault"):
        odd_reader.inspect(written(tmp_path, f"{act} 9\n7\n".encode()))


@pytest.mark.parametrize("act", ["abort", "raise"])
def test_a_file_that_makes_its_reader_fail_again_is_refused_for_that(
    odd_reader: Reader, tmp_path: Path, act: str
) -> None:
    with pytest.raises(InvalidTable, match=r"fail .* and when it was tried again"):
        odd_reader.inspect(written(tmp_path, f"{act} 2\n7\n".encode()))


def test_a_reader_that_cannot_start_is_not_the_fault_of_the_file(tmp_path: Path) -> None:
    reader = Reader(Settings(home=tmp_path / "home"))
    reader._sandbox = Sandbox("nowhere:main", scratch=reader.folder)
    try:
        with pytest.raises(ReaderUnavailable, match="cannot start"):
            reader.inspect(IRIS)
    finally:
        reader.close()


def test_a_file_whose_reader_is_closed_is_not_called_damaged(tmp_path: Path) -> None:
    reader = Reader(Settings(home=tmp_path / "home"))
    with ThreadPoolExecutor() as pool, structlog.testing.capture_logs() as logs:
        inspected = pool.submit(reader.inspect, written(tmp_path, b"a,b\n" + b"12345,x\n" * 10_000_000))
        eventually(_computing)
        reader.close()
        assert isinstance(inspected.exception(timeout=30), ProcessStopping)
    assert not [line for line in logs if line["log_level"] == "error"]


@pytest.mark.asvs("15.2.2")
def test_only_two_children_read_at_a_time(reader: Reader, tmp_path: Path) -> None:
    path = written(tmp_path, b"a,b\n" + b"12345,x\n" * 250_000)
    threads = [threading.Thread(target=reader.inspect, args=(path,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    most = 0
    while any(thread.is_alive() for thread in threads):
        most = max(most, len(_computing()))
        # The look takes a core, too.
        time.sleep(0.02)
    assert most == 2


def test_large_files_keep_neither_small_ones_nor_first_rows_waiting(tmp_path: Path) -> None:
    reader = Reader(Settings(home=tmp_path / "home"))
    large = written(tmp_path, b"a,b\n" + b"12345,x\n" * 1_000_000)
    threads = ThreadPoolExecutor()
    try:
        # What forks is started.
        reader.inspect(IRIS)
        waiting = [threads.submit(reader.inspect, large) for _ in range(3)]
        # What has to be read leaves the cores to what has to be predicted.
        stopped = eventually(lambda: found if len(found := _polite()) == 2 else [], timeout=60)
        for child in stopped:
            child.suspend()
        found = threads.submit(reader.inspect, IRIS).result(30)
        assert threads.submit(reader.preview, IRIS, found.reading, 2, found.columns).result(30).columns
    finally:
        reader.close()
        threads.shutdown()
    # Also the one that was never begun.
    assert {type(inspection.exception()) for inspection in waiting} == {ProcessStopping}


def test_what_is_too_long_to_show_is_refused(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    found = reader.inspect(IRIS)
    monkeypatch.setattr("shared.tables.reader._MOST_ANSWER_BYTES", 100)
    with pytest.raises(TableTooLarge, match="fewer rows"):
        reader.preview(IRIS, found.reading, 100, found.columns)


def _computing() -> list[psutil.Process]:
    """The processes that were forked from fork servers of this process."""
    found = []
    for guard in psutil.Process().children():
        try:
            # PostgreSQL of other tests has children, too.
            if "shared.sandbox.server" not in guard.cmdline():
                continue
            for server in guard.children():
                found += [child for child in server.children() if child.status() != psutil.STATUS_ZOMBIE]
        except psutil.NoSuchProcess:
            continue
    return found


def _polite() -> list[psutil.Process]:
    """Those of them that have set themselves behind others; just after a fork, a child has not yet."""
    return [child for child in _computing() if child.nice() > psutil.Process().nice()]
