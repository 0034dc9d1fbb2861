"""What holds for a whole API process, set before anything else happens in it."""

import os
import sys
from importlib.abc import MetaPathFinder

# The libraries that only trainings and predicting processes may import.
_NOT_HERE = {"pandas", "sklearn"}
# Requests pass between the event loop and threads. By Python's default, a busy thread keeps the others waiting for up
# to 5 ms each time, which is longer than a request takes.
_SWITCH_SECONDS = 0.0005


class NotHere(MetaPathFinder):
    """Hides the libraries of trainings: no model is unpickled in this process, and tables are read in another one.

    Arrow would import pandas by itself, to see whether a value is one of pandas'. Where there is no pandas, it goes
    without.
    """

    def find_spec(self, name: str, _path: object, _target: object = None, /) -> None:
        """Refuse to find these libraries, and leave all others to the usual finders.

        Raises:
            ModuleNotFoundError: for the libraries of trainings.
        """
        if name in _NOT_HERE:
            raise ModuleNotFoundError(f"The API does without {name}", name=name)


def prepare_process() -> None:
    """Set what holds for the whole process; call it first."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    # OpenMP and BLAS read this when they are loaded, which is later. Each prediction has one thread, and there are
    # enough of those; more for one prediction would take the cores from the predictions of other models.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.meta_path.insert(0, NotHere())
