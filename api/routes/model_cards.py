"""The card of a model."""

from fastapi import APIRouter, Request, Response

from api.dependencies import ReadSession
from api.http.media_types import prefers
from api.http.problems import responses
from api.routes.models import Version
from shared.registry.card import ModelCard, card_of
from shared.registry.card_text import markdown_of

router = APIRouter(tags=["Models"])

_MARKDOWN = "text/markdown"
_SAMPLE = {"card": {"summary": "The beginning of a card", "value": "---\nlibrary_name: sklearn\n---\n\n# iris: target"}}


@router.get(
    "/models/{version}/card",
    response_model=ModelCard,
    summary="Show the card of a model",
    operation_id="show_model_card",
    responses={
        200: {
            "content": {_MARKDOWN: {"schema": {"type": "string"}, "examples": _SAMPLE}},
            "description": "The card, as a text where `Accept` asks for `text/markdown`.",
        },
        **responses(404, 410, 503),
    },
)
def show_model_card(
    version: Version, request: Request, response: Response, session: ReadSession
) -> ModelCard | Response:
    """What the model is, what it learnt from, how well it does and where it does not, for those who are to use it.

    All of it are facts that the platform has. As Markdown it begins with the front matter that hubs of models read.
    """
    card = card_of(session, version)
    vary = {"Vary": "Accept"}
    if prefers(request, _MARKDOWN):
        return Response(markdown_of(card), media_type=f"{_MARKDOWN}; charset=utf-8", headers=vary)
    response.headers.update(vary)
    return card
