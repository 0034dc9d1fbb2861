"""Servers that `/predict` is measured beside: one that serves nothing, and one that serves as a tutorial does.

The echo is a bare ASGI application that sends back what it got, the constant route is FastAPI's, and the tutorial is
FastAPI with a fitted model of scikit-learn: `model.predict(rows)` in a plain function.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from bench.measuring import free_port

ECHO = """
import sys, uvicorn

async def echo(scope, receive, send):
    if scope["type"] == "http":
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})

uvicorn.run(echo, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False, lifespan="off")
"""
CONSTANT = """
import sys, fastapi, uvicorn
app = fastapi.FastAPI()

@app.post("/predict")
async def constant():
    return {"dataset_name": "iris", "environment": "dev", "version": 1, "predictions": ["setosa"]}

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
"""
TUTORIAL = """
import sys, fastapi, pydantic, uvicorn
import joblib, pandas
app = fastapi.FastAPI()
model = joblib.load(sys.argv[2])

class Rows(pydantic.BaseModel):
    features: list[list[float]] | None = None
    records: list[dict] | None = None

class Body(pydantic.BaseModel):
    input_data: Rows

@app.post("/predict")
def predict(body: Body):
    rows = body.input_data.features or pandas.DataFrame(body.input_data.records)
    return {"predictions": model.predict(rows).tolist()}

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
"""
# It prints the seconds until the model is loaded, and those of its first prediction for one row.
LOADING = """
import json, sys, time, warnings
import joblib, sklearn.ensemble, sklearn.linear_model, sklearn.neighbors, sklearn.pipeline
warnings.filterwarnings("ignore", "X does not have valid feature names")
row = json.loads(sys.argv[2])
began = time.perf_counter()
model = joblib.load(sys.argv[1])
loaded = time.perf_counter()
model.predict([row])
print(loaded - began, time.perf_counter() - loaded)
"""


@contextmanager
def reference(program: str, *arguments: str | Path, core: int | None = None) -> Iterator[str]:
    """A server of its own; on one core if that is said."""
    port = free_port()
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    server = subprocess.Popen([*pinned, sys.executable, "-c", program, str(port), *arguments])
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                httpx2.post(f"{url}/predict", json={})
                break
            except httpx2.TransportError:
                time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait()
