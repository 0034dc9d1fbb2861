"""The API with gRPC beside it, and calls of it by the messages that Triton's client brings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import grpc
import httpx2
from tritonclient.grpc import service_pb2 as messages

from api.parts import Parts
from shared.settings import Settings
from tests.support.api_server import serving
from tests.support.server import free_ports

SERVICE = "/inference.GRPCInferenceService/"
SECONDS = 60


class Refused(NamedTuple):
    """How a call was refused."""

    code: str
    said: str
    trailers: dict[str, str]


@dataclass(frozen=True)
class RpcSite:
    """An API that serves gRPC, and a channel to it."""

    url: str
    port: int
    parts: Parts
    channel: grpc.Channel

    def call(self, name: str, content: bytes, *metadata: tuple[str, Any]) -> tuple[bytes, dict[str, str]]:
        """The bytes of an answer, and the metadata behind it."""
        answer, call = self.channel.unary_unary(SERVICE + name).with_call(content, metadata=metadata, timeout=SECONDS)
        return answer, dict(call.trailing_metadata())

    def refused(self, name: str, content: bytes, *metadata: tuple[str, Any]) -> Refused:
        """How a call is refused that must not be answered."""
        found = self.ended(name, content, *metadata)
        assert found.code != "OK", f"{name} was answered"
        return found

    def ended(self, name: str, content: bytes, *metadata: tuple[str, Any]) -> Refused:
        """How a call ends, whatever it is answered."""
        try:
            return Refused("OK", "", self.call(name, content, *metadata)[1])
        except grpc.RpcError as error:
            return refusal(error)

    def infer(self, *metadata: tuple[str, Any], **fields: Any) -> Any:
        """The answer to a request for predictions."""
        answer, _ = self.call("ModelInfer", request(**fields).SerializeToString(), *metadata)
        return messages.ModelInferResponse.FromString(answer)

    def predict(self, model: str, rows: list[list[Any]], **more: Any) -> dict[str, Any]:
        """What `POST /predict` says of the same rows in dev."""
        body = {"dataset_name": model, "environment": "dev", "input_data": {"features": rows}}
        answer = httpx2.post(f"{self.url}/predict", json=body | more, timeout=SECONDS)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


@contextmanager
def rpc_site(settings: Settings) -> Iterator[RpcSite]:
    """Serve it from a thread of this process."""
    (port,) = free_ports(1)
    with (
        serving(settings.model_copy(update={"grpc_port": port})) as (url, parts),
        grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)]) as channel,
    ):
        yield RpcSite(url, port, parts, channel)


def refusal(error: grpc.RpcError) -> Refused:
    """What an error of the library says."""
    return Refused(error.code().name, error.details(), dict(error.trailing_metadata() or ()))


def request(**fields: Any) -> Any:
    """A request; `inputs` are made by `typed` and `raw`."""
    return messages.ModelInferRequest(**{"model_name": "iris"} | fields)


def typed(name: str, shape: list[int], datatype: str, **contents: Any) -> dict[str, Any]:
    """An input with its values in the field for its type."""
    return {"name": name, "shape": shape, "datatype": datatype, "contents": contents}


def raw(name: str, shape: list[int], datatype: str) -> dict[str, Any]:
    """An input whose values are among the raw contents."""
    return {"name": name, "shape": shape, "datatype": datatype}
