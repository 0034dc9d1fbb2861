"""A service of BentoML with its adaptive batching; MODEL names the file."""

import os
from typing import Any

import bentoml
import joblib
import numpy as np
import pandas as pd


@bentoml.service(workers=1, traffic={"timeout": 60, "max_concurrency": 256}, metrics={"enabled": True})
class Model:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL"])

    @bentoml.api(batchable=True, max_batch_size=1000, max_latency_ms=60_000)
    def predict(self, rows: list[Any]) -> list[Any]:
        taken = pd.DataFrame(rows) if isinstance(rows[0], dict) else np.array(rows, dtype=float)
        return self.model.predict(taken).tolist()
