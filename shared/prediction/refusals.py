"""What was just refused because the registry has nothing to answer with, so that the same request asks it once."""

import threading
import time
from collections import OrderedDict
from copy import copy

from shared.errors import NoActiveModel, NotActive, PlatformError, TargetDiffers, UnknownDataset, UnknownStage
from shared.prediction.loaded import ServingPlace

# No longer than a change of the registry takes to be noticed.
KEPT_SECONDS = 0.25
_MOST = 1_000
# All that the registry says. A load that failed is tried again at once.
_KEPT = (NoActiveModel, NotActive, TargetDiffers, UnknownDataset, UnknownStage)

Wanted = tuple[ServingPlace, int | None]


class Refusals:
    """The refusals of the last moment, by what was asked for. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Wanted, tuple[float, PlatformError]] = OrderedDict()
        self._changes = 0

    @property
    def changes(self) -> int:
        """How often what was kept was forgotten; read it before the registry is asked."""
        return self._changes

    def find(self, wanted: Wanted) -> PlatformError | None:
        """The refusal of what is wanted, to be raised, if it was refused just now."""
        with self._lock:
            kept = self._kept.get(wanted)
        # Each time another one: raised again and again, one would hold the frames of all who have raised it.
        return None if kept is None or time.monotonic() > kept[0] else copy(kept[1])

    def keep(self, wanted: Wanted, error: PlatformError, *, changes: int) -> None:
        """Keep a refusal for a moment, unless the registry has changed since `changes` was read."""
        if not isinstance(error, _KEPT):
            return
        with self._lock:
            if changes != self._changes:
                return
            self._kept[wanted] = (time.monotonic() + KEPT_SECONDS, copy(error))
            self._kept.move_to_end(wanted)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)

    def forget(self) -> None:
        """Forget all of them: the registry has changed."""
        with self._lock:
            self._changes += 1
            self._kept.clear()
