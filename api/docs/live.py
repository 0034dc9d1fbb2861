"""The OpenAPI document as it is served: what the API is, and the models that serve at this moment."""

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, Request, Response

from api.access.callers import caller_of
from api.docs.typed import ServedHere, described_width, typed_operation
from api.parts import Parts
from shared.accounts.permissions import Permission
from shared.errors import PlatformError
from shared.registry import deployments
from shared.registry.described import DescribedModel, described_models
from shared.registry.targets import active_targets_everywhere

# What the document describes at most: models, and columns of all of them together.
MOST_MODELS = 100
MOST_COLUMNS = 2_000
# How many of them are kept in memory: teams that see the same have one together.
MOST_DOCUMENTS = 16

_Targets = dict[tuple[str, str], dict[str, int]]


class LiveDocuments:
    """The documents of an application: one for everybody, and one for each set of datasets that is hidden from some."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._kept: OrderedDict[frozenset[str], LiveDocument] = OrderedDict()

    def of_caller(self) -> "LiveDocument":
        """That of those for whom this is asked."""
        parts: Parts | None = getattr(self._app.state, "parts", None)
        hidden = frozenset[str]() if parts is None else parts.walls.hidden()
        document = self._kept.setdefault(hidden, LiveDocument(self._app))
        self._kept.move_to_end(hidden)
        while len(self._kept) > MOST_DOCUMENTS:
            self._kept.popitem(last=False)
        return document


@dataclass
class LiveDocument:
    """The bytes of a document, made anew when the registry has changed. Belongs to one event loop.

    Whether it has is known from the process's own look at the registry, which it takes several times a second.
    """

    app: FastAPI
    _content: bytes = b""
    _generation: int = -1
    _known: dict[int, DescribedModel] = field(default_factory=dict)
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def content(self) -> bytes:
        """The document; while the database is away, the one before."""
        parts: Parts | None = getattr(self.app.state, "parts", None)
        if parts is not None and self._is_old(parts):
            async with self._making:
                if self._is_old(parts):
                    await to_thread.run_sync(self._make, parts)
        return self._content or self.fixed()

    def fixed(self) -> bytes:
        """The document without any model."""
        return _written(self.app.openapi())

    def _is_old(self, parts: Parts) -> bool:
        return not self._content or self._generation < parts.serving.generation

    def _make(self, parts: Parts) -> None:
        try:
            with parts.database.read() as session:
                # Read first: whatever is read after it is at least as new.
                generation = deployments.generation(session)
                everywhere = active_targets_everywhere(session)
                places = sorted(everywhere, key=lambda place: _rank(place, parts.settings.stages))[:MOST_MODELS]
                wanted = {max(everywhere[place].values()) for place in places}
                self._known = {version: model for version, model in self._known.items() if version in wanted}
                found = described_models(session, wanted - set(self._known))
        except PlatformError:
            return
        self._known |= {model.version: model for model in found}
        self._content = _written(self._with_models(everywhere, places))
        self._generation = generation

    def _with_models(self, everywhere: _Targets, places: list[tuple[str, str]]) -> dict[str, Any]:
        document = self.app.openapi()
        served: list[ServedHere] = []
        columns = 0
        for place in places:
            model = self._known.get(max(everywhere[place].values()))
            # It may have gone between two statements; then there will be another look.
            if model is None or columns + described_width(model.signature) > MOST_COLUMNS:
                continue
            columns += described_width(model.signature)
            served.append(ServedHere(*place, tuple(sorted(everywhere[place])), model))
        paths = {each.path: {"post": typed_operation(each)} for each in sorted(served)}
        left = len(everywhere) - len(served)
        if not left:
            return {**document, "paths": {**document["paths"], **paths}}
        note = f"{left:,} more places have models that this document does not describe; `GET /models` lists them all."
        info = {**document["info"], "description": f"{document['info']['description']}\n{note}\n"}
        return {**document, "info": info, "paths": {**document["paths"], **paths}}


def install(app: FastAPI) -> None:
    """Serve the document at `/openapi.json`."""
    documents = LiveDocuments(app)

    async def serve(request: Request) -> Response:
        # Names and columns of models are for those who may look at models.
        may_read = Permission.READ in caller_of(request.scope).identity.permissions
        live = documents.of_caller()
        content = await live.content() if may_read else live.fixed()
        headers = {"Cache-Control": "no-cache", "Vary": "Authorization, Cookie, X-API-Key"}
        return Response(content, media_type="application/json", headers=headers)

    app.add_route("/openapi.json", serve, include_in_schema=False)


def _rank(place: tuple[str, str], stages: tuple[str, ...]) -> tuple[int, str]:
    """Models of the last stages first: those matter to most."""
    name, stage = place
    return (-stages.index(stage) if stage in stages else 1, name)


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
