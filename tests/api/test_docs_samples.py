"""Samples, examples and links of the docs: complete, and such as the schemas say."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs
import pytest

from api.app import create_app
from api.http.problems import known_codes
from api.http.statuses import status_of
from shared.settings import Settings
from tests.support.record_docs import samples_of_problems
from tests.support.stack import Embedded
from tests.support.wrong_turns import alike, wrong_turns

pytestmark = pytest.mark.any_stack

DOCUMENT: dict[str, Any] = create_app(Settings()).openapi()
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: {"parameters": [], **operation}
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
}
# Generated clients have methods of these names.
NAMES = {
    *(
        "upload_dataset",
        "reread_dataset",
        "list_datasets",
        "get_dataset",
        "delete_dataset",
        "list_dataset_versions",
        "preview_dataset",
        "profile_dataset",
        "compare_dataset_versions",
    ),
    *("train_model", "list_estimators", "get_estimator"),
    *("get_job", "list_jobs", "cancel_job", "retry_job", "follow_job", "read_job_log"),
    *("list_models", "compare_models", "get_model", "annotate_model", "download_artifact", "retire_model"),
    *("erase_model", "report_model", "reproduce_model", "show_model_card"),
    *("promote_model", "predict", "predict_typed", "predict_batch", "download_output"),
    *("v2_server", "v2_live", "v2_ready", "v2_index"),
    *("v2_model", "v2_model_ready", "v2_model_version", "v2_model_version_ready"),
    *("v2_infer", "v2_infer_with_version"),
    *("mlflow_ping", "mlflow_version", "mlflow_invoke"),
    *("get_health", "get_readiness", "get_version", "get_metrics", "list_error_codes", "explain_error_code"),
    *("list_finding_codes", "explain_finding_code"),
    *("log_in", "refresh_tokens", "log_out", "get_me", "change_password", "list_logins", "end_login"),
    *("list_users", "add_user", "change_user", "delete_user"),
    "give_dataset",
    *("list_api_keys", "make_api_key", "revoke_api_key", "list_audit_entries", "export_audit_entries"),
}
# There is no second way to ask for these.
ONE_WAY = {"log_in", "refresh_tokens", "change_password"}
# These have no body, or a file as such.
WITHOUT_SAMPLE = {"204", "304"}
BINARY = "application/octet-stream"


class Sample(NamedTuple):
    """One sample of a response."""

    operation: str
    status: str
    name: str
    schema: dict[str, Any]
    value: Any


def _contents(operation: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (status, kind, content)
        for status, response in OPERATIONS[operation]["responses"].items()
        for kind, content in response.get("content", {}).items()
    ]


SAMPLES = [
    Sample(operation, status, name, content["schema"], sample["value"])
    for operation in OPERATIONS
    for status, kind, content in _contents(operation)
    # The sample of a stream is the text that comes, the schema is that of its events.
    if kind != "text/event-stream"
    for name, sample in content.get("examples", {}).items()
]
# Errors of other protocols have a form of their own.
PROBLEMS = [sample for sample in SAMPLES if int(sample.status) >= 400 and "code" in sample.value]


def test_operations_have_the_names_that_clients_depend_on() -> None:
    assert set(OPERATIONS) == NAMES


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_status_has_a_sample(operation: str) -> None:
    for status, response in OPERATIONS[operation]["responses"].items():
        assert status in WITHOUT_SAMPLE or response["content"], status
    for status, kind, content in _contents(operation):
        if kind != BINARY:
            assert content["examples"], (status, kind)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: "-".join(sample[:3]))
def test_samples_are_what_their_schemas_say(sample: Sample) -> None:
    _check(sample.schema, sample.value)


@pytest.mark.parametrize("sample", PROBLEMS, ids=lambda sample: "-".join(sample[:3]))
def test_samples_of_problems_are_those_of_their_errors(sample: Sample) -> None:
    error = known_codes()[sample.value["code"]]
    assert sample.name == error.code
    assert sample.value["status"] == status_of(error) == int(sample.status)
    assert sample.value["title"] == error.title
    assert sample.value["type"] == f"/errors/{error.code}"
    assert sample.value["detail"].endswith((".", "?"))


@pytest.mark.parametrize("operation", [name for name, each in OPERATIONS.items() if "requestBody" in each])
def test_every_body_has_examples_that_its_schema_takes(operation: str) -> None:
    for kind, content in OPERATIONS[operation]["requestBody"]["content"].items():
        if kind == "multipart/form-data":
            continue
        assert len(content["examples"]) >= (1 if operation in ONE_WAY else 2)
        for example in content["examples"].values():
            assert example["summary"]
            _check(content["schema"], example["value"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_parameters_are_filled_in_with_what_their_schemas_take(operation: str) -> None:
    for parameter in OPERATIONS[operation]["parameters"]:
        if "example" in parameter:
            _check(parameter["schema"], parameter["example"])
        else:
            # The id comes from the answer of the request that began the job.
            assert not parameter["required"] or parameter["name"] == "job_id", parameter["name"]
        assert "null" not in str(parameter["schema"]), parameter["name"]


def test_links_lead_to_operations_and_fill_in_their_parameters() -> None:
    links = [
        link
        for operation in OPERATIONS.values()
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert links
    for link in links:
        known = {parameter["name"] for parameter in OPERATIONS[link["operationId"]]["parameters"]}
        assert set(link.get("parameters", {})) <= known
        assert link["description"].endswith(".")


@pytest.mark.parametrize("operation", [name for name, each in OPERATIONS.items() if "202" in each["responses"]])
def test_every_accepted_request_leads_to_its_job(operation: str) -> None:
    link = OPERATIONS[operation]["responses"]["202"]["links"]["get_job"]
    assert link["parameters"] == {"job_id": "$response.body#/job_id"}


def test_recorded_problems_are_what_the_platform_answers(tmp_path: Path, sqlite_template: Path) -> None:
    recorded = json.loads((files("api.docs") / "problems.json").read_text(encoding="utf-8"))
    with wrong_turns(Embedded(sqlite_template), tmp_path) as answers:
        found = samples_of_problems(answers)
    assert _codes(found) == _codes(recorded)
    for key, samples in found.items():
        for code, sample in samples.items():
            assert alike(sample) == alike(recorded[key][code]), "run `python -m tests.support.record_docs problems`"


def _codes(samples: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    return {key: list(by_code) for key, by_code in samples.items()}


def _check(schema: dict[str, Any], value: Any) -> None:
    jsonschema_rs.validator_for({**schema, "components": DOCUMENT["components"]}).validate(value)
