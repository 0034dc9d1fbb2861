"""What processes of one address tell each other in memory that they share."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.http.metrics import Metrics
from api.processes import board as module
from api.processes.board import Board, BoardFull, Seat, Slate
from shared.database import Database
from shared.errors import DatabaseUnavailable
from tests.support.waiting import eventually


class Away(Database):
    """A database that does not answer, so that metrics are those of requests only."""

    def __init__(self) -> None:
        """It connects to nothing."""

    def read(self) -> "Away":  # type: ignore[override]  # it never returns
        raise DatabaseUnavailable


def told(board: Board) -> dict[str, float]:
    """The samples of the metrics, as the first process tells them."""
    lines = Metrics(Seat(board, 0)).render_with_jobs(Away()).decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def count(board: Board, number: int, times: int, *, seconds: float = 0.003) -> None:
    """Have a process count requests."""
    for _ in range(times):
        Metrics(Seat(board, number)).count_request(method="GET", route="/jobs", status=200, seconds=seconds)


REQUESTS = 'mlmini_http_requests_total{method="GET",route="/jobs",status="200"}'
SECONDS = 'mlmini_http_request_seconds_{0}{{{1}method="GET",route="/jobs"}}'


def test_what_processes_count_is_summed() -> None:
    board = Board(2)
    count(board, 0, 2)
    count(board, 1, 3, seconds=0.2)
    found = told(board)
    assert found[REQUESTS] == found[SECONDS.format("count", "")] == 5
    assert found[SECONDS.format("bucket", 'le="0.005",')] == 2
    assert found[SECONDS.format("bucket", 'le="0.25",')] == 5
    assert found[SECONDS.format("sum", "")] == pytest.approx(0.606)


def test_a_value_on_a_bound_is_in_its_bucket() -> None:
    board = Board()
    count(board, 0, 1, seconds=0.005)
    assert told(board)[SECONDS.format("bucket", 'le="0.005",')] == 1
    assert told(board)[SECONDS.format("bucket", 'le="0.0025",')] == 0


def test_what_a_forked_process_counts_outlives_it() -> None:
    board = Board(2)
    for _ in range(2):
        if not (pid := os.fork()):
            # Whatever happens, it does not go on as the test.
            try:
                count(board, 1, 10)
                board.slates[1].begin()
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
    assert told(board)[REQUESTS] == 20
    assert board.serving == 1


def test_what_is_under_way_ends_with_its_process_and_what_it_counted_does_not() -> None:
    board = Board(2)
    count(board, 1, 4)
    for number in range(2):
        Metrics(Seat(board, number)).tell(overdue=1, waits=2, streams=3, apart=True)
    gauges = ["mlmini_predictions_overdue", "mlmini_jobs_awaited", "mlmini_event_streams", "mlmini_rate_limits_apart"]
    assert [told(board)[gauge] for gauge in gauges] == [2, 4, 6, 2]
    board.slates[1].leave()
    assert [told(board)[gauge] for gauge in gauges] == [1, 2, 3, 1]
    assert told(board)[REQUESTS] == 4


def test_a_process_alone_tells_nothing_of_processes() -> None:
    assert not any("process" in name for name in told(Board()))
    assert told(Board(2))["mlmini_api_process_restarts_total"] == 0


def test_threads_that_count_at_once_lose_nothing() -> None:
    metrics = Metrics(Seat())
    counting = metrics.counting(method="GET", route="/jobs", status=200)
    with ThreadPoolExecutor(max_workers=8) as pool:
        for _ in range(8):
            pool.submit(lambda: [counting(0.1) for _ in range(5_000)])
    text = metrics.render_with_jobs(Away()).decode()
    assert f"{REQUESTS} 40000.0" in text


def test_where_there_is_no_room_nothing_is_counted_and_requests_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SLATE_BYTES", 4096)
    board = Board()
    metrics = Metrics(Seat(board))
    for number in range(100):
        metrics.count_request(method="GET", route=f"/{number}", status=200, seconds=0.1)
    found = told(board)
    assert found['mlmini_http_requests_total{method="GET",route="/0",status="200"}'] == 1
    assert 'mlmini_http_requests_total{method="GET",route="/99",status="200"}' not in found
    with pytest.raises(BoardFull):
        board.slates[0].numbers_of(("one more",), 1000)


def test_who_rings_is_heard_by_all_others() -> None:
    board = Board(3)
    Seat(board, 1).ring()
    bells = [Seat(board, number).bell for number in range(3)]
    assert [bell is not None and _heard(bell) for bell in bells] == [True, False, True]
    # Nobody waits for one that does not listen.
    for _ in range(100_000):
        Seat(board, 1).ring()


def test_a_process_alone_has_no_bell() -> None:
    Seat().ring()
    assert Seat().bell is None


def _heard(bell: int) -> bool:
    try:
        return os.read(bell, 10) == b"!"
    except BlockingIOError:
        return False


def test_a_process_waits_for_those_that_serve_what_was_before() -> None:
    board = Board(3)
    seat = Seat(board, 0)
    seat.wait_for_others(60)
    seat.slate.see(7)
    board.slates[1].see(7)
    # The third one has not looked at the registry yet, so that it serves nothing of before.
    seat.wait_for_others(60)
    board.slates[1].see(6)
    seat.wait_for_others(0.01)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(seat.wait_for_others, 60)
        board.slates[1].see(8)
        waiting.result()
    board.slates[1].see(0)
    assert board.is_behind(7)
    board.slates[1].leave()
    seat.wait_for_others(60)


def test_a_reader_never_meets_half_a_record() -> None:
    board = Board(2)
    if not (pid := os.fork()):
        try:
            for number in range(3_000):
                start = board.slates[1].numbers_of(("key", str(number)), 3)
                board.slates[1].numbers[start + 2] = number
        finally:
            os._exit(0)
    try:

        def all_there() -> bool:
            records = list(board.slates[1].records())
            assert [key for key, _ in records] == [("key", str(number)) for number in range(len(records))]
            assert all(numbers[:2] == [0, 0] for _, numbers in records)
            return len(records) == 3_000

        eventually(all_there, interval=0)
    finally:
        os.waitpid(pid, 0)


def test_a_place_knows_what_was_counted_there_before() -> None:
    memory = memoryview(bytearray(4096))
    first = Slate(memory)
    start = first.numbers_of(("a", "ü"), 2)
    first.numbers[start] = 7
    second = Slate(memory)
    assert second.numbers_of(("a", "ü"), 2) == start
    assert list(second.records()) == [(("a", "ü"), [7, 0])]
