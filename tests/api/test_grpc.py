"""The Open Inference Protocol over gRPC: every form of messages that it has, and what is said of wrong ones."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tritonclient.grpc import service_pb2 as messages

from api.protocols.v2.datatypes import pack, unpack
from api.rpc.messages import MESSAGES
from shared.settings import Settings
from tests.support.models import Fitted, Platform, iris_forest, with_target
from tests.support.rpc import RpcSite, raw, refusal, request, rpc_site, typed
from tests.support.stack import Stack
from tests.support.tensor_models import furnish
from tests.support.training_tables import numeric_classes, trained

pytestmark = pytest.mark.any_stack

ROW = [5.1, 3.5, 1.4, 0.2]
IRIS = typed("rows", [1, 4], "FP64", fp64_contents=ROW)
LABELS: dict[str, tuple[Any, ...]] = {"integers": (0, 1, 7), "booleans": (False, True)}
FIELDS = {"BYTES": "bytes_contents", "INT64": "int64_contents", "BOOL": "bool_contents", "FP64": "fp64_contents"}
MANY = 5_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[RpcSite]:
    """An API with small limits and models of many kinds of labels."""
    folder = tmp_path_factory.mktemp("grpc")
    with stack.settings(folder / "home") as settings:
        limited = settings.model_copy(update={"json_max_bytes": 100_000, "predict_max_cells": MANY})
        with rpc_site(limited) as site:
            furnish(site.parts, folder)
            platform = _platform(site, limited, folder)
            for name, labels in LABELS.items():
                fields: dict[str, Any] = {"params": {"n_estimators": 5}}
                if len(labels) == 2:
                    # Its labels are none of the estimator's own.
                    fields["threshold"] = {"value": 0.8}
                result = trained("ensemble.RandomForestClassifier", numeric_classes(labels), **fields)
                fitted = Fitted(result.model, result.facts.signature, result.facts.environment)
                platform.train(platform.dataset(name), fitted, name=name)
            data = platform.dataset("two")
            for target in ("sorte", "größe"):
                platform.train(data, with_target(iris_forest(), target), name="two")
            yield site


def _platform(site: RpcSite, settings: Settings, folder: Path) -> Platform:
    parts = site.parts
    return Platform(parts.database, parts.store, settings, parts.key, folder)


def values_of(answer: Any, index: int) -> list[Any]:
    """The values of an output, typed or raw."""
    output = answer.outputs[index]
    if answer.raw_output_contents:
        assert not output.HasField("contents")
        return unpack(output.datatype, answer.raw_output_contents[index])
    found = list(getattr(output.contents, FIELDS[output.datatype]))
    return [text.decode() for text in found] if output.datatype == "BYTES" else found


@pytest.mark.parametrize("is_raw", [False, True])
@pytest.mark.parametrize("model", ["texts", "integers", "booleans", "doubling"])
def test_each_kind_of_labels_comes_as_it_was_asked_for_and_as_predict_says_it(
    site: RpcSite, model: str, is_raw: bool
) -> None:
    name = "iris" if model == "texts" else model
    row = {"iris": ROW, "doubling": [2.5]}.get(name, [2.5, 3.5, 1])
    inputs = (
        [raw("rows", [2, len(row)], "FP64")] if is_raw else [typed("r", [2, len(row)], "FP64", fp64_contents=row * 2)]
    )
    more = {"raw_input_contents": [pack("FP64", row * 2)]} if is_raw else {}
    probable = name != "doubling"
    outputs = [{"name": "predict"}, *([{"name": "predict_proba"}] if probable else [])]
    answer = site.infer(model_name=f"{name}@dev", id="of mine", inputs=inputs, outputs=outputs, **more)
    known = site.predict(name, [row, row], **({"return": ["label", "probability"]} if probable else {}))
    assert values_of(answer, 0) == known["predictions"]
    assert list(map(type, values_of(answer, 0))) == list(map(type, known["predictions"]))
    assert (len(answer.raw_output_contents) > 0) == is_raw
    if probable:
        assert values_of(answer, 1) == [share for shares in known["probabilities"] for share in shares]
        assert list(answer.outputs[1].shape) == [2, len(known["classes"])]
    assert (answer.id, answer.model_version) == ("of mine", str(known["version"]))


@pytest.mark.parametrize(
    ("datatype", "field"),
    [
        *(("INT8", "int_contents"), ("INT16", "int_contents"), ("INT32", "int_contents"), ("INT64", "int64_contents")),
        *(("UINT8", "uint_contents"), ("UINT16", "uint_contents"), ("UINT32", "uint_contents")),
        *(("UINT64", "uint64_contents"), ("FP32", "fp32_contents"), ("FP64", "fp64_contents")),
    ],
)
def test_every_type_of_numbers_is_taken_from_its_field_and_as_raw_bytes(
    site: RpcSite, datatype: str, field: str
) -> None:
    by_field = site.infer(model_name="doubling@dev", inputs=[typed("x", [2], datatype, **{field: [3, 4]})])
    assert values_of(by_field, 0) == pytest.approx([6, 8])
    by_bytes = site.infer(
        model_name="doubling@dev", inputs=[raw("x", [2], datatype)], raw_input_contents=[pack(datatype, [3, 4])]
    )
    assert values_of(by_bytes, 0) == values_of(by_field, 0)


def test_a_table_of_all_kinds_with_gaps_is_taken_typed_and_raw(site: RpcSite) -> None:
    inputs = [
        typed("age", [2], "FP64", fp64_contents=[50, float("nan")]),
        typed("city", [2, 1], "BYTES", bytes_contents=[b"Lyon", "Zürich".encode()]),
        typed("member", [2], "BOOL", bool_contents=[True, False]),
    ]
    by_field = site.infer(model_name="customers@staging", inputs=inputs)
    assert "'Zürich', in row 1" in by_field.parameters["warnings"].string_param
    contents = [struct.pack("<2d", 50, float("nan")), pack("BYTES", ["Lyon", "Zürich"]), b"\1\0"]
    without = [{name: each[name] for name in ("name", "shape", "datatype")} for each in inputs]
    by_bytes = site.infer(model_name="customers@staging", inputs=without, raw_input_contents=contents)
    assert values_of(by_bytes, 0) == values_of(by_field, 0)
    refused = site.refused(
        "ModelInfer",
        request(inputs=[typed("r", [1, 4], "FP64", fp64_contents=[*ROW[:3], float("nan")])]).SerializeToString(),
    )
    assert refused.code == "INVALID_ARGUMENT"
    assert "missing" in refused.said


def test_a_compiled_model_is_asked_without_a_thread(site: RpcSite, tmp_path: Path) -> None:
    platform = _platform(site, site.parts.settings, tmp_path)
    platform.train(platform.dataset("quick"), iris_forest().in_form(), name="quick")
    known = site.predict("quick", [ROW])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(site.parts.predicting, "run", None)
        answer = site.infer(model_name="quick@dev", inputs=[IRIS])
        many = request(model_name="quick@dev", inputs=[typed("r", [200, 4], "FP64", fp64_contents=ROW * 200)])
        assert site.ended("ModelInfer", many.SerializeToString()).code == "INTERNAL"
    assert values_of(answer, 0) == known["predictions"]


def test_environment_and_target_stand_in_the_name_or_in_the_metadata(site: RpcSite) -> None:
    assert site.infer(("environment", "dev"), inputs=[IRIS]).parameters["environment"].string_param == "dev"
    first = site.infer(("environment", "dev"), ("target", "sorte"), model_name="two", inputs=[IRIS])
    assert first.parameters["target"].string_param == "sorte"
    second = site.infer(("target-bin", "größe".encode()), model_name="two@dev", inputs=[IRIS])
    assert second.parameters["target"].string_param == "größe"
    assert (
        "Versions of several targets"
        in site.infer(model_name="two@dev", inputs=[IRIS]).parameters["warnings"].string_param
    )
    refused = site.refused("ModelInfer", request(inputs=[IRIS]).SerializeToString(), ("target-bin", b"\xff"))
    assert (refused.code, refused.said) == ("INVALID_ARGUMENT", "'target-bin' of the metadata is not a text in UTF-8.")
    for other in (("environment", "dev"), ("environment-bin", b"dev")):
        twice = request(inputs=[IRIS]).SerializeToString()
        refused = site.refused("ModelInfer", twice, ("environment", "staging"), other)
        assert refused.said == "'environment' comes twice in the metadata. Send it once."
    both = request(model_name="iris@dev", inputs=[IRIS]).SerializeToString()
    assert "two environments" in site.refused("ModelInfer", both, ("environment", "staging")).said


def test_metadata_describe_columns_as_v2_does(site: RpcSite) -> None:
    answer, _ = site.call("ModelMetadata", messages.ModelMetadataRequest(name="customers@staging").SerializeToString())
    # Parameters of tensors are unknown to Triton's messages.
    found = MESSAGES["ModelMetadataResponse"].FromString(answer)
    known = httpx2.get(f"{site.url}/v2/models/customers@staging").json()
    for kind in ("inputs", "outputs"):
        assert [(each.name, each.datatype, list(each.shape)) for each in getattr(found, kind)] == [
            (each["name"], each["datatype"], each["shape"]) for each in known[kind]
        ]
    by_name = {each.name: each.parameters for each in found.inputs}
    assert by_name["customer_id"]["used"].bool_param is False
    assert by_name["city"]["kind"].string_param == "category"
    assert found.outputs[1].parameters["classes"].string_param == '["buys", "leaves"]'
    assert list(found.versions) == known["versions"]


def test_the_index_has_what_is_active_and_nothing_of_another_repository(site: RpcSite) -> None:
    answer, _ = site.call("RepositoryIndex", b"")
    known = httpx2.post(f"{site.url}/v2/repository/index").json()
    found = messages.RepositoryIndexResponse.FromString(answer).models
    assert [(each.name, each.version, each.state) for each in found] == [
        (each["name"], each["version"], "READY") for each in known
    ]
    other = messages.RepositoryIndexRequest(repository_name="other").SerializeToString()
    assert site.call("RepositoryIndex", other)[0] == b""


def _with(**fields: Any) -> dict[str, Any]:
    return {"inputs": [IRIS]} | fields


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no inputs": ({}, "INVALID_ARGUMENT", "1 item or more"),
    "an unknown model": (_with(model_name="iriss"), "NOT_FOUND", "Did you mean 'iris'"),
    "no model": (_with(model_name=""), "NOT_FOUND", "There is no dataset ''"),
    "a name with NUL": (_with(model_name="a\0"), "INVALID_ARGUMENT", "NUL"),
    "an unknown version": (_with(model_version="99"), "FAILED_PRECONDITION", "Version 99"),
    "a word as version": (_with(model_version="new"), "NOT_FOUND", "There is no version 'new'"),
    "an unknown output": (_with(outputs=[{"name": "predicts"}]), "INVALID_ARGUMENT", "Did you mean 'predict'"),
    "an output twice": (_with(outputs=[{"name": "predict"}] * 2), "INVALID_ARGUMENT", "asked for twice"),
    "no probabilities": (
        {"model_name": "doubling@dev", "inputs": [typed("x", [1], "FP64", fp64_contents=[1])]}
        | {"outputs": [{"name": "predict_proba"}]},
        "INVALID_ARGUMENT",
        "has no probabilities",
    ),
    "an unknown type": ({"inputs": [typed("r", [1, 4], "FP65", fp64_contents=ROW)]}, "INVALID_ARGUMENT", "datatype"),
    "the field of another type": (
        {"inputs": [typed("r", [1, 4], "FP64", fp32_contents=ROW)]},
        "INVALID_ARGUMENT",
        "Those of FP64 go into 'fp64_contents'",
    ),
    "half precision by field": ({"inputs": [typed("r", [1, 4], "FP16")]}, "INVALID_ARGUMENT", "raw_input_contents"),
    "too few values": ({"inputs": [typed("r", [2, 4], "FP64", fp64_contents=ROW)]}, "INVALID_ARGUMENT", "has 8 values"),
    "too many columns": (
        {"inputs": [typed("r", [1, 5], "FP64", fp64_contents=[*ROW, 1])]},
        "INVALID_ARGUMENT",
        "takes 4 columns",
    ),
    "a negative shape": ({"inputs": [typed("r", [-1, 4], "FP64", fp64_contents=ROW)]}, "INVALID_ARGUMENT", "[-1, 4]"),
    "a number over its type": (
        {"model_name": "doubling@dev", "inputs": [typed("x", [1], "INT8", int_contents=[300])]},
        "INVALID_ARGUMENT",
        "300 is not between -128 and 127",
    ),
    "infinity": (
        {"inputs": [typed("r", [1, 4], "FP64", fp64_contents=[*ROW[:3], float("inf")])]},
        "INVALID_ARGUMENT",
        "inf",
    ),
    "bytes that are no text": (
        {"model_name": "customers@staging", "inputs": [typed("city", [1], "BYTES", bytes_contents=[b"\xff"])]},
        "INVALID_ARGUMENT",
        "element 0 is not a text in UTF-8",
    ),
    "raw texts that end early": (
        {
            "model_name": "customers@staging",
            "inputs": [raw("city", [1], "BYTES")],
            "raw_input_contents": [b"\5\0\0\0ab"],
        },
        "INVALID_ARGUMENT",
        "ends behind the data",
    ),
    "raw and typed": (_with(raw_input_contents=[pack("FP64", ROW)]), "INVALID_ARGUMENT", "Leave out one of the two"),
    "raw for one of two": (
        {"inputs": [raw("a", [1], "FP64")] * 2, "raw_input_contents": [b""]},
        "INVALID_ARGUMENT",
        "There are 2 inputs, but 1 raw contents",
    ),
    "raw bytes too few": (
        {"inputs": [raw("r", [1, 4], "FP64")], "raw_input_contents": [b"\0" * 31]},
        "INVALID_ARGUMENT",
        "has 32 bytes, but 31",
    ),
    "an unknown column": (
        {"inputs": [typed("petal", [1], "FP64", fp64_contents=[1])]},
        "INVALID_ARGUMENT",
        "no input 'petal'",
    ),
    "shared memory": (
        {"inputs": [IRIS | {"parameters": {"shared_memory_region": {"string_param": "a"}}}]},
        "INVALID_ARGUMENT",
        "no shared memory",
    ),
    "a size of binary data as in HTTP": (
        {"inputs": [typed("r", [1, 4], "FP64") | {"parameters": {"binary_data_size": {"int64_param": 32}}}]},
        "INVALID_ARGUMENT",
        "has 4 values, but 0",
    ),
    "too many cells": (
        {"inputs": [typed("r", [MANY // 4 + 1, 4], "FP64", fp64_contents=[1.0] * (MANY + 4))]},
        "RESOURCE_EXHAUSTED",
        "MLMINI_PREDICT_MAX_CELLS",
    ),
    "rows of no bytes": (
        {"inputs": [typed("r", [2**62, 0], "FP64")]},
        "INVALID_ARGUMENT",
        "takes 4 columns",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_has_a_code_and_a_sentence(site: RpcSite, case: str) -> None:
    fields, code, said = WRONG[case]
    refused = site.refused("ModelInfer", request(**fields).SerializeToString())
    assert refused.code == code, refused
    assert said in refused.said


@pytest.mark.parametrize(("size", "said"), [(150_000, "MLMINI_JSON_MAX_BYTES"), (1_000_000, "larger than max")])
def test_a_message_over_the_limit_is_refused(site: RpcSite, size: int, said: str) -> None:
    content = request(inputs=[raw("r", [1, 4], "BYTES")], raw_input_contents=[b"\0" * size]).SerializeToString()
    refused = site.refused("ModelInfer", content)
    assert refused.code == "RESOURCE_EXHAUSTED"
    assert said in refused.said


def test_an_error_of_many_long_lines_fits_among_the_headers(site: RpcSite) -> None:
    names = [f"ö{number}" * 20 for number in range(100)]
    content = request(inputs=[typed(name, [1], "FP64", fp64_contents=[1]) for name in names]).SerializeToString()
    refused = site.refused("ModelInfer", content)
    assert refused.code == "INVALID_ARGUMENT"
    assert refused.said.startswith("100 things are wrong.\n- The model")
    assert refused.said.endswith("…")


def test_a_call_without_a_message_and_bytes_that_are_none_are_refused(site: RpcSite) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        site.channel.stream_unary("/inference.GRPCInferenceService/ModelInfer")(iter(()))
    assert refusal(caught.value)[:2] == ("INVALID_ARGUMENT", "The call has no message. Send one.")
    refused = site.refused("ModelInfer", b"\xff\xff")
    assert refused.code == "INVALID_ARGUMENT"
    assert "not a message ModelInferRequest" in refused.said


def test_an_id_comes_back_and_calls_are_counted(site: RpcSite) -> None:
    _, trailers = site.call("ServerLive", b"", ("x-request-id", "mine-1"))
    assert trailers["x-request-id"] == "mine-1"
    assert len(site.call("ServerLive", b"", ("x-request-id", "not mine"))[1]["x-request-id"]) == 36
    assert site.refused("ModelReady", b"", ("x-request-id", "mine-2")).trailers["x-request-id"] == "mine-2"
    counts = httpx2.get(f"{site.url}/metrics").text
    route = 'method="POST",route="/inference.GRPCInferenceService/ServerLive",status="200"'
    assert f"mlmini_http_requests_total{{{route}}}" in counts
    assert 'route="/inference.GRPCInferenceService/ModelReady",status="404"' in counts


TENSORS: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    name=st.sampled_from(["rows", "sepal_length", ""]) | st.text(max_size=5),
    shape=st.lists(st.integers(-2, 5) | st.sampled_from([2**62, -(2**63)]), max_size=3),
    datatype=st.sampled_from(["FP64", "FP32", "INT8", "BYTES", "BOOL", "UINT64", "BF16", "", "X"]),
    contents=st.builds(
        dict,
        fp64_contents=st.lists(st.floats(), max_size=5),
        int_contents=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=2),
        bytes_contents=st.lists(st.binary(max_size=4), max_size=2),
    ),
)
REQUESTS = st.builds(
    request,
    model_name=st.sampled_from(["iris", "customers@staging", "doubling@dev", "iris@", "@"]) | st.text(max_size=5),
    model_version=st.sampled_from(["", "1", "-1", "99999999999"]),
    inputs=st.lists(TENSORS, max_size=3),
    outputs=st.lists(st.builds(dict, name=st.sampled_from(["predict", "predict_proba", ""])), max_size=3),
    raw_input_contents=st.lists(st.binary(max_size=40), max_size=3),
)
KNOWN = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED"}
SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SOME
@given(content=st.binary(max_size=60) | REQUESTS.map(lambda made: made.SerializeToString()))
def test_no_message_whatever_is_an_error_of_the_server(site: RpcSite, content: bytes) -> None:
    for name in ("ModelInfer", "ModelMetadata", "ModelReady", "RepositoryIndex"):
        assert site.ended(name, content).code in KNOWN, name
