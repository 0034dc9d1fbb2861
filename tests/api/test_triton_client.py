"""The client of Triton, unchanged: everything that it asks for of a server of models."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from tests.support.api_server import serving
from tests.support.documented import ROOT, blocks
from tests.support.models import IRIS_COLUMNS
from tests.support.stack import Stack
from tests.support.tensor_models import furnish

ROWS = np.array([[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]])
LABELS = [b"setosa", b"virginica"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[str]:
    """Where an API serves these models."""
    folder = tmp_path_factory.mktemp("triton")
    with stack.settings(folder / "home") as settings, serving(settings) as (url, parts):
        furnish(parts, folder)
        yield url.removeprefix("http://")


@pytest.fixture(scope="module")
def triton(address: str) -> Iterator[InferenceServerClient]:
    """The client, which knows nothing of the server but its address."""
    with InferenceServerClient(address) as client:
        yield client


def tensor(name: str, values: Any, *, binary: bool = True) -> InferInput:
    made = InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
    made.set_data_from_numpy(values, binary_data=binary)
    return made


def test_server_and_models_are_live_and_ready(triton: InferenceServerClient) -> None:
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("iris")
    assert triton.is_model_ready("customers@staging", "3")
    assert not triton.is_model_ready("customers")
    assert not triton.is_model_ready("iriss")


def test_metadata_and_index_are_read(triton: InferenceServerClient) -> None:
    assert "binary_tensor_data" in triton.get_server_metadata()["extensions"]
    assert [each["name"] for each in triton.get_model_metadata("iris")["inputs"]] == list(IRIS_COLUMNS)
    assert {"iris", "iris@staging", "customers@staging"} <= {
        each["name"] for each in triton.get_model_repository_index()
    }


def test_predictions_come_in_binary_as_the_client_asks_by_default(triton: InferenceServerClient) -> None:
    found = triton.infer("iris", [tensor("rows", ROWS)], request_id="7")
    assert found.as_numpy("predict").tolist() == LABELS
    assert found.get_output("predict")["parameters"] == {"binary_data_size": 23}
    assert found.get_response()["id"] == "7"
    assert found.get_response()["model_version"] == "1"


@pytest.mark.any_stack
@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_one_tensor_is_taken_in_every_precision(triton: InferenceServerClient, dtype: str, binary: bool) -> None:
    outputs = [InferRequestedOutput(name, binary_data=binary) for name in ("predict_proba", "predict")]
    found = triton.infer("iris", [tensor("rows", ROWS.astype(dtype), binary=binary)], outputs=outputs)
    assert found.as_numpy("predict_proba").shape == (2, 3)
    assert found.as_numpy("predict_proba").sum(axis=1) == pytest.approx([1, 1])
    assert [LABELS.index(label if isinstance(label, bytes) else label.encode()) for label in found.as_numpy("predict")]


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
    found = triton.infer("customers", columns, query_params={"environment": "staging"})
    assert set(found.as_numpy("predict").tolist()) <= {b"buys", b"leaves"}
    assert "'Ulm', in row 1" in found.get_response()["parameters"]["warnings"]


@pytest.mark.any_stack
def test_numbers_come_back_as_numbers(triton: InferenceServerClient) -> None:
    found = triton.infer("doubling@dev", [tensor("x", np.array([4, 7], dtype="int32"))])
    assert found.as_numpy("predict") == pytest.approx(np.array([8.0, 14.0]))


@pytest.mark.any_stack
def test_requests_at_one_time_and_priorities_are_taken(triton: InferenceServerClient) -> None:
    running = [triton.async_infer("iris", [tensor("rows", ROWS)], priority=1, timeout=10) for _ in range(4)]
    assert {tuple(each.get_result().as_numpy("predict")) for each in running} == {tuple(LABELS)}


SCRIPTS = [block.text for block in blocks(ROOT / "docs" / "from-mlserver.md") if block.text.startswith("import ")]


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_documented_scripts_run_as_they_stand(address: str, script: str) -> None:
    assert "127.0.0.1:8000" in script
    program = script.replace("127.0.0.1:8000", address)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "setosa" in done.stdout


def test_the_client_reads_what_is_wrong(triton: InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="takes 4 columns") as refused:
        triton.infer("iris", [tensor("rows", ROWS[:, :3].copy())])
    assert refused.value.status() == "422"
    with pytest.raises(InferenceServerException, match="There is no dataset 'iriss'") as unknown:
        triton.infer("iriss", [tensor("rows", ROWS)])
    assert unknown.value.status() == "404"
    with pytest.raises(InferenceServerException, match="use null for a missing value"):
        triton.infer("iris", [tensor("rows", ROWS * np.nan, binary=False)])
    with pytest.raises(InferenceServerException, match="Content-Encoding"):
        triton.infer("iris", [tensor("rows", ROWS)], request_compression_algorithm="gzip")
