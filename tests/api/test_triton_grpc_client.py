"""The client of Triton for gRPC, unchanged: everything that it asks for of a server of models."""

import queue
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from tests.support.api_server import serving
from tests.support.documented import ROOT, blocks
from tests.support.models import IRIS_COLUMNS
from tests.support.server import free_ports
from tests.support.stack import Stack
from tests.support.tensor_models import furnish

ROWS = np.array([[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]])
LABELS = [b"setosa", b"virginica"]
SCRIPTS = [block.text for block in blocks(ROOT / "docs" / "from-mlserver.md") if block.text.startswith("import ")]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[str]:
    """Where an API serves models over gRPC."""
    folder = tmp_path_factory.mktemp("triton-grpc")
    (port,) = free_ports(1)
    with (
        stack.settings(folder / "home") as settings,
        serving(settings.model_copy(update={"grpc_port": port})) as (_, parts),
    ):
        furnish(parts, folder)
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def triton(address: str) -> Iterator[InferenceServerClient]:
    """The client, which knows nothing of the server but its address."""
    with InferenceServerClient(address) as client:
        yield client


def tensor(name: str, values: Any) -> InferInput:
    made = InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
    made.set_data_from_numpy(values)
    return made


def test_server_and_models_are_live_and_ready(triton: InferenceServerClient) -> None:
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("iris")
    assert triton.is_model_ready("customers@staging", "3")
    assert not triton.is_model_ready("customers")
    assert not triton.is_model_ready("iris", "2")
    with pytest.raises(InferenceServerException, match="Did you mean 'iris'"):
        triton.is_model_ready("iriss")


def test_metadata_and_index_are_read(triton: InferenceServerClient) -> None:
    assert triton.get_server_metadata().name == "ml-mini-platform"
    found = triton.get_model_metadata("iris", as_json=True)
    assert [each["name"] for each in found["inputs"]] == list(IRIS_COLUMNS)
    assert [(each["name"], each["datatype"], each["shape"]) for each in found["outputs"]] == [
        ("predict", "BYTES", ["-1"]),
        ("predict_proba", "FP64", ["-1", "3"]),
    ]
    index = {(each.name, each.version, each.state) for each in triton.get_model_repository_index().models}
    assert {("iris", "1", "READY"), ("iris@staging", "1", "READY"), ("customers@staging", "3", "READY")} <= index


@pytest.mark.any_stack
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_one_tensor_is_taken_in_every_precision(triton: InferenceServerClient, dtype: str) -> None:
    outputs = [InferRequestedOutput(name) for name in ("predict_proba", "predict")]
    found = triton.infer("iris", [tensor("rows", ROWS.astype(dtype))], outputs=outputs, request_id="7")
    assert found.as_numpy("predict_proba").shape == (2, 3)
    assert found.as_numpy("predict_proba").sum(axis=1) == pytest.approx([1, 1])
    assert found.as_numpy("predict").tolist() == LABELS
    assert found.get_response().id == "7"
    assert found.get_response().model_version == "1"
    assert found.get_response().parameters["environment"].string_param == "production"


@pytest.mark.any_stack
@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_a_tensor_for_each_column_says_the_same(triton: InferenceServerClient, shape: tuple[int, ...]) -> None:
    columns = [tensor(name, ROWS[:, at].reshape(shape)) for at, name in enumerate(IRIS_COLUMNS)]
    asked = [InferRequestedOutput("predict_proba")]
    by_column = triton.infer("iris", columns, outputs=asked, model_version="1").as_numpy("predict_proba")
    whole = triton.infer("iris", [tensor("rows", ROWS)], outputs=asked).as_numpy("predict_proba")
    assert by_column.tolist() == whole.tolist()


def test_a_table_of_texts_numbers_booleans_and_gaps_is_taken(triton: InferenceServerClient) -> None:
    columns = [
        tensor("age", np.array([50.0, np.nan])),
        tensor("city", np.array(["Lyon", "Ulm"], dtype=object)),
        tensor("member", np.array([True, False])),
        tensor("since", np.array(["2024-02-29", "2021-12-24T12:00:00Z"], dtype=object)),
    ]
    found = triton.infer("customers", columns, headers={"environment": "staging"})
    assert set(found.as_numpy("predict").tolist()) <= {b"buys", b"leaves"}
    assert "'Ulm', in row 1" in found.get_response().parameters["warnings"].string_param


@pytest.mark.any_stack
def test_numbers_come_back_as_numbers(triton: InferenceServerClient) -> None:
    found = triton.infer("doubling@dev", [tensor("x", np.array([4, 7], dtype="int32"))])
    assert found.as_numpy("predict") == pytest.approx(np.array([8.0, 14.0]))


@pytest.mark.any_stack
def test_requests_at_one_time_are_answered_with_priorities_and_timeouts(triton: InferenceServerClient) -> None:
    told: queue.Queue[Any] = queue.Queue()
    for _ in range(4):
        triton.async_infer(
            "iris",
            [tensor("rows", ROWS)],
            lambda result, error: told.put(error or result),
            priority=1,
            timeout=10_000_000,
            client_timeout=30,
        )
    assert {tuple(told.get(timeout=30).as_numpy("predict")) for _ in range(4)} == {tuple(LABELS)}


@pytest.mark.parametrize(
    ("model", "values", "code", "said"),
    [
        ("iris", ROWS[:, :3].copy(), "INVALID_ARGUMENT", "takes 4 columns"),
        ("iriss", ROWS, "NOT_FOUND", "There is no dataset 'iriss'"),
        ("customers", ROWS, "FAILED_PRECONDITION", "No model of 'customers' is active in 'production'"),
        ("iris@nowhere", ROWS, "INVALID_ARGUMENT", "nowhere"),
        ("ir\0is", ROWS, "INVALID_ARGUMENT", "NUL"),
        ("iris", np.full((2, 4), np.inf), "INVALID_ARGUMENT", "inf"),
    ],
)
def test_the_client_reads_what_is_wrong(
    triton: InferenceServerClient, model: str, values: Any, code: str, said: str
) -> None:
    with pytest.raises(InferenceServerException, match=said) as refused:
        triton.infer(model, [tensor("rows", values)])
    assert refused.value.status() == f"StatusCode.{code}"


@pytest.mark.any_stack
def test_compressed_messages_and_what_the_platform_does_not_have_are_refused(triton: InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="gzip"):
        triton.infer("iris", [tensor("rows", ROWS)], compression_algorithm="gzip")
    for refused in (triton.get_inference_statistics, triton.get_model_config, triton.load_model):
        with pytest.raises(InferenceServerException, match="Method not found"):
            refused("iris")


def test_the_documented_script_runs_with_the_other_client_and_the_other_port(address: str) -> None:
    (script,) = [each for each in SCRIPTS if "tritonclient" in each]
    program = script.replace("tritonclient.http", "tritonclient.grpc").replace("127.0.0.1:8000", address)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "setosa" in done.stdout
