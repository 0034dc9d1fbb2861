"""Codes of findings as pages."""

from fastapi.responses import HTMLResponse

from api.pages.frame import page
from api.pages.markup import element, facts, link, table
from api.schemas.findings import ExplainedFinding, ExplainedFindings


def page_of_finding(finding: ExplainedFinding) -> HTMLResponse:
    """What one code means, and what to do about it."""
    return page(
        finding.title,
        element("p", finding.explanation),
        element("h2", "What to do about it"),
        element("p", finding.hint),
        facts(("Code", element("code", finding.code))),
        element("p", link("All codes", "/findings")),
    )


def page_of_findings(findings: ExplainedFindings) -> HTMLResponse:
    """All codes."""
    return page(
        "Findings",
        table(
            "What the codes of findings mean",
            ["Code", "Title", "Meaning"],
            [[link(each.code, f"/findings/{each.code}"), each.title, each.explanation] for each in findings.items],
        ),
    )
