"""The audit record: who did what, and when."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from api.dependencies import PartsDep, ReadSession
from api.http.pagination import Page, PageQueryDep, make_page
from api.http.problems import responses
from api.schemas.audit import AuditItem
from shared.audit.actions import Action, AuditOutcome
from shared.audit.listing import AuditFilter, exported_lines, list_entries

router = APIRouter(tags=["Access"])

NDJSON = "application/x-ndjson"
_EXPORTED = "A line of JSON for each entry, the oldest first"
_LINES = {
    "a_login": {
        "summary": "The first entry, without the last of its members",
        "value": '{"seq": 1, "actor": "anna", "via": "password", "action": "login"}\n',
    }
}


def audit_filter(
    *,
    actor: Annotated[str | None, Query(max_length=64, description="Only what this user did.")] = None,
    action: Annotated[Action | None, Query(description="Only entries of this kind.")] = None,
    subject: Annotated[str | None, Query(max_length=200, description="Only what was done to this.")] = None,
    outcome: Annotated[AuditOutcome | None, Query(description="Only what was done, or only what was refused.")] = None,
    since: Annotated[AwareDatetime | None, Query(description="Only entries from this moment on.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Only entries before this moment.")] = None,
) -> AuditFilter:
    """Read which entries are asked for."""
    return AuditFilter(actor=actor, action=action, subject=subject, outcome=outcome, since=since, until=until)


Wanted = Annotated[AuditFilter, Depends(audit_filter)]


@router.get("/audit", summary="Read the audit record", responses=responses(422, 503))
def list_audit_entries(*, session: ReadSession, page: PageQueryDep, wanted: Wanted) -> Page[AuditItem]:
    """Every change, login and refusal since there are accounts, the newest first."""
    found = list_entries(session, wanted, limit=page.limit + 1, before=page.after_number())
    return make_page(found, page, item=AuditItem.model_validate, position=lambda entry: [entry.seq])


@router.get(
    "/audit/export",
    summary="Download the audit record",
    response_class=StreamingResponse,
    responses={
        200: {"content": {NDJSON: {"schema": {"type": "string"}, "examples": _LINES}}, "description": _EXPORTED},
        **responses(422, 503),
    },
)
def export_audit_entries(*, parts: PartsDep, wanted: Wanted) -> StreamingResponse:
    """All entries as JSON lines, to be kept elsewhere: `mlmini audit verify` compares them with the database."""
    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"'}
    return StreamingResponse(exported_lines(parts.database, wanted), media_type=NDJSON, headers=headers)
