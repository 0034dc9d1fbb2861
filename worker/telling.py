"""How a computing process tells its supervisor how far it is, what people should know, and what came of it."""

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from shared.jobs.logs import one_line
from shared.training.steps import ONLY, Turn
from worker.handover import LINES_FILE, OUTCOME_FILE, PROGRESS_FILE


@dataclass(frozen=True)
class Telling:
    """Writes into the folder that the supervisor reads."""

    folder: Path

    def show(self, step: str, percent: int, *, measured: bool = False, turn: Turn = ONLY) -> None:
        """Show how far it is, or the training of several whose turn it is."""
        self._write(PROGRESS_FILE, json.dumps({"step": step, "percent": percent, "measured": measured, "turn": turn}))

    def say(self, text: str) -> None:
        """Add a line to the log of the job."""
        with (self.folder / LINES_FILE).open("a", encoding="utf-8", errors="replace") as lines:
            lines.write(f"{one_line(text)}\n")

    def conclude(self, outcome: BaseModel) -> None:
        """Write down what came of it."""
        self._write(OUTCOME_FILE, outcome.model_dump_json())

    def _write(self, name: str, content: str) -> None:
        # The supervisor may read at any moment: it must see the old content or the new one, not half of it.
        path = self.folder / name
        new = path.with_suffix(".new")
        new.write_text(content)
        new.rename(path)
