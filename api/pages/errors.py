"""Codes of errors as pages."""

from fastapi.responses import HTMLResponse

from api.pages.frame import page
from api.pages.markup import Content, element, facts, link, table
from api.schemas.problems import ErrorCode, ErrorCodes


def page_of_code(code: ErrorCode) -> HTMLResponse:
    """What one code means, and how to fix it."""
    return page(
        code.title,
        element("p", code.explanation),
        element("h2", "How to fix it"),
        element("p", code.hint),
        facts(("Code", element("code", code.code)), ("Status", str(code.status))),
        element("p", link("All codes", "/errors")),
    )


def page_of_codes(codes: ErrorCodes) -> HTMLResponse:
    """All codes."""
    rows = [_row(code) for code in codes.items]
    return page("Errors", table("What the codes of errors mean", ["Code", "Status", "Meaning"], rows))


def _row(code: ErrorCode) -> list[Content]:
    return [link(code.code, f"/errors/{code.code}"), str(code.status), code.explanation]
