"""Small pages for browsers; programs get JSON at the same addresses."""

import base64
import hashlib
import re
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import update

from api.lifespan import Parts
from api.pages.frame import quality
from api.pages.markup import element, link, together
from shared.registry.notes import put_note, put_tags
from shared.registry.rows import RegistryRow
from tests.support.jobs import add_job, fail_job, finish_job
from tests.support.models import Platform

pytestmark = pytest.mark.any_stack

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SCRIPT = "<script>alert('x')</script>\"'&"


def furnish(parts: Parts, folder: Path) -> Platform:
    """A model whose note is a script, and a job that failed with one."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    platform.train(platform.dataset())
    with platform.database.write() as session:
        put_tags(session, 1, ["baseline"])
        put_note(session, 1, SCRIPT)
        session.execute(update(RegistryRow).values(parameters={SCRIPT: SCRIPT}, target=SCRIPT))
    finish_job(platform.database, add_job(platform.database), {"version": 1, "stage": "staging"})
    failed = add_job(platform.database, dataset_name="flowers", request={"target_column": SCRIPT})
    fail_job(platform.database, failed, message=SCRIPT)
    return platform


def browse(client: TestClient, path: str) -> Response:
    answer = client.get(path, headers={"Accept": FIREFOX})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return answer


def failed_job(client: TestClient) -> str:
    job_id: str = client.get("/jobs?status=failed").json()["items"][0]["job_id"]
    return job_id


HTML = [FIREFOX, "text/html", "TEXT/HTML", "text/*", "application/json;q=0.5, text/html;q=0.9", "text/html, */*;q=0.1"]
JSON = [
    None,
    "",
    "*/*",
    "application/json",
    "application/json, text/html",
    "application/json, text/plain, */*",
    "text/html;q=0.5, application/json",
    "text/html;q=0.5, */*",
    "text/html;q=0, */*;q=0.1",
    "text/html;q=high",
    "text/*;q=0.3, application/*;q=0.4",
    "nonsense",
]


@pytest.mark.parametrize("accept", HTML)
@pytest.mark.parametrize("path", ["/jobs", "/errors/unknown_column"])
def test_who_prefers_a_page_gets_one(one_client: TestClient, path: str, accept: str) -> None:
    answer = one_client.get(path, headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Vary"] == "Accept"


@pytest.mark.parametrize("accept", JSON)
@pytest.mark.parametrize("path", ["/jobs", "/errors/unknown_column"])
def test_everybody_else_gets_json(one_client: TestClient, path: str, accept: str | None) -> None:
    if accept is None:
        one_client.headers.pop("accept", None)
    answer = one_client.get(path, headers={} if accept is None else {"Accept": accept})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Vary"] == "Accept"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_closest_of_several_ranges_decides() -> None:
    accept = "text/*;q=0.3, text/html;q=0.7, */*;q=0.5"
    assert [quality(accept, kind) for kind in ("text/html", "text/plain", "image/png")] == [0.7, 0.3, 0.5]


PAGES = ["/jobs", "/jobs?status=failed&kind=promote&dataset_name=flowers", "/models/1", "/errors", "/errors/fit_failed"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_may_load_and_run_nothing_and_brings_its_own_style(
    one_client: TestClient, one_platform: Platform, path: str
) -> None:
    answer = browse(one_client, path)
    policy = answer.headers["Content-Security-Policy"]
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "script-src" not in policy
    assert re.search(r"<(script|img|iframe|form|link)|style=|\son\w+=|https?://", answer.text) is None
    assert '<html lang="en">' in answer.text
    assert len(re.findall(r"<h1>", answer.text)) == 1


def test_whatever_clients_named_is_shown_as_text(one_client: TestClient, one_platform: Platform) -> None:
    for path in ("/models/1", f"/jobs/{failed_job(one_client)}"):
        text = browse(one_client, path).text
        assert "<script" not in text
        assert SCRIPT in unescape(text)


def test_elements_escape_contents_and_attributes() -> None:
    assert link('"><script>', '/jobs?a="b"') == '<a href="/jobs?a=&quot;b&quot;">&quot;&gt;&lt;script&gt;</a>'
    assert together("<", element("b", "&", None)) == "&lt;<b>&amp;</b>"


def test_jobs_are_narrowed_by_links_that_keep_the_other_filters(one_client: TestClient, one_platform: Platform) -> None:
    text = unescape(browse(one_client, "/jobs?kind=promote&limit=1").text)
    assert '<a href="/jobs?kind=promote&status=failed">failed</a>' in text
    assert '<a href="/jobs?kind=promote" aria-current="true">promote</a>' in text
    assert f'<a href="/jobs/{failed_job(one_client)}">' in text
    assert '<a href="/jobs?kind=promote&dataset_name=flowers">flowers</a>' in text
    older = re.search(r'href="(/jobs\?cursor=[^"]+)">Older jobs', unescape(browse(one_client, "/jobs?limit=1").text))
    assert older is not None
    assert '<a href="/models/1">model 1</a>' in browse(one_client, older[1]).text
    assert "There are no such jobs." in browse(one_client, "/jobs?status=quarantined").text


def test_every_link_of_every_page_leads_somewhere(one_client: TestClient, one_platform: Platform) -> None:
    seen = {*PAGES, f"/jobs/{failed_job(one_client)}"}
    links = {unescape(found) for path in seen for found in re.findall(r'href="([^"]+)"', browse(one_client, path).text)}
    assert len(links) > 50
    for path in sorted(links):
        assert one_client.get(path).status_code == 200, path


def test_a_problem_stays_json_for_browsers_too(one_client: TestClient) -> None:
    answer = one_client.get("/errors/nothing", headers={"Accept": FIREFOX})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
