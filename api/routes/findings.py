"""Explanations of the codes of findings: what was unclear when a table was read, or was done and is worth knowing."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from api.http.errors import NotFound
from api.http.problems import responses
from api.pages.findings import page_of_finding, page_of_findings
from api.pages.frame import WantsPage
from api.schemas.findings import ExplainedFinding, ExplainedFindings, explained_finding
from shared.errors import closest, meant
from shared.tables.findings import FindingCode

router = APIRouter(tags=["Findings"])


@router.get("/findings", response_model=ExplainedFindings, summary="List all codes of findings")
def list_finding_codes(wants_page: WantsPage) -> ExplainedFindings | HTMLResponse:
    """Every code that a finding of a dataset can carry, in alphabetical order; as a page for browsers."""
    findings = ExplainedFindings(items=[explained_finding(code) for code in sorted(FindingCode)])
    return page_of_findings(findings) if wants_page else findings


@router.get(
    "/findings/{code}",
    response_model=ExplainedFinding,
    summary="Explain the code of a finding",
    responses=responses(404),
)
def explain_finding_code(
    wants_page: WantsPage,
    code: Annotated[str, Path(description="The `code` of a finding.", examples=["gap_word"])],
) -> ExplainedFinding | HTMLResponse:
    """What a finding means, and what to do about it; as a page for browsers."""
    if code not in set(FindingCode):
        near = closest(code, FindingCode)
        raise NotFound(
            f"There is no code of a finding '{code}'.{meant(near)} GET /findings lists them all.", did_you_mean=near
        )
    finding = explained_finding(FindingCode(code))
    return page_of_finding(finding) if wants_page else finding
