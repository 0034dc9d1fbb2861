"""Whoever erases or deletes at a terminal is asked first."""

import os
import sys
from typing import Any

import pytest
import typer

from cli.actions.deleting import delete_dataset, erase_model


class Sent:
    """A client that notes what it sends."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def send(self, call: Any) -> None:
        self.calls.append(f"{call.method} {call.path}")


def erase(client: Any, *, sure: bool = False) -> None:
    erase_model(client, 3, sure=sure)
    delete_dataset(client, "iris", archive=False, erase=True, sure=sure)
    delete_dataset(client, "wine", archive=False, erase=False, sure=sure)


@pytest.mark.parametrize(("typed", "erased"), [(b"y\ny\ny\n", 3), (b"y\ny\nn\n", 2), (b"y\nn\n", 1), (b"\n", 0)])
def test_an_answer_at_the_terminal_decides(monkeypatch: pytest.MonkeyPatch, typed: bytes, erased: int) -> None:
    client, (ours, theirs) = Sent(), os.openpty()
    os.write(ours, typed)
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        if erased == 3:
            erase(client)
        else:
            with pytest.raises(typer.Abort):
                erase(client)
    os.close(ours)
    assert client.calls == ["DELETE /models/3", "DELETE /datasets/iris", "DELETE /datasets/wine"][:erased]


def test_nobody_is_asked_who_is_sure_or_sits_at_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    client, (reading, writing) = Sent(), os.pipe()
    os.close(writing)
    with os.fdopen(reading) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        erase(client)
    ours, theirs = os.openpty()
    with os.fdopen(theirs) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        delete_dataset(client, "iris", archive=True, erase=False, sure=False)  # type: ignore[arg-type]  # see Sent
        erase(client, sure=True)
    os.close(ours)
    assert len(client.calls) == 7
