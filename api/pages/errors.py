"""Codes of errors as pages."""

from collections.abc import Mapping
from typing import Any

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


def page_of_problem(problem: Mapping[str, Any], hint: str, headers: Mapping[str, str]) -> HTMLResponse:
    """What is wrong with a request, for who asked with a browser."""
    places = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in problem.get("errors", [])]
    answer = page(
        problem["title"],
        element("p", problem["detail"]),
        element("ul", *(element("li", place) for place in places)) if len(places) > 1 else None,
        element("h2", "How to fix it"),
        element("p", hint),
        facts(
            ("Code", link(problem["code"], f"/errors/{problem['code']}")),
            ("Status", str(problem["status"])),
            ("Request", element("code", problem["request_id"])),
        ),
        status=problem["status"],
    )
    answer.headers.update(headers)
    return answer


def _row(code: ErrorCode) -> list[Content]:
    return [link(code.code, f"/errors/{code.code}"), str(code.status), code.explanation]
