"""The connection to the API: sends calls, again where that is safe, and reads what comes back."""

import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from math import isnan
from typing import Any, BinaryIO, Self

import httpx2

from cli.client.address import Address
from cli.client.errors import CommandFailed, Refused, WrongUsage
from cli.client.failure import CONNECT_SECONDS, something_else, unreachable
from cli.client.request import Call

# How often a call is sent before its failure is reported, and the longest pause between two attempts.
MOST_ATTEMPTS = 6
LONGEST_PAUSE = 10.0

# What the API says while it is not ready, and a gateway while it does not reach the API.
_PASSING = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
# The same request would take as long again.
_NOT_PASSING = {"prediction_too_slow"}
# Nothing was done, and a little later it is.
_TOO_MANY = "rate_limited"
_PROXY = (
    "A variable for proxies (HTTP_PROXY, HTTPS_PROXY or ALL_PROXY) does not hold an http:// or https:// URL. "
    "Correct it, or name the host of the API in NO_PROXY."
)

Reading = Callable[[BinaryIO], BinaryIO]
Credential = Callable[[], Mapping[str, str]]


@dataclass(frozen=True)
class Answer:
    """A response; `document` is its JSON."""

    status: int
    document: Any


class Client:
    """Sends calls to one API. Enter it before."""

    def __init__(
        self, address: Address, *, tell: Callable[[str], None] = lambda _: None, credential: Credential = dict
    ) -> None:
        """`tell` gets a sentence each time a call is repeated, `credential` gives the header that says who asks.

        Raises:
            WrongUsage: when a variable names a proxy that cannot be used.
        """
        self.address = address
        self._tell = tell
        self._credential = credential
        # An API that has answered before is being restarted; it is not absent.
        self._has_answered = False
        try:
            self._http = httpx2.Client(
                base_url=address.url,
                headers={"User-Agent": "mlmini", "Accept": "application/json"},
                # A credential is for this address, and an answer must not take it to another one.
                follow_redirects=False,
                trust_env=not address.is_local,
                verify=_authorities(address),
            )
        except (ValueError, ImportError):
            raise WrongUsage(_PROXY) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def says_who(self) -> bool:
        """Whether a credential is sent with each call.

        Raises:
            CommandFailed: when there is one that cannot be used.
        """
        return bool(self._credential())

    def send(self, call: Call, *, reading: Reading = lambda file: file) -> Answer:
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
                    raise unreachable(self.address, error) from None
                pause, reason = pause_after(error, attempt), "The connection was lost"
            except CommandFailed as failure:
                if last or not failure.passes:
                    raise
                pause, reason = pause_after(failure, attempt), _reason(failure)
            self._tell(f"{reason}; trying again in {pause:g} s ...")
            time.sleep(pause)
        raise AssertionError("unreachable: count() never ends")

    def get(self, call: Call) -> Any:
        """Send a call and return the document of its answer.

        Raises:
            Refused, Unreachable: as `send`.
        """
        return self.send(call).document

    def look(self, call: Call) -> Answer:
        """Send a call once, and return what comes back whatever its status; without JSON, its document is None.

        Raises:
            Unreachable: when there is no answer.
        """
        try:
            response = self._exchange(call)
        except httpx2.RequestError as error:
            raise unreachable(self.address, error) from None
        document: Any = None
        with suppress(ValueError):
            document = response.json()
        return Answer(response.status_code, document)

    def text(self, call: Call, *, accept: str = "text/plain") -> str:
        """The text that answers a call.

        Raises:
            Refused, Unreachable: as `send`.
        """
        with self.stream(call, accept=accept) as response:
            return response.read().decode(errors="replace")

    @contextmanager
    def stream(
        self,
        call: Call,
        *,
        accept: str,
        headers: Mapping[str, str] | None = None,
        content: Iterable[bytes] | None = None,
    ) -> Iterator[httpx2.Response]:
        """The answer to a call, to be read while it comes. The reader handles a connection that breaks inside.

        `content` is sent as the body.

        Raises:
            Refused, Unreachable: as `send`, but the call is not repeated.
        """
        credential = self._credential()
        with ExitStack() as stack:
            try:
                response = stack.enter_context(
                    self._http.stream(
                        call.method,
                        call.target,
                        headers={"Accept": accept, **call.headers, **(headers or {}), **credential},
                        content=content,
                        timeout=httpx2.Timeout(call.read_seconds, connect=CONNECT_SECONDS),
                    )
                )
                if response.status_code != HTTPStatus.OK:
                    response.read()
            except httpx2.RequestError as error:
                raise unreachable(self.address, error) from None
            self._has_answered = True
            if response.status_code != HTTPStatus.OK:
                self._read(response)
            yield response

    def _exchange(self, call: Call, reading: Reading = lambda file: file) -> httpx2.Response:
        with ExitStack() as stack:
            more: dict[str, Any] = {}
            headers = {**call.headers, **self._credential()}
            if call.file is not None:
                file = stack.enter_context(call.file.open("rb"))
                # A file's name may hold bytes that are not text.
                name = call.file.name.encode(errors="replace").decode()
                more = {"files": {"file": (name, reading(file))}, "data": dict(call.fields)}
            elif call.fields:
                more = {"data": dict(call.fields)}
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
            if response.status_code == HTTPStatus.NO_CONTENT:
                return Answer(response.status_code, None)
            if response.is_success and kind == "application/json":
                return Answer(response.status_code, response.json())
            if kind == "application/problem+json" and isinstance(problem := response.json(), dict):
                failure = Refused(problem)
        failure = failure or something_else(self.address, response)
        code = failure.code if isinstance(failure, Refused) else ""
        if code == _TOO_MANY or (response.status_code in _PASSING and code not in _NOT_PASSING):
            failure.passes, failure.retry_after = True, _retry_after(response)
        raise failure


def _authorities(address: Address) -> ssl.SSLContext | bool:
    """Who is trusted to say which server it is; for this machine, too, those in the file that SSL_CERT_FILE names."""
    if not address.needs_authorities:
        # To read all authorities takes longer than most calls. Who needs none trusts none.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context() if address.is_local else True


def _reason(failure: CommandFailed) -> str:
    limited = isinstance(failure, Refused) and failure.code == _TOO_MANY
    return "The API takes no more requests for now" if limited else "The API is not ready"


def pause_after(failure: Exception, failures: int) -> float:
    """How many seconds to wait after so many failures in a row: what the API asks for, else longer each time."""
    if isinstance(failure, CommandFailed) and failure.retry_after is not None:
        return failure.retry_after
    return min(0.5 * 2.0 ** (failures - 1), LONGEST_PAUSE)


def _retry_after(response: httpx2.Response) -> float | None:
    # The header may also hold a date, which is ignored.
    with suppress(ValueError):
        seconds = float(response.headers.get("retry-after", ""))
        return None if isnan(seconds) else min(max(seconds, 0.1), LONGEST_PAUSE)
    return None
