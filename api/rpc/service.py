"""What each call of the service answers: the same as the addresses below `/v2`."""

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from anyio import to_thread

from api.fast.answering import MOST_BYTES_OF_ANY, MOST_CELLS_OF_ANY, MOST_SECONDS
from api.http.errors import NotReady
from api.parts import Parts
from api.protocols.addresses import place_of
from api.routes.v2 import described, v2_server, written_version
from api.routes.v2_infer import Asked, inferred
from api.routes.v2_platform import v2_index, v2_ready
from api.rpc.messages import MESSAGES
from api.rpc.tensors import read_request, write_answer, written_parameters
from api.schemas.v2 import IndexedModel, TensorMetadata
from shared.errors import Conflict, InvalidRequest, Unavailable
from shared.prediction.computing import ModelInForm
from shared.prediction.loaded import ServingPlace
from shared.prediction.predictor import Predictor

# The message of a call, and what its metadata name beside it: `environment` and `target`.
Answer = Callable[[Any, Mapping[str, str]], Awaitable[bytes]]


class Service:
    """The calls over the parts of one application; each takes a message and gives the bytes of its answer."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def calls(self) -> dict[str, Answer]:
        """Every call by its name, which is the beginning of that of its message."""
        return {
            "ServerLive": self._live,
            "ServerReady": self._ready,
            "ServerMetadata": self._server,
            "ModelReady": self._model_ready,
            "ModelMetadata": self._model,
            "ModelInfer": self._infer,
            "RepositoryIndex": self._index,
        }

    async def _live(self, _message: Any, _named: Mapping[str, str]) -> bytes:
        return _written("ServerLiveResponse", live=True)

    async def _ready(self, _message: Any, _named: Mapping[str, str]) -> bytes:
        try:
            await v2_ready(self._parts)
        except NotReady:
            return _written("ServerReadyResponse", ready=False)
        return _written("ServerReadyResponse", ready=True)

    async def _server(self, _message: Any, _named: Mapping[str, str]) -> bytes:
        found = await v2_server()
        # Raw contents are no extension here.
        return _written("ServerMetadataResponse", name=found.name, version=found.version)

    async def _model_ready(self, message: Any, named: Mapping[str, str]) -> bytes:
        place, version = _asked_for(message.name, message.version, named)
        try:
            await self._parts.predicting.find(place, version)
        except (Conflict, Unavailable):
            # It is there, but not active or not to be had now; a name that there is not is an error.
            return _written("ModelReadyResponse", ready=False)
        return _written("ModelReadyResponse", ready=True)

    async def _model(self, message: Any, named: Mapping[str, str]) -> bytes:
        found = await described(self._parts, message.name, *_asked_for(message.name, message.version, named))
        return _written(
            "ModelMetadataResponse",
            name=found.name,
            versions=found.versions,
            platform=found.platform,
            inputs=map(_tensor, found.inputs),
            outputs=map(_tensor, found.outputs),
        )

    async def _infer(self, message: Any, named: Mapping[str, str]) -> bytes:
        place, version = _asked_for(message.model_name, message.model_version, named)
        predictor = await self._parts.predicting.find(place, version)
        warnings = self._parts.predicting.several_targets(place, version, predictor)
        act = partial(self._inferred, message, place, predictor, warnings)
        return act() if _is_quick(message, predictor) else await self._parts.predicting.run(place, predictor, act)

    def _inferred(self, message: Any, place: ServingPlace, predictor: Predictor, warnings: list[str]) -> bytes:
        received = read_request(message)
        asked = Asked(message.model_name, None, received.body)
        most = self._parts.settings.predict_max_cells
        content, behind, _ = inferred(asked, received.tail, place, predictor, warnings, max_cells=most)
        return write_answer(content, behind, raw=received.raw)

    async def _index(self, message: Any, _named: Mapping[str, str]) -> bytes:
        models = await to_thread.run_sync(self._indexed)
        # Where a repository is named, it is another one: there is only the one without a name.
        found = [] if message.repository_name else [each.model_dump() for each in models]
        return _written("RepositoryIndexResponse", models=found)

    def _indexed(self) -> list[IndexedModel]:
        with self._parts.database.read() as session:
            return v2_index(session)


def _asked_for(name: str, version: str, named: Mapping[str, str]) -> tuple[ServingPlace, int | None]:
    """The place that a message and the metadata beside it name, and the version if they name one."""
    environment, target = named.get("environment"), named.get("target")
    if any("\0" in text for text in (name, version, environment or "", target or "")):
        raise InvalidRequest("A name holds a NUL character. Leave it out.")
    return place_of(name, environment, target), written_version(version) if version else None


def _is_quick(message: Any, predictor: Predictor) -> bool:
    """Whether the answer takes microseconds, so that a thread for it would cost more."""
    rows = max((each.shape[0] for each in message.inputs if each.shape), default=0)
    return (
        isinstance(predictor.computes, ModelInForm)
        and message.ByteSize() <= MOST_BYTES_OF_ANY
        and 0 <= rows * len(predictor.signature.inputs) <= MOST_CELLS_OF_ANY
        and predictor.computes.seconds(rows) <= MOST_SECONDS
    )


def _tensor(tensor: TensorMetadata) -> Any:
    parameters = dict(tensor.parameters or {})
    if "classes" in parameters:
        parameters["classes"] = json.dumps(parameters["classes"], ensure_ascii=False)
    return MESSAGES["TensorMetadata"](
        name=tensor.name, datatype=tensor.datatype, shape=tensor.shape, parameters=written_parameters(parameters)
    )


def _written(name: str, /, **fields: Any) -> bytes:
    written: bytes = MESSAGES[name](**fields).SerializeToString()
    return written
