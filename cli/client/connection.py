"""The connection to the API: sends calls, again where that is safe, and reads what comes back."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from math import isnan
from typing import Any, BinaryIO, Self

import httpx2

from cli.client.address import Address
from cli.client.errors import CommandFailed, Refused, Unreachable
from cli.client.request import Call

CONNECT_SECONDS = 5
# How often a call is sent before its failure is told, and the longest pause between two of them.
MOST_ATTEMPTS = 6
LONGEST_PAUSE = 10.0

_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
# What the API says while it is not ready, and a gateway while it does not reach the API.
_PASSING = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
# The same request would take as long again.
_NOT_PASSING = {"prediction_too_slow"}


@dataclass(frozen=True)
class Answer:
    """A response that is no problem; `document` is its JSON."""

    status: int
    document: Any


class Client:
    """Sends calls to one API. Enter it before."""

    def __init__(self, address: Address, *, tell: Callable[[str], None]) -> None:
        self.address = address
        self._tell = tell
        # An API that has answered before is being restarted rather than absent.
        self._has_answered = False
        self._http = httpx2.Client(
            base_url=address.url,
            headers={"User-Agent": "mlmini", "Accept": "application/json"},
            trust_env=not address.is_local,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send(self, call: Call, *, reading: Callable[[BinaryIO], BinaryIO] = lambda file: file) -> Answer:
        """Send a call and return the answer; `reading` may watch how the file is read.

        A call that may be repeated is, while the connection breaks or the API says that it is not ready.

        Raises:
            Refused: when the answer is a problem.
            Unreachable: when there is no answer, or not one of this API.
        """
        for attempt in count(1):
            last = attempt == MOST_ATTEMPTS or not call.repeatable
            try:
                return self._read(self._exchange(call, reading))
            except httpx2.RequestError as error:
                absent = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout) and not self._has_answered
                if last or (absent and attempt == 1):
                    raise self.unreachable(error) from None
                pause, reason = pause_after(error, attempt), "The connection was lost"
            except CommandFailed as failure:
                if last or not failure.passes:
                    raise
                pause, reason = pause_after(failure, attempt), "The API is not ready"
            self._tell(f"{reason}; trying again in {pause:g} s ...")
            time.sleep(pause)
        raise AssertionError("unreachable: count() never ends")

    def get(self, call: Call) -> Any:
        """Send a call and return the document of its answer.

        Raises:
            Refused, Unreachable: as `send`.
        """
        return self.send(call).document

    def text(self, call: Call) -> str:
        """The text that answers a call.

        Raises:
            Refused, Unreachable: as `send`.
        """
        with self.stream(call, accept="text/plain") as response:
            return response.read().decode(errors="replace")

    @contextmanager
    def stream(self, call: Call, *, accept: str, headers: dict[str, str] | None = None) -> Iterator[httpx2.Response]:
        """The answer to a call, to be read while it comes. A broken connection inside is the reader's to mend.

        Raises:
            Refused, Unreachable: as `send`, but the call is not repeated.
        """
        with ExitStack() as stack:
            try:
                response = stack.enter_context(
                    self._http.stream(
                        call.method,
                        call.target,
                        headers={"Accept": accept, **(headers or {})},
                        timeout=httpx2.Timeout(call.read_seconds, connect=CONNECT_SECONDS),
                    )
                )
                if response.status_code != HTTPStatus.OK:
                    response.read()
            except httpx2.RequestError as error:
                raise self.unreachable(error) from None
            self._has_answered = True
            if response.status_code != HTTPStatus.OK:
                self._read(response)
            yield response

    def _exchange(self, call: Call, reading: Callable[[BinaryIO], BinaryIO]) -> httpx2.Response:
        with ExitStack() as stack:
            more: dict[str, Any] = {}
            headers = dict(call.headers)
            if call.file is not None:
                file = stack.enter_context(call.file.open("rb"))
                # A file's name may hold bytes that are no text.
                name = call.file.name.encode(errors="replace").decode()
                more = {"files": {"file": (name, reading(file))}, "data": dict(call.fields)}
            elif call.content is not None:
                more = {"content": call.content}
                headers["Content-Type"] = "application/json"
            timeout = httpx2.Timeout(call.read_seconds, connect=CONNECT_SECONDS)
            response = self._http.request(call.method, call.target, headers=headers, timeout=timeout, **more)
        self._has_answered = True
        return response

    def _read(self, response: httpx2.Response) -> Answer:
        kind = response.headers.get("content-type", "").partition(";")[0]
        failure: CommandFailed | None = None
        with suppress(ValueError):
            if response.is_success and kind == "application/json":
                return Answer(response.status_code, response.json())
            if kind == "application/problem+json" and isinstance(problem := response.json(), dict):
                failure = Refused(problem)
        failure = failure or self._foreign(response, kind)
        if response.status_code in _PASSING and not (isinstance(failure, Refused) and failure.code in _NOT_PASSING):
            failure.passes, failure.retry_after = True, _retry_after(response)
        raise failure

    def unreachable(self, error: Exception) -> CommandFailed:
        """What to say of a connection that broke, or never was."""
        if isinstance(error, CommandFailed):
            return error
        url = self.address.shown
        if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
            reason = f"Nothing answers at {url} ({_reason(error)})."
        elif isinstance(error, httpx2.TimeoutException):
            reason = f"The API at {url} does not answer in time."
        else:
            reason = f"The connection to {url} broke ({_reason(error)})."
        mend = "Start the platform with `mlmini up`, or name another one with --url or MLMINI_URL."
        return Unreachable(f"{reason}\n  {self.address.source}\n  {mend}")

    def _foreign(self, response: httpx2.Response, kind: str) -> CommandFailed:
        where = response.headers.get("location")
        more = f", and points to {where}" if where else ""
        return Unreachable(
            f"What answers at {self.address.shown} is not the API of the platform: "
            f"it says {response.status_code} with {kind or 'no content'}{more}. Is the URL right?"
        )


def pause_after(failure: Exception, failures: int) -> float:
    """How many seconds to wait after so many failures in a row: those that the API asks for, else ever more."""
    if isinstance(failure, CommandFailed) and failure.retry_after is not None:
        return failure.retry_after
    return min(0.5 * 2.0 ** (failures - 1), LONGEST_PAUSE)


def _retry_after(response: httpx2.Response) -> float | None:
    # A date, which the header may also be, is taken as if nothing was asked for.
    with suppress(ValueError):
        seconds = float(response.headers.get("retry-after", ""))
        return None if isnan(seconds) else min(max(seconds, 0.1), LONGEST_PAUSE)
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return f"no connection within {CONNECT_SECONDS} s"
    return _ERRNO.sub("", str(error)) or type(error).__name__
