"""An event loop whose clock skips every wait: what takes minutes is over at once, and takes just as long each time."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class _SkippingLoop(asyncio.SelectorEventLoop):
    """Sets its clock forward instead of sleeping."""

    def __init__(self) -> None:
        self._now = 0.0
        loop = self

        class Selector(selectors.DefaultSelector):
            def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
                loop._now += timeout or 0
                return super().select(0)

        super().__init__(Selector())

    def time(self) -> float:
        """The seconds that would have gone by."""
        return self._now


def run_skipping(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end on such a loop."""
    with asyncio.Runner(loop_factory=_SkippingLoop) as runner:
        return runner.run(coroutine)
