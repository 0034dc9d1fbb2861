"""The walk through the API, with the requests that its documentation proposes, as they stand."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx2

from api.docs.access_requests import OWN_PASSWORDS
from api.docs.requests import BODIES
from api.http.form_body import FORM
from shared.datasets.examples import EXAMPLES
from tests.support.site import SLOW
from tests.support.waiting import eventually

WALK_SECONDS = 60
# A table of one's own, small enough to read in the docs.
FLOWERS = "petal_length,petal_width,species\n" + "".join(
    f"{1.3 + 0.02 * n:.2f},{0.2 + 0.01 * n:.2f},setosa\n{4.1 + 0.03 * n:.2f},{1.2 + 0.02 * n:.2f},versicolor\n"
    for n in range(30)
)


class Step(NamedTuple):
    """One request and its answer."""

    operation: str
    name: str
    answer: httpx2.Response


class Walk:
    """Sends requests by the names of their operations, filled in as Swagger UI does it."""

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client
        document = client.get("/openapi.json").raise_for_status().json()
        self.operations: dict[str, tuple[str, str, dict[str, Any]]] = {
            operation["operationId"]: (method, path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }

    def wait_for_examples(self) -> None:
        """Return when the bundled examples are in the catalog, as they are soon after the first start."""

        def names() -> set[str]:
            return {item["name"] for item in self.client.get("/datasets").json()["items"]}

        eventually(lambda: names() >= set(EXAMPLES), timeout=WALK_SECONDS)

    def steps(self) -> Iterator[Step]:
        """Every operation and every named example but those of accounts, each when what it needs is there."""
        yield from self._upload()
        yield from map(self.one, ("list_datasets", "get_dataset", "list_dataset_versions", "preview_dataset"))
        yield self.one("profile_dataset", target="target")
        yield from map(self.one, ("list_estimators", "get_estimator"))
        yield from self._train()
        yield from map(self.one, ("list_models", "get_model", "report_model", "compare_models", "download_artifact"))
        yield self.one("show_model_card")
        yield from self._job(self.one("reproduce_model"))
        for name in BODIES["promote_model"]:
            yield from self._job(self.one("promote_model", name))
        for name in BODIES["predict"]:
            yield self.one("predict", name)
        for name in BODIES["predict_typed"]:
            yield self.one("predict_typed", name)
        yield from self._other_protocols()
        yield from self._predict_batch()
        for name in BODIES["annotate_model"]:
            yield self.one("annotate_model", name)
        for name in BODIES["retire_model"]:
            yield self.one("retire_model", name)
        yield self.one("retire_model", "from_dev", version=4)
        yield self.one("erase_model")
        yield from self._reread()
        yield self.one("compare_dataset_versions")
        yield self.one("delete_dataset")
        yield from map(self.one, ("list_jobs", "get_health", "get_readiness", "get_version", "get_metrics"))
        yield from map(self.one, ("list_error_codes", "explain_error_code"))
        yield from map(self.one, ("list_finding_codes", "explain_finding_code"))

    def one(self, operation: str, name: str = "", /, **values: Any) -> Step:
        """Send one request: with the named body, with the examples of the parameters, and with these `values`."""
        method, path, described = self.operations[operation]
        examples = {parameter["name"]: parameter.get("example") for parameter in described.get("parameters", [])}
        query = {}
        for parameter in described.get("parameters", []):
            value = values.get(parameter["name"], examples[parameter["name"]])
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", str(value))
            elif value is not None:
                query[parameter["name"]] = value
        body: dict[str, Any] = {}
        if name:
            (kind, content), *_ = described["requestBody"]["content"].items()
            body["data" if kind == FORM else "json"] = content["examples"][name]["value"]
        return Step(operation, name, self.client.request(method, path, params=query, **body))

    def _other_protocols(self) -> Iterator[Step]:
        asked = ("v2_server", "v2_live", "v2_ready", "v2_model", "v2_model_version", "v2_model_ready")
        yield from map(self.one, (*asked, "v2_model_version_ready"))
        yield from map(self.one, ("mlflow_ping", "mlflow_version"))
        for operation in ("v2_infer", "v2_infer_with_version", "v2_index", "mlflow_invoke"):
            for name in BODIES[operation]:
                yield self.one(operation, name)

    def steps_of_accounts(self) -> Iterator[Step]:
        """The operations that are left, the last of all: they close the door behind the first user."""
        first, *others = BODIES["add_user"]
        yield self.one("get_me")
        yield self.one("add_user", first)
        eventually(lambda: self.client.get("/me").status_code == 401, timeout=WALK_SECONDS)
        login = self.one("log_in", "anna")
        yield login
        tokens = {"refresh_token": login.answer.json()["refresh_token"]}
        refreshed = self.client.post("/auth/refresh", json=tokens)
        yield Step("refresh_tokens", "next", refreshed)
        self.client.headers["Authorization"] = f"Bearer {refreshed.json()['access_token']}"
        for operation, names in (
            ("add_user", others),
            ("change_user", BODIES["change_user"]),
            ("give_dataset", BODIES["give_dataset"]),
        ):
            yield from (self.one(operation, name) for name in names)
        yield from (self.one("make_api_key", name) for name in BODIES["make_api_key"])
        yield from map(self.one, ("list_users", "list_api_keys", "revoke_api_key", "delete_user"))
        yield from map(self.one, ("list_audit_entries", "export_audit_entries"))
        self.client.post("/auth/token", data=BODIES["log_in"]["anna"]["value"]).raise_for_status()
        listed = self.one("list_logins")
        yield listed
        other = next(login["id"] for login in listed.answer.json()["items"] if not login["current"])
        yield self.one("end_login", login_id=other)
        changed = self.one("change_password", "another")
        assert changed.answer.is_success, changed.answer.text
        yield changed
        again = {"username": "anna", "password": OWN_PASSWORDS["another"]["value"]["password"]}
        token = self.client.post("/auth/token", data=again).raise_for_status().json()["access_token"]
        self.client.headers["Authorization"] = f"Bearer {token}"
        yield self.one("log_out")

    def _upload(self) -> Iterator[Step]:
        for name, query in {"dry_run": {"dry_run": True}, "first": {}, "again": {}}.items():
            file = {"file": ("flowers.csv", FLOWERS)}
            yield Step("upload_dataset", name, self.client.post("/datasets/upload", files=file, params=query))

    def _reread(self) -> Iterator[Step]:
        first, *others = BODIES["reread_dataset"]
        yield self.one("reread_dataset", first, dry_run=True)
        for name in (first, first, *others):
            yield self.one("reread_dataset", name)

    def _train(self) -> Iterator[Step]:
        for name in BODIES["train_model"]:
            yield self.one("train_model", name, dry_run=True)
            yield from self._job(self.one("train_model", name))
        model = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimator": 10}}
        typos = {"dataset_name": "iris", "model": model, "target_column": "targets"}
        yield Step("train_model", "two_typos", self.client.post("/train?dry_run=true", json=typos))
        first = self.client.get("/jobs").json()["items"][-1]["job_id"]
        yield from (self.one(operation, job_id=first) for operation in ("follow_job", "read_job_log"))
        yield from self._job(self.one("retry_job", job_id=first))
        body = {"dataset_name": "iris", "target_column": "target", "model": SLOW}
        slow = self.client.post("/train", json=body).json()["job_id"]
        yield from self._job(self.one("cancel_job", job_id=slow))

    def _predict_batch(self) -> Iterator[Step]:
        for name in BODIES["predict_batch"]:
            accepted = self.one("predict_batch", name)
            yield from self._job(accepted)
            yield self.one("download_output", job_id=accepted.answer.json()["job_id"])

    def _job(self, accepted: Step) -> Iterator[Step]:
        yield accepted
        job_id = accepted.answer.json()["job_id"]

        def end() -> Step | None:
            step = self.one("get_job", job_id=job_id, wait=20)
            return None if step.answer.json()["finished_at"] is None else step

        ended = eventually(end, timeout=WALK_SECONDS)
        assert ended is not None
        yield ended


def body_of(answer: httpx2.Response) -> Any:
    """What an answer says: JSON as such, other text as text, and nothing of files."""
    if not answer.content:
        return None
    kind = answer.headers.get("content-type", "")
    if kind.startswith("application/json"):
        return json.loads(answer.content)
    return answer.text if kind.startswith("text/") else None
