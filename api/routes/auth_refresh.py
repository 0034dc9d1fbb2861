"""Logins that go on: from a refresh token to the next tokens."""

from typing import Any

from fastapi import APIRouter, Response

from api.access.callers import CallerDep
from api.dependencies import PartsDep
from api.http.form_body import FORM, FormOrJsonRoute
from api.http.problems import responses
from api.lanes import in_lane
from api.schemas.accounts import RefreshRequest, TokenAnswer

router = APIRouter(tags=["Access"], route_class=FormOrJsonRoute)

# Clients of OAuth 2 send a form (RFC 6749, section 6), to the address that the document names as `refreshUrl`.
_AS_FORM: dict[str, Any] = {
    "requestBody": {"content": {FORM: {"schema": {"$ref": "#/components/schemas/RefreshRequest"}}}}
}


@router.post(
    "/auth/refresh", summary="Get new tokens", responses=responses(401, 413, 415, 422, 503), openapi_extra=_AS_FORM
)
@in_lane("logins")
def refresh_tokens(*, body: RefreshRequest, parts: PartsDep, caller: CallerDep, response: Response) -> TokenAnswer:
    """Exchange a refresh token for new tokens. It is good once: when it comes again, the login ends."""
    # What tells a token is kept by nobody on the way (RFC 6749, section 5.1).
    response.headers["Cache-Control"] = "no-store"
    return TokenAnswer.of_issued(parts.access.logins.refresh(body.refresh_token, caller.sender))
