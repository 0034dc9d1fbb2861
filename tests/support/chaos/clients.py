"""A careful client: it names each wish by a key, and sends it again with the same key until it has an answer."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import httpx2

from tests.support.chaos.journal import Call, Journal

# Asked again: no answer, or one that says that the outcome is not known or that a part is away.
_NOT_FINAL = frozenset({None, 429, 500, 502, 503, 504})
_PATIENCE_SECONDS = 20
_PAUSE_SECONDS = 0.2


class Client:
    """Speaks to any of several API processes and writes everything down."""

    def __init__(
        self, journal: Journal, urls: Sequence[str], *, timeout: float = 15, stopping: threading.Event | None = None
    ) -> None:
        """`timeout` is how long it waits for one answer; once `stopping` is set, it asks nothing again."""
        self._journal = journal
        self._urls = list(urls)
        self._stopping = stopping or threading.Event()
        self._http = httpx2.Client(timeout=httpx2.Timeout(timeout, connect=2))

    def close(self) -> None:
        """Give its connections back."""
        self._http.close()

    def get(self, path: str, **params: Any) -> Call:
        """Ask once."""
        return self.once("GET", path, params=params)

    def train(self, **body: Any) -> Call:
        """Have a model trained; returns the last of the calls that this took."""
        return self.post("/train", body)

    def promote(self, dataset_name: str, version: int, target_stage: str) -> Call:
        """Have a version promoted."""
        return self.post("/promote", {"dataset_name": dataset_name, "version": version, "target_stage": target_stage})

    def retry(self, job_id: object) -> Call:
        """Have an ended job repeated as a new one."""
        return self.post(f"/jobs/{job_id}/retry", None)

    def cancel(self, job_id: object) -> Call:
        """Cancel a job; needs no key, because once and twice are the same."""
        return self._until_final(lambda: self.once("POST", f"/jobs/{job_id}/cancel"))

    def job(self, job_id: object, *, wait: float = 0) -> Call:
        """Look at a job."""
        return self.get(f"/jobs/{job_id}", wait=wait) if wait else self.get(f"/jobs/{job_id}")

    def predict(self, dataset_name: str, environment: str, features: list[list[float]]) -> Call:
        """Ask once for predictions."""
        body = {"dataset_name": dataset_name, "environment": environment, "input_data": {"features": features}}
        return self.once("POST", "/predict", body=body)

    def post(self, path: str, body: Any, *, key: str | None = None) -> Call:
        """POST with an Idempotency-Key until the answer is final."""
        key = key or uuid4().hex
        return self._until_final(lambda: self.once("POST", path, body=body, key=key))

    def once(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str | None = None,
        params: dict[str, Any] | None = None,
        **more: Any,
    ) -> Call:
        """One request, written down with its answer or with the fact that none came."""
        headers = {} if key is None else {"Idempotency-Key": key}
        # By turns, so that what one process promises is asked of another.
        self._urls.append(self._urls.pop(0))
        began = time.monotonic()
        try:
            answer = self._http.request(
                method, self._urls[0] + path, json=body, headers=headers, params=params or None, **more
            )
            status, text = answer.status_code, answer.text
            # The type of an answer without a body is JSON, too.
            found = answer.json() if text and "json" in answer.headers.get("content-type", "") else None
        except (httpx2.TransportError, ValueError):
            # The connection broke, at the latest in the middle of the body.
            status, text, found = None, "", None
        call = Call(method, path, body, key, began, time.monotonic(), status, found, text)
        self._journal.add(call)
        if status is None:
            # Whoever is not there will not be there a moment later.
            self._stopping.wait(_PAUSE_SECONDS)
        return call

    def _until_final(self, ask: Callable[[], Call]) -> Call:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (call := ask()).status in _NOT_FINAL and time.monotonic() < deadline:
            if self._stopping.wait(_PAUSE_SECONDS):
                break
        return call
