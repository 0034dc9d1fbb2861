"""Requests counted when they come to an application, however long they take then."""

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send


class Arrivals:
    """The application, counting the requests that have come to it."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self.count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.count += scope["type"] == "http"
        await self._app(scope, receive, send)
