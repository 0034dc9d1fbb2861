"""What all pages have around them, and who gets a page."""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse

from api.http.media_types import prefers
from api.pages.markup import Content, Html, element, link, together
from api.schemas.base import written

_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#ccd2d8, #48505a); --link: light-dark(#1a4f8a, #8ab8f0); }
body { margin: 0 auto; max-width: 62rem; padding: 0 1rem 2rem; font: 1rem/1.5 system-ui, sans-serif; }
body { overflow-wrap: anywhere; }
a { color: var(--link); }
a[aria-current] { color: inherit; font-weight: bold; text-decoration: none; }
a:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
header { border-bottom: 1px solid var(--line); padding: .75rem 0; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; margin: .25rem 0; padding: 0; }
h1 { font-size: 1.5rem; line-height: 1.25; }
h2 { font-size: 1.15rem; margin-top: 2rem; }
h3 { font-size: 1rem; margin-top: 1.75rem; border-top: 1px solid var(--line); padding-top: .75rem; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .25rem 1rem; }
dt { font-weight: bold; }
dd { margin: 0; }
.wide { overflow-x: auto; }
main > .wide + .wide { margin-top: 1rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: bold; padding: .5rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .75rem .35rem 0; text-align: left; vertical-align: top; }
tbody th { font-weight: normal; }
thead th { overflow-wrap: normal; }
tbody th, td { max-width: 22rem; overflow-wrap: break-word; }
time { white-space: nowrap; }
svg { fill: var(--link); display: block; max-width: 100%; }
.chart { width: 20rem; border-bottom: 1px solid var(--line); }
.bar { width: 10rem; }
.edges { margin-top: .25rem; font-size: .9rem; }
figure { margin: .5rem 0; flex: 0 1 24rem; min-width: 0; }
figcaption { font-weight: bold; }
.pictures, .beside { display: flex; flex-wrap: wrap; gap: 0 2.5rem; align-items: flex-start; }
.beside .wide, .pictures .wide { flex: 1 1 20rem; min-width: 0; }
.pictures .wide:has(.matrix) { flex: 0 1 auto; }
.plot { width: 24rem; }
.plot text, .strip text { fill: currentColor; font-size: 11px; }
.strip { width: 13.75rem; max-width: none; }
.grid, .whisker, .base, .reference { stroke: var(--line); fill: none; }
.whisker, .base { stroke: currentColor; stroke-width: 1.5; }
.base { stroke-width: 3; opacity: .6; }
.reference { stroke: currentColor; stroke-dasharray: 4 3; opacity: .7; }
.curve { fill: none; stroke-width: 2; }
.point { fill-opacity: .45; }
.c0 { --c: var(--link); }
.c1 { --c: light-dark(#b3541e, #f0a070); }
.c2 { --c: light-dark(#1f7a4d, #6fd0a0); }
.c3 { --c: light-dark(#8a2d6b, #e08cc8); }
.c4 { --c: light-dark(#7a6a00, #d8c84a); }
.c5 { --c: light-dark(#5b5b5b, #b8b8b8); }
.curve { stroke: var(--c); }
circle.c0, circle.c1, circle.c2, circle.c3, circle.c4, circle.c5 { fill: var(--c); }
.key { width: 1.4rem; display: inline-block; vertical-align: middle; }
.legend { display: flex; flex-wrap: wrap; gap: 0 1rem; list-style: none; margin: 0 0 1rem; padding: 0; }
.matrix { width: auto; }
.matrix th, .matrix td { padding: .35rem .6rem; text-align: right; font-variant-numeric: tabular-nums; }
.matrix tbody th { position: sticky; left: 0; background: Canvas; text-align: left; min-width: 5rem; max-width: 10rem; }
.matrix td:not([class]) { color: light-dark(#68707a, #98a2ad); }
.matrix thead th:first-child { text-align: left; }
.matrix .upright { vertical-align: bottom; }
.upright span { writing-mode: vertical-rl; rotate: 180deg; }
.s1 { --s: 7%; } .s2 { --s: 14%; } .s3 { --s: 21%; } .s4 { --s: 28%; } .s5 { --s: 35%; }
.s6 { --s: 42%; } .s7 { --s: 49%; } .s8 { --s: 56%; } .s9 { --s: 63%; } .s10 { --s: 70%; }
.matrix td[class] { background: color-mix(in srgb, light-dark(#1a4f8a, #4a7ab0) var(--s), Canvas); }
details { margin: .5rem 0; }
summary { cursor: pointer; }
pre { overflow-x: auto; border: 1px solid var(--line); padding: .75rem; }
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# The style that stands in the page, and nothing else: no script, no picture, no form.
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_PLACES = ("Jobs", "Models", "Errors", "Findings", "Docs")
_VIEWPORT = {"name": "viewport", "content": "width=device-width, initial-scale=1"}


async def wants_page(request: Request, response: Response) -> bool:
    """Whether the client would rather have a page than JSON, as browsers say in the header Accept."""
    response.headers["Vary"] = "Accept"
    return prefers_page(request)


def prefers_page(request: Request) -> bool:
    """The same, for those that set no header of the answer."""
    return prefers(request, "text/html")


WantsPage = Annotated[bool, Depends(wants_page)]


def page_with_form(title: str, *contents: Content, status: int = 200) -> HTMLResponse:
    """The answer with a page of that title whose forms are sent to this server; nobody keeps it."""
    answer = page(title, *contents, status=status)
    answer.headers["Content-Security-Policy"] = _POLICY.replace("form-action 'none'", "form-action 'self'")
    answer.headers["Cache-Control"] = "no-store"
    # Without a referrer, browsers send a form with the origin `null`, as if it came from anywhere.
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def page(title: str, *contents: Content, status: int = 200) -> HTMLResponse:
    """The answer with a page of that title."""
    places = [element("li", link(place, f"/{place.lower()}")) for place in _PLACES]
    places.append(element("li", link("Log in or out", "/login")))
    menu = element("nav", element("ul", *places), aria_label="Places")
    head = together(
        element("meta", charset="utf-8"),
        element("meta", **_VIEWPORT),
        element("title", f"{title} - ML Mini Platform"),
        element("style", Html(_STYLE)),
    )
    main = element("main", element("h1", title), *contents)
    whole = element("html", element("head", head), element("body", element("header", menu), main), lang="en")
    headers = {"Content-Security-Policy": _POLICY, "Vary": "Accept", "Cache-Control": "no-cache"}
    return HTMLResponse(f"<!doctype html>{whole}", status_code=status, headers=headers)


def shown_time(moment: datetime | None) -> Html | None:
    """A moment in UTC, as an element that people and programs can read."""
    if moment is None:
        return None
    text = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return element("time", text, datetime=written(moment))
