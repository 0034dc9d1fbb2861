"""A server of LitServe: `python litserve_server.py PORT`; MODEL names the file."""

import os
import sys
from typing import Any

import joblib
import litserve
import numpy as np
import pandas as pd


class Model(litserve.LitAPI):
    def setup(self, _device: str) -> None:
        self.model = joblib.load(os.environ["MODEL"])

    def decode_request(self, request: dict[str, Any]) -> Any:
        rows = request["rows"]
        return pd.DataFrame(rows) if isinstance(rows[0], dict) else np.array(rows, dtype=float)

    def predict(self, rows: Any) -> Any:
        return self.model.predict(rows)

    def encode_response(self, output: Any) -> dict[str, Any]:
        return {"predictions": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Model(), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
