"""How far a computation is: by its own word, and while its fit is silent, by what earlier fits like it took."""

import json
import time
from pathlib import Path

from shared.training.steps import percent_of_fit
from worker.handover import PROGRESS_FILE
from worker.heartbeat import AttemptProgress

# An estimate stops here: many fits take longer than the last one, so it must not say that the end is near.
_MOST_ESTIMATED = 0.95


class Pace:
    """The progress of one computation in its folder."""

    def __init__(self, folder: Path, *, expected_fit_seconds: float | None) -> None:
        """Without an expectation, a fit that does not tell how far it is stays where it began."""
        self._file = folder / PROGRESS_FILE
        self._expected = expected_fit_seconds
        self._fitting_since: float | None = None

    def now(self) -> AttemptProgress | None:
        """How far it is; None before its first word."""
        try:
            said = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return None
        if said["step"] == "fitting" and not said["measured"] and self._expected:
            return self._estimate(self._expected)
        return AttemptProgress(said["percent"], said["step"])

    def _estimate(self, expected: float) -> AttemptProgress:
        now = time.monotonic()
        if self._fitting_since is None:
            self._fitting_since = now
        share = min((now - self._fitting_since) / expected, _MOST_ESTIMATED)
        return AttemptProgress(percent_of_fit(share), "fitting", estimated=True)
