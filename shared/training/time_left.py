"""How much of its time a training may spend on what nobody asked for."""

import math
import time


class TimeLeft:
    """Counts from when it is made; `seconds` is what the whole training may take."""

    def __init__(self, seconds: float = math.inf) -> None:
        self._end = time.monotonic() + seconds

    def spare(self, most: float) -> float:
        """What may be spent on an extra: no more than `most` seconds, and never more than a third of what is left."""
        return max(min(most, (self._end - time.monotonic()) / 3), 0.0)
