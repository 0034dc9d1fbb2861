"""KServe's own client asks over gRPC, from an environment of its own: `make clients` makes that, and runs this."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shared.settings import Settings
from tests.support.processes import ROOT
from tests.support.rpc import rpc_site
from tests.support.tensor_models import furnish

pytestmark = [pytest.mark.clients, pytest.mark.any_stack]

CLIENT = ROOT / ".venv-kserve" / "bin" / "python"
# It is given the port of a server, and prints what it was told.
PROGRAM = """
import asyncio, json, sys
import numpy as np
from kserve import InferenceGRPCClient, InferInput, InferRequest
from kserve.protocol.infer_type import RequestedOutput

ROWS = np.array([[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]])


def asked(model, *, raw, rows=ROWS):
    rows = InferInput("rows", list(rows.shape), "FP64", data=None if raw else rows.flatten().tolist())
    if raw:
        rows.set_data_from_numpy(ROWS, binary_data=True)
    wanted = [RequestedOutput("predict"), RequestedOutput("predict_proba")]
    return InferRequest(model_name=model, infer_inputs=[rows], request_outputs=wanted, request_id="7")


async def ask(port):
    client = InferenceGRPCClient(url=f"127.0.0.1:{port}")
    told = {"ready": [await client.is_server_live(), await client.is_server_ready()]}
    told["active"] = await client.is_model_ready("iris")
    told["not active"] = await client.is_model_ready("customers")
    for raw in (True, False):
        found = await client.infer(asked("iris", raw=raw))
        labels, shares = (output.as_numpy() for output in found.outputs)
        labels = [label.decode() if isinstance(label, bytes) else label for label in labels.tolist()]
        told[f"raw {raw}"] = [found.id, found.model_version, labels, shares.shape]
    for model, rows in (("iriss", ROWS), ("iris", ROWS[:, :3])):
        try:
            await client.infer(asked(model, raw=False, rows=rows))
        except Exception as error:
            told[f"refused {model}"] = [error.code().name, error.details()]
    await client.close()
    return told


print(json.dumps(asyncio.run(ask(sys.argv[1]))))
"""


def test_typed_and_raw_requests_are_answered_and_errors_are_read(api_settings: Settings, tmp_path: Path) -> None:
    assert CLIENT.exists(), "make clients makes the environment that this needs"
    with rpc_site(api_settings) as site:
        furnish(site.parts, tmp_path)
        command = [str(CLIENT), "-c", PROGRAM, str(site.port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert told["ready"] == [True, True]
    assert told["active"] is True
    assert told["not active"] is False
    assert told["raw True"] == told["raw False"] == ["7", "1", ["setosa", "virginica"], [2, 3]]
    assert told["refused iriss"][0] == "NOT_FOUND"
    assert told["refused iris"][0] == "INVALID_ARGUMENT"
    assert "takes 4 columns" in told["refused iris"][1]
