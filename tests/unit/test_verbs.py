"""What verbs ask of the API, and what they say; each runs in this process, against a server that gives set answers."""

import json
from typing import Any

import pytest

from tests.support.answering import Given, answer, problem, server
from tests.support.command_line import Verb
from tests.support.servers import free_ports

EMPTY = answer(200, {"items": [], "next_cursor": None})
GONE: Given = (204, {}, b"")
JOB: dict[str, Any] = {
    "job_id": "7-a",
    "kind": "train",
    "status": "queued",
    "dataset_name": "iris",
    "request": {},
    "error": None,
    "progress": {"percent": 0, "step": "queued"},
}


ASKED = {
    "estimators": "GET /estimators?limit=200",
    "estimators --task regression --module svm": "GET /estimators?task=regression&module=svm&limit=200",
    "datasets versions iris --limit 3": "GET /datasets/iris/versions?limit=3",
    "datasets versions a/b": "GET /datasets/a%2Fb/versions?limit=20",
    "datasets preview iris": "GET /datasets/iris/preview?rows=20",
    "datasets preview iris --rows 3 --version 2": "GET /datasets/iris/preview?rows=3&version=2",
    "datasets diff iris": "GET /datasets/iris/diff",
    "datasets diff iris --from 1 --to 3": "GET /datasets/iris/diff?from=1&to=3",
    "estimators sklearn.svm.SVC": "GET /estimators/sklearn.svm/SVC",
    "jobs retry 7-a --detach": "POST /jobs/7-a/retry",
    "models list --dataset iris --sort accuracy": "GET /models?sort=accuracy&dataset_name=iris&limit=20",
    "models list --estimator SVC --tag a": "GET /models?estimator=SVC&tag=a&limit=20",
    "models report 3": "GET /models/3/report",
    "models card 3": "GET /models/3/card",
    "models annotate 3 --tag a": "PATCH /models/3",
    "me": "GET /me",
    "users list": "GET /users?limit=20",
    "users teams berta --team fraud": "PATCH /users/berta",
    "datasets give iris --team fraud": "PATCH /datasets/iris",
}


@pytest.mark.parametrize("words", ASKED)
def test_a_verb_asks_for_one_thing(mlmini: Verb, words: str) -> None:
    with server(EMPTY) as api:
        ended = mlmini(*words.split(), "--json", "--url", api.url)
    assert (ended.status, ended.err, ended.document) == (0, "", {"items": [], "next_cursor": None})
    assert [f"{method} {path}" for method, path, _ in api.seen] == [ASKED[words]]


def test_a_retry_is_sent_with_a_key_so_that_it_can_be_repeated(mlmini: Verb) -> None:
    with server(problem(503, **{"Retry-After": "0.1"}), answer(202, JOB)) as api:
        assert mlmini("jobs", "retry", "7-a", "--detach", "--url", api.url).status == 0
    (first, second) = [key for _, _, key in api.seen]
    assert first == second
    assert first


def test_a_verb_waits_as_long_as_the_api_asks_for_where_there_were_too_many_requests(mlmini: Verb) -> None:
    limited = problem(429, code="rate_limited", **{"Retry-After": "0.1"})
    with server(limited, EMPTY) as api:
        ended = mlmini("jobs", "list", "--json", "--url", api.url)
    assert (ended.status, ended.document, len(api.seen)) == (0, {"items": [], "next_cursor": None}, 2)
    assert "takes no more requests for now; trying again in 0.1 s" in ended.err


def test_a_quota_that_is_used_up_is_told_at_once(mlmini: Verb) -> None:
    with server(problem(429, code="quota_reached", **{"Retry-After": "0.1"}), EMPTY) as api:
        assert mlmini("jobs", "retry", "7-a", "--detach", "--url", api.url).status == 1
    assert len(api.seen) == 1


def test_who_asks_is_told_what_they_may_have_and_what_they_have(mlmini: Verb) -> None:
    limits = {
        "requests_per_minute": 600,
        "predictions_per_minute": None,
        "jobs": {"used": 3, "limit": 10},
        "running_jobs": {"used": 1, "limit": None},
        "stored_bytes": {"used": 1_500_000, "limit": 1_048_576_000},
    }
    me = {"name": "anna", "role": "trainer", "permissions": ["read", "train"], "via": "key", "limits": limits}
    with server(answer(200, me), answer(200, me | {"limits": None})) as api:
        shown = [mlmini("me", "--url", api.url).out for _ in range(2)]
    for words in ("anna", "read, train", "600", "any number", "3 of 10", "1.5 MB of 1.0 GB"):
        assert words in shown[0]
    assert ("anna" in shown[1], "jobs" in shown[1]) == (True, False)


def test_a_retry_waits_for_the_new_job_and_fails_with_it(mlmini: Verb) -> None:
    ended = JOB | {"status": "failed", "error": {"code": "x", "message": "POST /jobs/7-a/retry runs it again."}}
    with server(answer(202, JOB), answer(200, ended)) as api:
        shown = mlmini("jobs", "retry", "7-a", "--url", api.url)
    assert shown.status == 1
    assert "train iris: failed" in shown.err
    assert "The job 7-a ended as failed (x): `mlmini jobs retry 7-a` runs it again." in shown.err


@pytest.mark.parametrize(
    ("words", "path", "done"),
    [([], "/datasets/iris", "deleted"), (["--archive"], "/datasets/iris?archive=true", "archived")],
)
def test_a_deletion_says_what_was_done(mlmini: Verb, words: list[str], path: str, done: str) -> None:
    with server(GONE) as api:
        shown = mlmini("datasets", "delete", "iris", *words, "--url", api.url)
        as_json = mlmini("datasets", "delete", "iris", *words, "--json", "--url", api.url)
    assert [request[:2] for request in api.seen] == [("DELETE", path)] * 2
    assert (shown.status, shown.err) == (0, "")
    assert shown.out.startswith(f"Dataset iris is {done}.")
    assert as_json.document == {"name": "iris", "done": done}


def test_a_deletion_is_sent_once(mlmini: Verb) -> None:
    with server(problem(503)) as api:
        assert mlmini("datasets", "delete", "iris", "--url", api.url).status == 1
    assert len(api.seen) == 1


def test_a_model_of_another_dataset_is_not_retired(mlmini: Verb) -> None:
    with server(answer(200, {"dataset_name": "wine"})) as api:
        ended = mlmini("retire", "iris", "1", "dev", "--url", api.url)
    assert (ended.status, ended.out, len(api.seen)) == (1, "", 1)
    assert "Version 1 is a model of 'wine', not of 'iris', so nothing was retired." in ended.err


@pytest.mark.parametrize("words", [["--url", "{}", "jobs", "list"], ["jobs", "--url={}", "list"]])
def test_the_url_may_stand_before_the_verb(mlmini: Verb, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setenv("MLMINI_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    with server(EMPTY) as api:
        assert mlmini(*(word.format(api.url) for word in words)).status == 0
    assert len(api.seen) == 1


def test_the_url_behind_the_verb_goes_before_the_one_in_front(mlmini: Verb) -> None:
    with server(EMPTY) as api:
        mlmini("--url", f"http://127.0.0.1:{free_ports(1)[0]}", "jobs", "list", "--url", api.url)
    assert len(api.seen) == 1


def test_hints_of_the_api_name_verbs_and_its_json_is_as_it_was(mlmini: Verb) -> None:
    status, headers, _ = problem(404)
    detail = "There is no job 'x'. GET /jobs lists the jobs."
    with server((status, headers, json.dumps({"code": "unknown_job", "detail": detail}).encode())) as api:
        ended = mlmini("jobs", "show", "x", "--json", "--url", api.url)
    assert "There is no job 'x'. `mlmini jobs list` lists the jobs." in ended.err
    assert ended.document["detail"] == detail


WRONG = {
    "a dataset given to nobody": ("datasets give iris", "with --team, --no-team or --owner"),
    "a dataset given and taken": ("datasets give iris --team a --no-team", "but not both"),
    "a user in teams and in none": ("users teams berta --team a --no-teams", "or none with --no-teams"),
    "an annotation without anything": ("models annotate 3", "with --tag, --no-tags, --note or --no-note"),
    "tags and no tags": ("models annotate 3 --tag a --no-tags", "not both of a pair"),
    "a note and no note": ("models annotate 3 --note a --no-note", "not both of a pair"),
    "a word for a number": ("models show one", "Invalid value for 'VERSION': It must be a whole number, not 'one'."),
    "a number out of range": ("jobs list --limit 0", "'--limit': It must be greater than or equal to 1, not '0'."),
    "a word for a share": ("train x --model a.b --test-size x", "'--test-size': It must be a number, not 'x'."),
    "an estimator without a module": ("estimators SVC", "`mlmini estimators` lists them"),
    "the order of before": ("retire 1 production", "'production' is not a version, which is a whole number. The order"),
    "a URL for this machine": ("--url http://127.0.0.1:1 fsck", "'fsck' takes no --url"),
    "a URL for no such verb": ("--url http://127.0.0.1:1 fsk", "Did you mean 'fsck'?"),
    "no URL": ("--url", "--url"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_is_told_in_plain_words(mlmini: Verb, name: str) -> None:
    words, sentence = WRONG[name]
    ended = mlmini(*words.split())
    assert (ended.status, ended.out) == (2, "")
    assert sentence in ended.err


INNER = {"module": "svm", "class": "SVC", "params": {"C": 2}}
BAGS = {"module": "ensemble", "class": "BaggingClassifier"}
MODELS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "a name": (["--model", "svm.SVC", "--param", "C=2"], INNER),
    "a name with a model as parameter": (
        ["--model", "ensemble.BaggingClassifier", "--param", f"estimator={json.dumps(INNER)}"],
        BAGS | {"params": {"estimator": INNER}},
    ),
    "JSON": (["--model", json.dumps(BAGS | {"params": {"estimator": INNER}})], BAGS | {"params": {"estimator": INNER}}),
    "JSON with parameters beside it": (
        ["--model", json.dumps(INNER), "--param", "C=3", "--param", "gamma=auto"],
        INNER | {"params": {"C": 3, "gamma": "auto"}},
    ),
    "JSON that the API judges": (["--model", '{"module": "svm"}'], {"module": "svm", "params": {}}),
}


@pytest.mark.parametrize(("words", "model"), MODELS.values(), ids=MODELS)
def test_a_model_is_given_by_name_or_as_json(mlmini: Verb, words: list[str], model: dict[str, Any]) -> None:
    with server(answer(202, JOB)) as api:
        assert mlmini("train", "iris", "--target", "species", *words, "--detach", "--url", api.url).status == 0
    assert json.loads(api.bodies[0])["model"] == model


SVC = {"module": "svm", "class": "SVC", "params": {}}


@pytest.mark.parametrize(
    ("words", "models"),
    [(["--model", "svm.SVC", "--model", json.dumps(INNER)], [SVC, INNER]), (["--models", "auto"], "auto")],
)
def test_several_models_are_named_one_by_one_or_by_a_word(mlmini: Verb, words: list[str], models: Any) -> None:
    with server(answer(202, JOB)) as api:
        assert mlmini("train", "iris", "--target", "species", *words, "--detach", "--url", api.url).status == 0
    request = json.loads(api.bodies[0])
    assert (request["models"], "model" in request) == (models, False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--model, once or several times, or with --models auto"),
        (["--model", "svm.SVC", "--models", "auto"], "--model, once or several times, or with --models auto"),
        (["--model", "svm.SVC", "--model", "svm.NuSVC", "--param", "C=2"], "--param is for one --model"),
        (["--models", "auto", "--param", "C=2"], "--param is for one --model"),
        (["--model", '{"module": '], "--model begins like JSON, but is none"),
        (["--model", '{"params": [1]}', "--param", "C=2"], "'params' of the model must be an object"),
    ],
)
def test_what_is_no_model_is_wrong_usage(mlmini: Verb, words: list[str], said: str) -> None:
    ended = mlmini("train", "iris", *words, "--url", "http://127.0.0.1:1")
    assert ended.status == 2
    assert said in ended.err
