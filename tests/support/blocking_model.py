"""A model whose predictions take as long as a test wants, in this process and in others."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.models import LIBRARIES, Fitted, numeric_signature


class BlockingModel:
    """Predicts zeros, once its gate is open."""

    def __init__(self, gate: Path) -> None:
        self.gate = gate

    def get_params(self) -> dict[str, Any]:
        return {}

    def predict(self, rows: Any) -> list[float]:
        with Gate.log_of(self.gate).open("ab") as log:
            log.write(b".")
        if self.gate.exists():
            # Opening a fifo waits for the other end. One that was removed at this very moment is open.
            with suppress(FileNotFoundError), self.gate.open("rb") as fifo:
                fifo.read()
        return [0.0] * len(rows)


class Gate:
    """Keeps predictions of a model waiting until it is opened, for good."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.gate"
        os.mkfifo(self.path)

    @staticmethod
    def log_of(path: Path) -> Path:
        """The file that gets a byte for each prediction that begins."""
        return path.with_suffix(".log")

    def fitted(self) -> Fitted:
        """The model behind this gate, of one input."""
        return Fitted(BlockingModel(self.path), numeric_signature("x", task="regression"), dict(LIBRARIES))

    def begun(self) -> int:
        """How many predictions have begun."""
        log = self.log_of(self.path)
        return log.stat().st_size if log.exists() else 0

    def open(self) -> None:
        """Let all predictions end, those that wait and those that will come."""
        with suppress(FileNotFoundError):
            writer = os.open(self.path, os.O_RDWR)
            self.path.unlink()
            os.close(writer)
