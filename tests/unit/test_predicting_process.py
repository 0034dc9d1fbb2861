"""What a predicting process does, and the messages that it is asked with, both ends in one process."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from shared.errors import ArtifactCorrupt
from shared.hashing import digest_of
from shared.prediction.messages import Closed, Garbled, Message, receive, send
from shared.prediction.places import Places
from shared.prediction.predicting_process import main
from shared.registry import artifact
from tests.support.models import LIBRARIES, numeric_signature
from tests.support.waiting import eventually

MOST = 2**20


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def order(path: Path, **changed: Any) -> dict[str, Any]:
    """What a process is told to load."""
    signature = numeric_signature("x", classes=["no", "yes"]).model_dump(mode="json")
    told = {"path": str(path), "version": 7, "sha256": digest_of(path).sha256, "environment": LIBRARIES}
    return told | {"signature": signature} | changed


@contextmanager
def process(monkeypatch: pytest.MonkeyPatch, ours: socket.socket, theirs: socket.socket) -> Iterator[socket.socket]:
    """The entry function in a thread, its standard input one end of the pair."""
    # It would be for the whole process of the tests.
    monkeypatch.setattr("shared.prediction.predicting_process.gc.freeze", lambda: None)
    real = socket.socket
    monkeypatch.setattr(
        "shared.prediction.predicting_process.socket.socket", lambda fileno: real(fileno=theirs.detach() + fileno)
    )
    thread = threading.Thread(target=main, args=[Path()])
    thread.start()
    yield ours
    ours.close()
    thread.join()


def stored(folder: Path) -> Path:
    path = folder / "model.pkl"
    artifact.dump(KNeighborsClassifier(1, n_jobs=2).fit([[0.0], [1.0]], ["no", "yes"]), path)
    return path


def test_it_loads_and_answers_until_the_other_side_is_closed(
    monkeypatch: pytest.MonkeyPatch, pair: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    asked: list[Any] = []
    real = KNeighborsClassifier.predict

    def predict(model: Any, rows: Any) -> Any:
        asked.append(model)
        return real(model, rows)

    monkeypatch.setattr(KNeighborsClassifier, "predict", predict)
    with process(monkeypatch, *pair) as connection:
        send(connection, order(stored(tmp_path)))
        ready = receive(connection, most_bytes=MOST).said
        assert (ready["name"], ready["gives_probabilities"]) == ("KNeighborsClassifier", True)
        assert ready["memory_bytes"] > 0
        send(connection, {"probabilities": True}, [np.array([[0.1], [0.9]])])
        answer = receive(connection, most_bytes=MOST)
        assert answer.said == {"labels": ["no", "yes"]}
        assert answer.arrays[0].tolist() == [[1.0, 0.0], [0.0, 1.0]]
        send(connection, {"probabilities": False}, [np.array([[0.1, 0.2]])])
        refused = receive(connection, most_bytes=MOST).said
        assert (refused["refused"], "features" in refused["why"]) == ("ValueError", True)
    # Handing single rows to threads takes longer than predicting them.
    assert asked[0].n_jobs == 1


def test_it_loads_no_other_file_than_the_one_that_was_checked(
    monkeypatch: pytest.MonkeyPatch, pair: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    with process(monkeypatch, *pair) as connection:
        send(connection, order(stored(tmp_path), sha256="0" * 64))
        assert receive(connection, most_bytes=MOST).said["problem"]["code"] == ArtifactCorrupt.code


def test_a_message_comes_as_it_was_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    moment = datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)
    said = {"a": [1, 0.1, True, None, "ä\ud800", 10**300, moment, np.float32(0.5), np.str_("b")]}
    arrays: list[Any] = [
        np.array([[1.5, np.nan]]),
        np.array([True]),
        np.array([], np.int32),
        np.array([0.1], np.float32),
    ]
    send(pair[0], said, arrays)
    taken = receive(pair[1], most_bytes=MOST)
    assert taken.said == {"a": [1, 0.1, True, None, "ä\ud800", 10**300, moment.isoformat(), 0.5, "b"]}
    for sent, come in zip(arrays, taken.arrays, strict=True):
        assert come.dtype == sent.dtype
        assert come.flags.aligned
        np.testing.assert_array_equal(come, sent)


def framed(head: bytes, rest: bytes = b"") -> bytes:
    return struct.pack(">QQ", len(head), len(head + rest)) + head + rest


def described(**array: Any) -> bytes:
    return framed(json.dumps({"said": {}, "arrays": [array]}).encode())


@pytest.mark.parametrize(
    "sent",
    [
        struct.pack(">QQ", 2, MOST + 1),
        struct.pack(">QQ", 2, 2**64 - 1),
        struct.pack(">QQ", MOST + 1, 2) + b"{}",
        framed(b"{"),
        framed(b"[]"),
        framed(b"\xff"),
        framed(b"[" * 100_000),
        framed(b'{"said": 1, "arrays": []}'),
        described(type="O", shape=[1]),
        described(type="<U4", shape=[1]),
        described(type="no type", shape=[1]),
        described(type="<f8", shape=[-1, 8]),
        described(type="<f8", shape=["a"]),
        described(type="<f8", shape=[2**40, 2**40]),
        described(shape=[1]),
        described(type="<f8", shape=[1]),
        framed(b'{"said": {}, "arrays": []}', b" "),
    ],
)
def test_what_is_no_message_is_told_before_anything_is_made_of_it(
    pair: tuple[socket.socket, socket.socket], sent: bytes
) -> None:
    writer = threading.Thread(target=pair[0].sendall, args=[sent])
    writer.start()
    with pytest.raises(Garbled):
        receive(pair[1], most_bytes=MOST)
    writer.join()


def test_a_large_message_comes_as_it_was_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    rows = np.arange(50_000, dtype=np.float64)
    writer = threading.Thread(target=send, args=[pair[0], {"rows": 50_000}, [rows]])
    writer.start()
    taken = receive(pair[1], most_bytes=MOST)
    writer.join()
    assert taken.said == {"rows": 50_000}
    np.testing.assert_array_equal(taken.arrays[0], rows)


def test_the_end_of_the_other_side_is_told_in_the_middle_of_a_message(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    pair[0].sendall(b"\0" * 4)
    pair[0].close()
    with pytest.raises(Closed):
        receive(pair[1], most_bytes=MOST)
    with pytest.raises(Closed):
        send(pair[1], {})


def test_a_message_that_does_not_come_is_not_waited_for_after_the_deadline(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    pair[0].sendall(b"\0" * 4)
    with pytest.raises(TimeoutError):
        receive(pair[1], most_bytes=MOST, deadline=0)


def test_an_empty_message_is_one(pair: tuple[socket.socket, socket.socket]) -> None:
    send(pair[0], {})
    assert receive(pair[1], most_bytes=MOST) == Message({}, [])


def test_who_waits_longest_is_next() -> None:
    places = Places(["it"])
    turns: list[int] = []

    def wait(number: int) -> None:
        with places.lent(seconds=30):
            turns.append(number)

    waiting: list[threading.Thread] = []
    with places.lent(seconds=30):
        for number in range(5):
            waiting.append(threading.Thread(target=wait, args=[number]))
            waiting[-1].start()
            eventually(lambda: len(places._waiting) == len(waiting))
        with pytest.raises(TimeoutError), places.lent(seconds=0.01):
            pass
    for thread in waiting:
        thread.join()
    assert turns == list(range(5))


def test_few_things_are_used_while_few_are_needed() -> None:
    places = Places(["first", "second"])
    for _ in range(3):
        with places.lent(seconds=1) as thing:
            assert thing == "first"
    with places.lent(seconds=1), places.lent(seconds=1) as other:
        assert other == "second"
