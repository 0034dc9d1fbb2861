"""The short way of predictions: from the bytes of a plain request to those of its answer.

A request to `/predict`, or to the address of one model, goes it when it is plain JSON and the model is in memory. Every
other one, and whatever is wrong, goes the usual way, which has the word on all of it: this one has no error of its own.
"""

import re
import time
from collections.abc import Container, Mapping

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from api.dependencies import PredictingParts
from api.fast.answering import MOST_BYTES, Longer, answer_shortly
from api.fast.messages import raising, received, send_answer
from api.http.access_lines import AccessLines
from api.http.metrics import Metrics
from api.http.middleware import client_of
from api.http.request_ids import new_request_id, request_id_of
from api.http.whole import WHOLE, WholeRequest
from api.routes import predict_typed
from shared.accounts.sight import seeing
from shared.errors import PlatformError
from shared.hosts import name_of

PATH = "/predict"
# Names as datasets and stages have them.
_TYPED = re.compile(r"/models/([a-z0-9_]+)/([A-Za-z0-9_]+)/predict")
# Larger bodies are read bit by bit, by the usual way.
LARGEST = 2**21

_MOST_HOSTS = 64
_LENGTH, _REQUEST_ID = b"content-length", b"x-request-id"
# Digits of a length that are read; a longer one is too large, whatever they say.
_LONGEST = 19
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
        parts: PredictingParts | None = getattr(scope["app"].state, "parts", None)
        most = 0 if parts is None else min(LARGEST, parts.settings.json_max_bytes)
        given = dict(scope["headers"])
        request_id = self._plain(given, len(scope["headers"]), most)
        sight = None if request_id is None or parts is None else parts.admits(given)
        if request_id is None or parts is None or sight is None:
            await self._app(scope, receive, send)
            return
        whole: WholeRequest | None = scope["extensions"].get(WHOLE) if "extensions" in scope else None
        content = None if whole is None else whole.body()
        if content is None:
            content, receive = await received(receive, seconds=self._body_seconds, most=most)
            # A client can take its time with a body, and may not ask any more when it is there.
            content = content if parts.admits(given) == sight else None
        try:
            with seeing(sight):
                answer = None if content is None else await _answered(parts, content, named, request_id)
        except PlatformError as error:
            # What was found in a thread is told by the usual way, which is not to ask the model again.
            answer, receive = None, raising(error)
        if answer is None:
            await self._app(_with_id(scope, request_id), receive, send)
            return
        seconds = time.perf_counter() - began
        # Before a client can have it: a process that is killed in between has counted one more, and not one less.
        self._counts[predict_typed.PATH if named else PATH](seconds)
        await send_answer(send, whole, answer, request_id)
        self._tell(scope, request_id, seconds)

    def _tell(self, scope: Scope, request_id: str, seconds: float) -> None:
        client, path = client_of(scope), scope["path"]
        self._lines.add(request_id=request_id, client=client, method="POST", path=path, status=200, seconds=seconds)

    def _plain(self, given: Mapping[bytes, bytes], count: int, most: int) -> str | None:
        """The id of a request whose headers are those of a plain one with at most so many bytes; None for another."""
        host = given.get(b"host")
        if (
            # Which one of two counts, or that none does, is not said here.
            len(given) < count
            or given.get(b"content-type") not in _JSON
            or host is None
            or not _OTHER.isdisjoint(given)
            # What is too large is refused before any of it is awaited.
            or not given.get(_LENGTH, b"").isdigit()
            or int(given[_LENGTH][:_LONGEST]) > most
            or (host not in self._hosts and not self._is_known(host))
        ):
            return None
        wished = given.get(_REQUEST_ID)
        return new_request_id() if wished is None else request_id_of(wished.decode("latin-1"))

    def _is_known(self, host: bytes) -> bool:
        if name_of(host.decode("latin-1")) not in self._names:
            return False
        if len(self._hosts) < _MOST_HOSTS:
            self._hosts.add(host)
        return True


def _named(scope: Scope) -> tuple[str, ...] | None:
    """What the address says of the model, which may be nothing; None where it does not ask for predictions."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
        return None
    if scope["path"] == PATH:
        return ()
    found = _TYPED.fullmatch(scope["path"])
    return None if found is None else found.groups()


async def _answered(parts: PredictingParts, content: bytes, named: tuple[str, ...], request_id: str) -> bytes | None:
    """The answer to a body; None where the usual way has the word on it.

    Raises:
        PlatformError: what was found in a thread, as `Predicting.run` and the model say it.
    """
    try:
        if len(content) > MOST_BYTES:
            found = await run_in_threadpool(answer_shortly, parts, content, named)
        else:
            found = answer_shortly(parts, content, named)
    except Exception:  # noqa: BLE001 - the usual way meets the same, and has the word on it
        return None
    if not isinstance(found, Longer):
        return found
    try:
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            return await parts.predicting.run(found.place, found.predictor, found.act)
    except PlatformError:
        raise
    except Exception:  # noqa: BLE001 - the usual way meets the same, and has the word on it
        return None


def _with_id(scope: Scope, request_id: str) -> Scope:
    """The scope of a request that has this id from now on."""
    others = [each for each in scope["headers"] if each[0] != _REQUEST_ID]
    return {**scope, "headers": [*others, (_REQUEST_ID, request_id.encode())]}
