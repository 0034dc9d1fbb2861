"""The entry of computations that misbehave if the random state of their request asks for it, and else do not."""

import json
from pathlib import Path

from tests.support.chaos.computations import ACTS
from worker import computation
from worker.handover import WORK_FILE


def main(folder: Path) -> None:
    """Do what the request asks for, then what a computation does."""
    state = json.loads((folder / WORK_FILE).read_text())["candidates"][0]["random_state"]
    if (act := ACTS.get(state)) is not None:
        act(folder)
    computation.main(folder)
