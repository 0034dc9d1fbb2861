"""What runs in a predicting process: one model, loaded here and nowhere else, answers until nobody asks any more.

Its standard input is a socket. It is told first what to load, then what to predict for. It has no key, no database and
no store. To import this module imports what most models need, so that the fork server has it ready.
"""

import gc
import socket
import traceback
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn.calibration
import sklearn.compose
import sklearn.gaussian_process
import sklearn.impute
import sklearn.kernel_ridge
import sklearn.neighbors
import sklearn.pipeline
import sklearn.preprocessing
import sklearn.semi_supervised
import sklearn.svm

from shared.errors import PlatformError
from shared.estimators.signature import Signature
from shared.prediction.computing import FittedModel
from shared.prediction.messages import NUMBERS, Closed, Message, receive, send
from shared.registry.artifact import load_fetched
from shared.registry.model_memory import measure_memory
from shared.training.fitting import share_of_cores
from shared.training.frame import forget_names
from shared.training.parts import parts_of

# The API has checked what it sends; the memory of this process has its own limit.
_MOST_BYTES = 2**62
# The errors with which estimators refuse values; they are sent by these names.
_REFUSALS = (ValueError, FloatingPointError, OverflowError)

# scikit-learn imports more when it first sees a table; this makes it do so now.
sklearn.neighbors.KNeighborsClassifier(1).fit(pd.DataFrame({"a": [0.0, 1.0]}), ["b", "c"])


def main(_folder: Path) -> None:
    """Load the model that is asked for, and answer until the other side is closed."""
    # What the modules made stays as long as the process lives: no need to look for garbage in it.
    gc.freeze()
    with socket.socket(fileno=0) as connection, share_of_cores(1):
        try:
            model = _load(connection, receive(connection, most_bytes=_MOST_BYTES).said)
            while model is not None:
                _answer(connection, model, receive(connection, most_bytes=_MOST_BYTES))
        except Closed:
            return


def _load(connection: socket.socket, order: dict[str, Any]) -> FittedModel | None:
    signature = Signature.model_validate(order["signature"])
    path = Path(order["path"])
    load = partial(
        load_fetched, path, version=order["version"], sha256=order["sha256"], environment=order["environment"]
    )
    try:
        model, memory_bytes = measure_memory(load, size_bytes=path.stat().st_size)
    except PlatformError as error:
        send(connection, {"problem": {"code": error.code, "detail": error.detail}})
        return None
    _compute_in_one_thread(model)
    # A plain array has no column names; a model that kept them would warn at each prediction.
    fitted = FittedModel(forget_names(model) if signature.numeric else model, signature)
    ready = {"name": fitted.name, "gives_probabilities": fitted.gives_probabilities, "memory_bytes": memory_bytes}
    send(connection, ready)
    return fitted


def _answer(connection: socket.socket, model: FittedModel, asked: Message) -> None:
    # Without an array, the values are there by the names of their columns.
    rows = asked.arrays[0] if asked.arrays else asked.said["columns"]
    try:
        predictions, each = model.compute(rows, probabilities=asked.said["probabilities"])
    except MemoryError:
        # What is left of it may be anywhere: the process ends with a code that tells why.
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, who asked has to hear of it
        refused = next((kind.__name__ for kind in _REFUSALS if isinstance(error, kind)), None)
        send(connection, {"refused": refused, "why": str(error), "traceback": traceback.format_exc()})
        return
    values = np.asarray(predictions)
    arrays = [values] if values.dtype.kind in NUMBERS else []
    labels = None if arrays else values.tolist()
    if each is not None:
        arrays.append(np.asarray(each))
    send(connection, {"labels": labels}, arrays)


def _compute_in_one_thread(model: Any) -> None:
    """Set `n_jobs` to 1 in all fitted parts: handing single rows to threads takes longer than predicting them."""
    for part in parts_of(model):
        if "n_jobs" in vars(part):
            part.n_jobs = 1
