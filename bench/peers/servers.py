"""Starts the other servers of models, and says how each is asked."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil

from bench.measuring import free_port
from bench.peers.environments import PROGRAMS, Environment

_START_SECONDS = 300


@dataclass(frozen=True)
class Peer(Environment):
    """A server in an environment of its own: how it starts, and how a request looks."""

    # From the model's file, a folder of its own and a port.
    command: Callable[["Peer", Path, Path, int], Sequence[str]]
    path: str
    body: Callable[[list[Any]], dict[str, Any]]


@dataclass(frozen=True)
class RunningPeer:
    """One that answers."""

    url: str
    process: psutil.Process

    @property
    def memory_mb(self) -> float:
        """What it takes with all of its processes; pages that several have in common count once."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(process.memory_full_info().pss for process in family) / 2**20


@contextmanager
def running_peer(peer: Peer, case: str, folder: Path, *, core: int, rows: list[Any]) -> Iterator[RunningPeer]:
    """The server with the model of a case, on one core."""
    own = folder / peer.name
    own.mkdir()
    model, port = own / "model.joblib", free_port()
    peer.run(PROGRAMS / "fitting.py", case, model)
    command = ["taskset", "-c", str(core), *peer.command(peer, model, own, port)]
    variables = os.environ | {"MODEL": str(model), "PATH": f"{peer.binaries}{os.pathsep}{os.environ['PATH']}"}
    with (own / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=own, env=variables, stdout=log, stderr=log)
    process = psutil.Process(server.pid)
    try:
        _wait(f"http://127.0.0.1:{port}{peer.path}", peer.body(rows), own / "log")
        yield RunningPeer(f"http://127.0.0.1:{port}{peer.path}", process)
    finally:
        family = process.children(recursive=True)
        server.terminate()
        for each in psutil.wait_procs([process, *family], timeout=10)[1]:
            each.kill()


def _wait(url: str, body: dict[str, Any], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            answer = httpx2.post(url, json=body, timeout=30)
        except httpx2.HTTPError:
            time.sleep(0.2)
            continue
        if answer.status_code == 200:
            return
        time.sleep(0.2)
    raise SystemExit(f"{url} does not answer:\n{log.read_text()[-3000:]}")


def _bentoml(peer: Peer, _model: Path, _folder: Path, port: int) -> Sequence[str]:
    service = ["bentoml_service:Model", "--working-dir", str(PROGRAMS)]
    return [str(peer.binaries / "bentoml"), "serve", *service, "--port", str(port), "--host", "127.0.0.1"]


def _litserve(peer: Peer, _model: Path, _folder: Path, port: int) -> Sequence[str]:
    return [str(peer.binaries / "python"), str(PROGRAMS / "litserve_server.py"), str(port)]


def _mlflow(peer: Peer, model: Path, folder: Path, port: int) -> Sequence[str]:
    peer.run(PROGRAMS / "mlflow_saving.py", model, folder / "saved")
    served = ["-m", str(folder / "saved"), "--env-manager", "local", "--port", str(port), "--workers", "1"]
    return [str(peer.binaries / "mlflow"), "models", "serve", *served]


def _mlserver(peer: Peer, model: Path, folder: Path, port: int) -> Sequence[str]:
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    (folder / "settings.json").write_text(json.dumps(settings | {"parallel_workers": 0}))
    described = {"implementation": "mlserver_sklearn.SKLearnModel", "parameters": {"uri": str(model)}}
    (folder / "model-settings.json").write_text(json.dumps({"name": "model"} | described))
    return [str(peer.binaries / "mlserver"), "start", str(folder)]


def _plain(rows: list[Any]) -> dict[str, Any]:
    return {"rows": rows}


def _as_mlflow(rows: list[Any]) -> dict[str, Any]:
    return {"dataframe_records": rows} if isinstance(rows[0], dict) else {"inputs": rows}


def _as_tensors(rows: list[Any]) -> dict[str, Any]:
    if not isinstance(rows[0], dict):
        flat = [number for row in rows for number in row]
        shape = [len(rows), len(rows[0])]
        return {"inputs": [{"name": "rows", "shape": shape, "datatype": "FP64", "data": flat}]}
    columns = []
    for name, value in rows[0].items():
        data = [row[name] for row in rows]
        kind = "BYTES" if isinstance(value, str) else "FP64"
        columns.append({"name": name, "shape": [len(rows), 1], "datatype": kind, "data": data})
        if kind == "BYTES":
            columns[-1]["parameters"] = {"content_type": "str"}
    return {"parameters": {"content_type": "pd"}, "inputs": columns}


_SKLEARN = "scikit-learn==1.9.1"
PEERS = (
    Peer("bentoml", ("bentoml==1.4.40", _SKLEARN, "pandas"), _bentoml, "/predict", _plain),
    Peer("litserve", ("litserve==0.2.19", _SKLEARN, "pandas"), _litserve, "/predict", _plain),
    Peer("mlflow", ("mlflow==3.17.2", _SKLEARN), _mlflow, "/invocations", _as_mlflow),
    Peer(
        "mlserver",
        ("mlserver==1.7.1", "mlserver-sklearn==1.7.1", _SKLEARN),
        _mlserver,
        "/v2/models/model/infer",
        _as_tensors,
    ),
)
