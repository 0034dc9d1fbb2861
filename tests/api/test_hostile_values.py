"""Values that mean something to what they pass through on the way: addresses, JSON, SQL, headers, the log."""

from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from api.access.rules import RULES, Need
from shared.accounts.permissions import Permission
from shared.settings import Settings
from tests.support.api_server import serving
from tests.support.raw_http import exchange

pytestmark = pytest.mark.any_stack

LOOKING = {Permission.READ, Permission.PREDICT, Permission.MANAGE}


@pytest.mark.asvs("1.1.1")
def test_an_address_is_decoded_once(api_settings: Settings) -> None:
    # A real server, because the client of tests decodes what it sends.
    with serving(api_settings) as (url, _):
        once, twice, query = (
            exchange(url, f"GET {target} HTTP/1.1", "Host: localhost")
            for target in ("/errors/%6eot_found", "/errors/%256eot_found", "/jobs?status=%2571ueued")
        )
    assert (once.status, once.document["code"]) == (200, "not_found")
    assert twice.status == 404
    assert "'%6eot_found'" in twice.document["detail"]
    assert query.status == 422


@pytest.mark.asvs("1.2.3")
@pytest.mark.parametrize("name", ['"},"code":"other', "\\", "</script><script>", "\u2028", "'"])
def test_a_value_does_not_leave_its_place_in_json(one_client: TestClient, name: str) -> None:
    answer = one_client.get(f"/datasets/{quote(name, safe='')}")
    assert answer.json()["code"] in {"unknown_dataset", "not_found"}
    assert answer.headers["Content-Type"] == "application/problem+json"
    tried = one_client.get("/jobs", params={name: "1"}).json()
    assert len(tried["errors"]) == 1
    assert tried["code"] == "invalid_request"


@pytest.mark.asvs("1.2.4")
def test_a_value_does_not_become_sql(client: TestClient) -> None:
    table = b"a,b\n" + b"".join(b"%d,%d\n" % (n, n) for n in range(20))
    client.post("/datasets/upload", files={"file": ("iris.csv", table)}).raise_for_status()
    body = {"dataset_name": "iris", "target_column": "b", "model": {"module": "dummy", "class": "DummyRegressor"}}
    assert client.post("/train", json=body).status_code == 202
    for value in ("x' OR '1'='1", "x'; DROP TABLE jobs; --", 'x" OR 1=1 --', "%", "_", "iris' --"):
        assert client.get("/jobs", params={"owner": value}).json()["items"] == []
        assert client.get("/jobs", params={"dataset_name": value}).status_code == 404
        assert client.get("/models", params={"tag": value}).json().get("items", []) == []
        assert client.get(f"/datasets/{quote(value, safe='')}").status_code == 404
    assert len(client.get("/jobs").json()["items"]) == 1


@pytest.mark.asvs("4.1.1")
@pytest.mark.parametrize(
    "path", ["/metrics", "/docs", "/login", "/openapi.json", "/healthz", "/nothing", "/audit/export", "/errors"]
)
def test_texts_tell_their_encoding(one_client: TestClient, path: str) -> None:
    for accept in ("text/html", "application/json"):
        answer = one_client.get(path, headers={"Accept": accept})
        kind, _, parameters = answer.headers["Content-Type"].partition(";")
        text = answer.content.decode("utf-8")
        assert kind.startswith("application/") or "charset=utf-8" in parameters
        assert (kind == "text/html") is text.startswith("<!doctype html>")
        assert not kind.endswith("json") or text[:1] in "{["


@pytest.mark.asvs("3.5.3")
def test_what_changes_something_has_another_method_than_get() -> None:
    for address, needed in RULES.items():
        if address.startswith("GET "):
            assert isinstance(needed, Need) or needed <= LOOKING, address


@pytest.mark.asvs("13.4.4")
@pytest.mark.parametrize("path", ["/", "/datasets", "/nothing"])
def test_a_trace_is_refused_and_tells_nothing_of_the_request(one_client: TestClient, path: str) -> None:
    answer = one_client.request("TRACE", path, headers={"X-API-Key": "mlm_secret"}, follow_redirects=False)
    assert answer.status_code in {404, 405}
    assert "mlm_secret" not in answer.text


@pytest.mark.asvs("13.4.3")
@pytest.mark.parametrize("path", ["/docs/", "/docs/assets", "/docs/assets/", "/datasets/", "/models/"])
def test_no_folder_is_listed(one_client: TestClient, path: str) -> None:
    assert one_client.get(path, follow_redirects=False).status_code == 404


@pytest.mark.asvs("16.3.3")
def test_requests_that_controls_refuse_are_in_the_log(one_client: TestClient) -> None:
    with capture_logs() as logs:
        one_client.post("/train", headers={"Origin": "http://evil.example"})
        one_client.get("/datasets", headers={"Host": "evil.example"})
        one_client.get("/jobs", params={"zzz": "1"})
    told = [(line["path"], line["status"]) for line in logs if line["event"] == "request"]
    assert ("/train", 403) in told
    assert ("/jobs", 422) in told
    assert ("/datasets", 421) in told
