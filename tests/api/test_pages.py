"""Small pages for browsers; programs get JSON at the same addresses."""

import base64
import hashlib
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import update

from api.pages.markup import element, link, together
from api.parts import Parts
from shared.registry.deployments import retire
from shared.registry.erasure import erase_model
from shared.registry.notes import put_note, put_tags
from shared.registry.rows import RegistryRow
from tests.support.jobs import add_job, fail_job, finish_job
from tests.support.models import Platform

pytestmark = pytest.mark.any_stack

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SCRIPT = "<script>alert('x')</script>\"'&"


METRICS = {"accuracy": 0.91234567, "support": 30}
BASELINE = {"accuracy": 0.34567891}
SIGNATURE: dict[str, Any] = {
    "inputs": [
        {"name": "town", "kind": "category", "missing_allowed": True, "categories": [f"town {n}" for n in range(3000)]},
        *({"name": f"number {n}", "kind": "number", "missing_allowed": False} for n in range(1, 500)),
        {"name": "row_id", "kind": "integer", "missing_allowed": True, "categories": None},
    ],
    "classes": [f"class {n}" for n in range(40)],
}
REPORT: dict[str, Any] = {
    "rows": {"total": 1127, "without_target": 7, "training": 1000, "test": 120},
    "baseline": {"metrics": BASELINE},
    "notes": [f"Few rows of a class: {SCRIPT}"],
    "columns": [
        {"column": "town", "kind": "category", "role": "category", "treatment": "becomes numbers"},
        {
            "column": "row_id",
            "kind": "integer",
            "role": "left_out",
            "treatment": "left out: every value is another one",
        },
    ],
}


def furnish(parts: Parts, folder: Path) -> Platform:
    """A model whose note is a script, one that was erased, and a job that failed with a script."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    iris = platform.dataset()
    erased = [platform.train(iris), platform.train(iris)][1]
    with platform.database.write() as session:
        retire(session, version=erased, stage="dev", reason=None, stages=parts.settings.stages, replace_target=False)
        erase_model(session, erased, stages=parts.settings.stages, actor="test")
    with platform.database.write() as session:
        put_tags(session, 1, ["baseline"])
        put_note(session, 1, SCRIPT)
        session.execute(
            update(RegistryRow).values(
                parameters={SCRIPT: SCRIPT, "class_weight": list(range(1000))},
                target=SCRIPT,
                metrics=METRICS,
                report=REPORT,
                signature=SIGNATURE,
            )
        )
    made = {"version": 1, "stage": "staging", "metrics": METRICS, "baseline": BASELINE, "notes": REPORT["notes"]}
    left_out = [{"column": "row_id", "reason": "every value is another one"}]
    finish_job(platform.database, add_job(platform.database), {**made, "left_out": left_out})
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


PAGES = [
    *("/jobs", "/jobs?status=failed&kind=promote&dataset_name=flowers"),
    *("/models", "/models?dataset_name=iris&stage=dev&sort=accuracy&tag=baseline", "/models/1", "/models/1/report"),
    *("/errors", "/errors/fit_failed", "/findings", "/findings/gap_word"),
]


@pytest.mark.asvs("3.4.3", "7.4.4", "14.2.3")
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
    assert "object-src 'none'; base-uri 'none'" in policy
    assert "script-src" not in policy
    assert re.search(r"<(script|img|iframe|form|link)|style=|\son\w+=|https?://", answer.text) is None
    assert '<html lang="en">' in answer.text
    assert len(re.findall(r"<h1>", answer.text)) == 1
    assert '<a href="/login">Log in or out</a>' in answer.text


@pytest.mark.asvs("1.2.1", "1.3.5", "3.2.2")
def test_whatever_clients_named_is_shown_as_text(one_client: TestClient, one_platform: Platform) -> None:
    for path in ("/models/1", "/models/1/report", f"/jobs/{failed_job(one_client)}"):
        text = browse(one_client, path).text
        assert "<script" not in text
        assert SCRIPT in unescape(text)


@pytest.mark.asvs("1.1.2")
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


def rows_of(text: str, caption: str) -> list[list[str]]:
    """The cells of each row of the table of this caption."""
    (table,) = (each for each in re.findall(r"<table>.*?</table>", text) if f"<caption>{caption}<" in each)
    return [
        [unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", table)
    ][1:]


@pytest.mark.parametrize("made_by_a_job", [False, True])
def test_what_a_model_is_worth_is_told_with_its_doubts(
    one_client: TestClient, one_platform: Platform, *, made_by_a_job: bool
) -> None:
    jobs = one_client.get("/jobs?status=succeeded").json()["items"]
    (job,) = (each["job_id"] for each in jobs if "metrics" in (each["result"] or {}))
    text = browse(one_client, f"/jobs/{job}" if made_by_a_job else "/models/1").text
    assert rows_of(text, "Metrics") == [["accuracy", "0.9123", "0.3457"], ["support", "30", ""]]
    assert rows_of(text, "Columns that were left out") == [["row_id", "every value is another one"]]
    assert f"<li>Few rows of a class: {SCRIPT}</li>" in unescape(text)


def test_a_model_says_how_many_rows_it_learned_from(one_client: TestClient, one_platform: Platform) -> None:
    said = "1,000 to learn from, 120 to measure on; 7 without a target left out"
    assert said in browse(one_client, "/models/1").text


def test_a_model_of_many_columns_and_categories_has_a_short_page(
    one_client: TestClient, one_platform: Platform
) -> None:
    text = browse(one_client, "/models/1").text
    inputs = rows_of(text, "What it takes, in the order of features")
    first = ", ".join(f"town {n}" for n in range(10))
    assert inputs[0] == ["town", "category", "yes", f"{first} and 2,990 more", "becomes numbers"]
    assert (len(inputs), "401 more columns are in the JSON" in text) == (100, True)
    assert "class 9 and 30 more" in text
    assert "class_weight" in text
    assert "and 950 more" in text
    assert len(text) < 30_000


def test_models_are_narrowed_by_links_that_keep_the_other_filters(
    one_client: TestClient, one_platform: Platform
) -> None:
    text = unescape(browse(one_client, "/models?tag=baseline&sort=accuracy&limit=1").text)
    assert '<a href="/models?tag=baseline&sort=accuracy&stage=staging">staging</a>' in text
    assert '<a href="/models?sort=accuracy">all</a>' in text
    assert '<a href="/models?tag=baseline">none</a>' in text
    assert '<a href="/models/1">1</a>' in text
    assert "accuracy 0.9123" in text
    assert "There are no such models." in browse(one_client, "/models?stage=production").text


def test_an_erased_job_says_so(one_client: TestClient, one_platform: Platform) -> None:
    (job_id,) = (each["job_id"] for each in one_client.get("/jobs").json()["items"] if each["erased_at"])
    text = browse(one_client, f"/jobs/{job_id}").text
    assert "<dt>Erased</dt>" in text
    assert "were erased with the data" in text
    assert "<h2>Request</h2>" not in text


WRONG = {
    "/jobs/zzz": 404,
    "/models/9": 404,
    "/models/x": 404,
    "/models/1/artifact?stage=nowhere": 422,
    "/errors/nope": 404,
    "/findings/nope": 404,
    "/jobs?status=foo": 422,
    "/jobs?status=foo&limit=0": 422,
    "/models?nothing=1": 422,
    "/train": 405,
    f"/{SCRIPT}": 404,
}


@pytest.mark.parametrize("path", WRONG)
def test_a_browser_gets_a_problem_as_a_page(one_client: TestClient, one_platform: Platform, path: str) -> None:
    asked = one_client.get(path)
    answer = one_client.get(path, headers={"Accept": FIREFOX})
    assert asked.status_code == answer.status_code == WRONG[path]
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert asked.headers["Vary"] == answer.headers["Vary"] == "Accept"
    assert asked.headers.get("Allow") == answer.headers.get("Allow")
    problem, text = asked.json(), unescape(answer.text)
    assert problem["detail"] in text
    for each in problem.get("errors", [])[1:]:
        assert each["msg"] in text
    assert one_client.get(f"/errors/{problem['code']}").json()["hint"] in text
    assert f'<a href="/errors/{problem["code"]}">' in text
    assert answer.headers["X-Request-ID"] in text
    assert "<script" not in answer.text
    assert "sha256-" in answer.headers["Content-Security-Policy"]


def test_an_erased_model_is_told_to_a_browser(one_client: TestClient, one_platform: Platform) -> None:
    answer = one_client.get("/models/2", headers={"Accept": FIREFOX})
    assert (answer.status_code, answer.headers["Content-Type"]) == (410, "text/html; charset=utf-8")
    assert "version 2 was erased on" in answer.text


def test_a_page_is_for_looking_only(one_client: TestClient) -> None:
    answer = one_client.post("/models/9/retire", headers={"Accept": FIREFOX}, json={"stage": "dev"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
