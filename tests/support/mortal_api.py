"""An API that is killed at a chosen place of an upload or a reread: `python -m tests.support.mortal_api`."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from api.server import main
from shared.datasets import ingestion
from shared.object_store.local import LocalStore

MODULE = "tests.support.mortal_api"
VARIABLE = "DIES_AT"


def _before(owner: Any, name: str) -> None:
    setattr(owner, name, lambda *_args, **_named: _die())


def _after(owner: Any, name: str) -> None:
    act: Callable[..., Any] = getattr(owner, name)

    def called(*args: Any, **named: Any) -> None:
        act(*args, **named)
        _die()

    setattr(owner, name, called)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


# What there is of the new version when it dies.
PLACES: dict[str, Callable[[], None]] = {
    "nothing": lambda: _before(LocalStore, "open"),
    "a row": lambda: _before(LocalStore, "put_new"),
    "a row and its object": lambda: _after(LocalStore, "put_new"),
    "all but the commit": lambda: _after(ingestion, "publish"),
    "all but the answer": lambda: _after(ingestion.Ingestor, "ingest"),
}

if __name__ == "__main__":
    PLACES[os.environ[VARIABLE]]()
    sys.exit(main())
