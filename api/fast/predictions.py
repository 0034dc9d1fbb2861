"""The short way of predictions: from the bytes of a plain request to those of its answer, on the event loop.

A request to `/predict`, or to the address of one model, goes it when it is plain JSON, the model is in memory and
compiled, and the answer takes microseconds. Every other one, and whatever is wrong, goes the usual way, which has the
word on all of it: this one has no error of its own.
"""

import re
import time
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from api.dependencies import PredictingParts
from api.fast.answers import AnswerWriter
from api.fast.body import PlainBody, read_plain, read_request, read_typed
from api.fast.messages import received, send_answer
from api.http.access_lines import AccessLines
from api.http.json_body import parse_json
from api.http.metrics import Metrics
from api.http.middleware import client_of
from api.http.request_ids import new_request_id, request_id_of
from api.http.whole import WHOLE, WholeRequest
from api.routes import predict_typed
from api.routes.predict import answer_of
from api.schemas.predict import InputData, PredictRequest
from shared.hosts import name_of
from shared.prediction.computing import ModelInForm
from shared.prediction.loaded import ServingPlace
from shared.prediction.predictor import Predictor

PATH = "/predict"
# Names as datasets and stages have them.
_TYPED = re.compile(r"/models/([a-z0-9_]+)/([A-Za-z0-9_]+)/predict")
# Larger bodies are read in a thread, so that nobody waits for them.
MOST_BYTES = 2**16
# Of a body with texts, gaps or names, each cell is looked at by itself.
MOST_BYTES_OF_ANY = 2**13
# So long a table is not made of it here: a name that is left out is a cell, too.
MOST_CELLS_OF_ANY = 512
# What takes longer is computed in a thread, by the usual way, which takes as long by itself.
MOST_SECONDS = 0.002

_MOST_HOSTS = 64
_JSON = {b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"}
# With one of these, a request is more than a plain one.
_OTHER = {b"origin", b"sec-fetch-site", b"content-encoding", b"transfer-encoding"}


class FastPredictions:
    """Answers plain requests for predictions, and passes all others on."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        lines: AccessLines,
        names: Container[str | None],
        body_seconds: float,
        typed: bool = False,
    ) -> None:
        """With `typed` there are addresses of single models, too."""
        self._app = app
        self._names = names
        self._body_seconds = body_seconds
        self._typed = typed
        self._hosts: set[bytes] = set()
        routes = (PATH, predict_typed.PATH) if typed else (PATH,)
        self._counts = {route: metrics.counting(method="POST", route=route, status=200) for route in routes}
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request."""
        named = _named(scope)
        if named is None or (named and not self._typed):
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = self._plain(scope["headers"])
        parts: PredictingParts | None = getattr(scope["app"].state, "parts", None)
        if request_id is None or parts is None:
            await self._app(scope, receive, send)
            return
        whole: WholeRequest | None = scope["extensions"].get(WHOLE) if "extensions" in scope else None
        content = None if whole is None else whole.body()
        if content is None:
            content, receive = await received(receive, seconds=self._body_seconds)
        try:
            answer = None if content is None else self._answer(parts, content, named)
        except Exception:  # noqa: BLE001 - the usual way meets the same, and has the word on it
            answer = None
        if answer is None:
            await self._app(scope, receive, send)
            return
        seconds = time.perf_counter() - began
        # Before a client can have it: a process that is killed in between has counted one more, and not one less.
        self._counts[predict_typed.PATH if named else PATH](seconds)
        await send_answer(send, whole, answer, request_id)
        self._lines.add(
            request_id=request_id,
            client=client_of(scope),
            method="POST",
            path=scope["path"],
            status=200,
            seconds=seconds,
        )

    def _plain(self, headers: Sequence[tuple[bytes, bytes]]) -> str | None:
        """The id of a request whose headers are those of a plain one; None for another."""
        given: Mapping[bytes, bytes] = dict(headers)
        host = given.get(b"host")
        if (
            # Which one of two counts, or that none does, is not said here.
            len(given) < len(headers)
            or given.get(b"content-type") not in _JSON
            or host is None
            or not _OTHER.isdisjoint(given)
            or (host not in self._hosts and not self._is_known(host))
        ):
            return None
        wished = given.get(b"x-request-id")
        return new_request_id() if wished is None else request_id_of(wished.decode("latin-1"))

    def _is_known(self, host: bytes) -> bool:
        if name_of(host.decode("latin-1")) not in self._names:
            return False
        if len(self._hosts) < _MOST_HOSTS:
            self._hosts.add(host)
        return True

    def _answer(self, parts: PredictingParts, content: bytes, named: tuple[str, ...]) -> bytes | None:
        if len(content) > MOST_BYTES:
            return None
        if named:
            return self._of_any(parts, content, lambda value: read_typed(value, *named))
        body = read_plain(content)
        return self._of_any(parts, content, read_request) if body is None else self._of_plain(parts, content, body)

    def _of_plain(self, parts: PredictingParts, content: bytes, body: PlainBody) -> bytes | None:
        writer = self._writer(parts, body.dataset_name, body.environment)
        if writer is None:
            return self._of_any(parts, content, read_request)
        if body.probabilities and not writer.gives_probabilities:
            return None
        count = len(body.input_data.features)
        if count * writer.width > parts.settings.predict_max_cells or writer.seconds(count) > MOST_SECONDS:
            return None
        rows = body.rows(writer.width)
        return None if rows is None else writer.answer(rows, probabilities=body.probabilities)

    def _of_any(self, parts: PredictingParts, content: bytes, read: Callable[[Any], PredictRequest]) -> bytes | None:
        """What the route would answer, asked without the framework; None where it would say what is wrong."""
        if len(content) > MOST_BYTES_OF_ANY:
            return None
        value = parse_json(content, most_lists=MOST_BYTES_OF_ANY)
        body = read(value)
        place = ServingPlace(body.dataset_name, body.environment, body.target)
        predictor = parts.cache.find(place, body.version)
        if predictor is None or not self._is_quick(predictor, body.input_data):
            return None
        warnings = parts.predicting.several_targets(place, body.version, predictor)
        answer = answer_of(body, predictor, warnings, max_cells=parts.settings.predict_max_cells)
        return bytes(answer.body)

    def _is_quick(self, predictor: Predictor, data: InputData) -> bool:
        rows = len(data.features or data.records or ())
        return (
            isinstance(predictor.computes, ModelInForm)
            and rows * len(predictor.signature.inputs) <= MOST_CELLS_OF_ANY
            and predictor.computes.seconds(rows) <= MOST_SECONDS
        )

    @staticmethod
    def _writer(parts: PredictingParts, dataset_name: str, environment: str) -> AnswerWriter | None:
        """What writes the answers of the model that serves there; None where it is not one for the short way."""
        place = ServingPlace(dataset_name, environment)
        predictor = parts.cache.find_only(place)
        if predictor is None:
            return None
        writer: AnswerWriter | None = predictor.kept.get(place)
        computes = predictor.computes
        if writer is None and isinstance(computes, ModelInForm) and predictor.signature.takes_plain_numbers:
            writer = predictor.kept[place] = AnswerWriter(place, predictor, computes)
        return writer


def _named(scope: Scope) -> tuple[str, ...] | None:
    """What the address says of the model, which may be nothing; None where it does not ask for predictions."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
        return None
    if scope["path"] == PATH:
        return ()
    found = _TYPED.fullmatch(scope["path"])
    return None if found is None else found.groups()
