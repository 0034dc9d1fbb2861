"""How far a computation is: by its own word, and while its fit is silent, by what earlier fits like it took."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

from shared.training.steps import Turn, percent_of_fit
from worker.handover import PROGRESS_FILE
from worker.heartbeat import AttemptProgress

# An estimate stops here: many fits take longer than the last one, so it must not say that the end is near.
_MOST_ESTIMATED = 0.95


class Pace:
    """The progress of one computation in its folder."""

    def __init__(self, folder: Path, *, expected_fit_seconds: Sequence[float | None] = ()) -> None:
        """Without an expectation, a fit that does not tell how far it is stays where it began.

        There is one for each training of the job, in their order.
        """
        self._file = folder / PROGRESS_FILE
        self._expected = dict(enumerate(expected_fit_seconds, start=1))
        self._fitting_since: dict[int, float] = {}

    def now(self) -> AttemptProgress | None:
        """How far it is; None before its first word."""
        try:
            said = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return None
        turn = Turn(*said["turn"])
        expected = self._expected.get(turn.number)
        if said["step"] == "fitting" and not said["measured"] and expected:
            return self._estimate(expected, turn)
        return AttemptProgress(turn.percent(said["percent"]), turn.named(said["step"]))

    def _estimate(self, expected: float, turn: Turn) -> AttemptProgress:
        now = time.monotonic()
        share = min((now - self._fitting_since.setdefault(turn.number, now)) / expected, _MOST_ESTIMATED)
        return AttemptProgress(turn.percent(percent_of_fit(share)), turn.named("fitting"), estimated=True)
