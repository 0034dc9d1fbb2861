"""What verbs say of the API's answers; each runs in this process, against a server that gives set answers."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.actions.annotating import annotation
from cli.actions.holding import holders, membership
from cli.actions.written_file import is_written_to
from cli.render.jobs import title
from tests.support.answering import answer, server
from tests.support.command_line import Verb
from tests.support.servers import free_ports

EMPTY = answer(200, {"items": [], "next_cursor": None})
ERASED_AT = "2026-01-31T12:00:00.000000Z"
JOB: dict[str, Any] = {
    "job_id": "7-a",
    "kind": "train",
    "status": "succeeded",
    "progress": {"percent": 100, "step": "done"},
    "dataset_name": "iris",
    "attempts": 1,
    "request": {"target_column": "species", "test_size": 0.123456},
    "result": {
        "version": 3,
        "stage": "dev",
        "artifact_path": "iris_model_dev_v3.pkl",
        "metrics": {"accuracy": 0.96666},
        "baseline": {"accuracy": 0.33333},
    },
    "error": None,
    "created_at": ERASED_AT,
    "started_at": ERASED_AT,
    "finished_at": ERASED_AT,
    "erased_at": None,
}
GONE = JOB | {"request": {}, "result": None, "erased_at": ERASED_AT}
MODEL: dict[str, Any] = {
    "version": 3,
    "dataset_name": "iris",
    "dataset_version": 1,
    "target": "species",
    "estimator": "svm.SVC",
    "artifact_path": "iris_model_dev_v3.pkl",
    "deployments": [{"stage": "dev", "active": True}],
    "metrics": {"accuracy": 0.96666, "f1_macro": 0.91234},
    "parameters": {"C": 0.123456},
    "signature": {"inputs": []},
    "report": {"rows": {"training": 100, "test": 20, "without_target": 7}},
    "trained_at": ERASED_AT,
    "job_id": "7-a",
    "tags": ["baseline", "team:fraud"],
    "note": "without the postcode",
}
LOG = (200, {"Content-Type": "text/plain"}, b"")


@pytest.mark.parametrize(
    ("words", "noun"),
    [
        ("models list --target species", "models"),
        ("models list --sort accuracy", "models"),
        ("jobs list --status failed", "jobs"),
        ("estimators --module nothing", "estimators"),
    ],
)
def test_an_empty_list_says_when_nothing_fits_the_filters(mlmini: Verb, words: str, noun: str) -> None:
    with server(EMPTY) as api:
        shown = mlmini(*words.split(), "--url", api.url)
    assert shown.out == f"No {noun} fit these filters. Leave one of them out to see more.\n"


@pytest.mark.parametrize("noun", ["models", "jobs", "datasets", "users"])
def test_an_empty_list_without_filters_says_what_adds_to_it(mlmini: Verb, noun: str) -> None:
    with server(EMPTY) as api:
        assert f"No {noun}" in (shown := mlmini(noun, "list", "--url", api.url).out)
    assert "`mlmini " in shown


def test_a_sorted_list_shows_the_metric_by_which_it_is_sorted(mlmini: Verb) -> None:
    with server(answer(200, {"items": [MODEL], "next_cursor": None})) as api:
        assert "f1_macro 0.9123" in mlmini("models", "list", "--sort", "f1_macro", "--url", api.url).out
        assert "accuracy 0.9667" in mlmini("models", "list", "--url", api.url).out


def test_a_model_is_shown_with_its_tags_and_its_note(mlmini: Verb) -> None:
    with server(answer(200, MODEL)) as api:
        lines = mlmini("models", "show", "3", "--url", api.url).out.splitlines()
        annotated = mlmini("models", "annotate", "3", "--no-note", "--url", api.url).out.splitlines()
    assert lines == annotated
    assert "Tags       baseline, team:fraud" in lines
    assert "Note       without the postcode" in lines
    assert "C  0.123456" in lines


def test_users_are_shown_with_their_teams(mlmini: Verb) -> None:
    user = {"name": "berta", "role": "trainer", "kind": "person", "active": True, "teams": ["credit", "fraud"]}
    with server(answer(200, {"items": [user], "next_cursor": None})) as api:
        listed = mlmini("users", "list", "--url", api.url).out.splitlines()
    assert listed[-1].split() == ["berta", "trainer", "person", "yes", "credit,", "fraud"]
    with server(answer(200, user | {"teams": []})) as api:
        ended = mlmini("users", "teams", "berta", "--no-teams", "--url", api.url)
        assert "Teams   none" in ended.out
    assert holders(team=None, no_team=True, owner="otto") == {"team": None, "owner": "otto"}
    assert holders(team="fraud", no_team=False, owner=None) == {"team": "fraud"}
    assert membership(teams=["fraud"], no_teams=False) == {"teams": ["fraud"]}


def test_a_job_is_called_by_what_it_does() -> None:
    promotion = {"kind": "promote", "request": {"version": 3, "target_stage": "staging"}}
    training = {"request": {"model": {"module": "tree", "class": "DecisionTreeClassifier"}}}
    named = [title(JOB | changed) for changed in (promotion, training, GONE)]
    assert named == ["promote iris 3 to staging", "train DecisionTreeClassifier", "train iris"]


@pytest.mark.parametrize(
    ("named", "change"),
    [
        ({"tags": ["a", "b"]}, {"tags": ["a", "b"]}),
        ({"no_tags": True, "note": "n"}, {"tags": [], "note": "n"}),
        ({"no_note": True}, {"note": None}),
    ],
)
def test_an_annotation_changes_what_is_named(named: dict[str, Any], change: dict[str, Any]) -> None:
    asked = {"tags": None, "no_tags": False, "note": None, "no_note": False}
    assert annotation(**(asked | named)) == change


def test_a_training_names_its_target_and_the_rows_without_one(mlmini: Verb) -> None:
    with server(answer(202, JOB), answer(200, MODEL)) as api:
        words = ["train", "iris", "--target", "species", "--model", "svm.SVC", "--url", api.url]
        lines = mlmini(*words).out.splitlines()
        assert [path for _, path, _ in api.seen] == ["/train", "/models/3"]
    assert "Target    species" in lines
    assert "Rows      100 to learn from, 20 to measure on; 7 rows without a target left out" in lines


@pytest.mark.parametrize("words", ["jobs show 7-a", "jobs show 7-a --wait", "jobs retry 7-a"])
def test_a_job_that_was_erased_is_told(mlmini: Verb, words: str) -> None:
    with server(answer(200, GONE)) as api:
        ended = mlmini(*words.split(), "--url", api.url)
    assert (ended.status, "Request" in ended.out.split()) == (0, False)
    assert "Its request, result and log were erased at 2026-01-31" in ended.out


def test_the_same_training_again_tells_that_it_was_erased(mlmini: Verb) -> None:
    with server(answer(202, GONE)) as api:
        ended = mlmini("train", "iris", "--model", "svm.SVC", "--idempotency-key", "k", "--url", api.url)
    assert (ended.status, "were erased at 2026-01-31" in ended.out) == (0, True)


@pytest.mark.parametrize(
    ("job", "why"),
    [
        (GONE, "Its request, result and log were erased at 2026-01-31"),
        (JOB | {"status": "queued"}, "The job has written nothing yet."),
        (JOB, "The job has written nothing, or its log was old"),
    ],
    ids=["erased", "queued", "old"],
)
def test_an_empty_log_says_why_it_is_empty(mlmini: Verb, job: dict[str, Any], why: str) -> None:
    with server(LOG, answer(200, job)) as api:
        ended = mlmini("jobs", "logs", "7-a", "--url", api.url)
    assert (ended.status, ended.out) == (0, "")
    assert why in ended.err


def test_following_a_job_that_was_erased_says_so(mlmini: Verb) -> None:
    event = f"id: 7\nevent: status\ndata: {answer(200, GONE)[2].decode()}\n\n".encode()
    with server((200, {"Content-Type": "text/event-stream"}, event)) as api:
        ended = mlmini("jobs", "logs", "7-a", "--follow", "--url", api.url)
    assert "were erased at 2026-01-31" in ended.err


@pytest.mark.parametrize("verb", ["show", "logs", "retry", "cancel"])
def test_the_help_of_a_job_says_that_its_id_may_be_short(mlmini: Verb, verb: str) -> None:
    assert "its first 8 characters or more" in " ".join(mlmini("jobs", verb, "--help").out.split())


@pytest.mark.parametrize("target", ["rows.csv", "./rows.csv", "link.csv", "hard.csv"])
def test_predictions_are_not_written_over_the_rows(
    mlmini: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("a\n1\n")
    Path("link.csv").symlink_to("rows.csv")
    os.link("rows.csv", "hard.csv")
    with server(EMPTY) as api:
        ended = mlmini("predict", "iris", "rows.csv", "-o", target, "--url", api.url)
    assert (ended.status, ended.out, api.seen) == (2, "", [])
    assert "rows.csv would be read and written at the same time" in ended.err
    assert Path("rows.csv").read_text() == "a\n1\n"


def test_the_doctor_says_when_nothing_runs_here(mlmini: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLMINI_HOME", str(tmp_path / "home"))
    for name, port in zip(("MLMINI_PORT", "MLMINI_FLOWER_PORT"), map(str, free_ports(2)), strict=True):
        monkeypatch.setenv(name, port)
    shown = mlmini("doctor").out
    assert shown.splitlines()[-1] == (
        "Everything that is needed is well, and nothing runs yet: `make run`, or `mlmini up`, starts the platform."
    )
    assert mlmini("doctor", "--json").document["running"] is False


def test_a_redirection_to_the_rows_is_seen_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("a\n1\n")
    with rows.open("rb") as file, rows.open("a") as redirected:
        assert is_written_to(file, str(rows))
        assert not is_written_to(file, str(tmp_path / "other.csv"))
        monkeypatch.setattr(sys, "stdout", redirected)
        assert is_written_to(file, "-")


@pytest.mark.parametrize("home_is_there", [False, True])
@pytest.mark.parametrize("words", ["fsck", "models compile"])
def test_a_verb_that_looks_for_itself_says_that_nothing_was_started_yet(
    mlmini: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, words: str, home_is_there: bool
) -> None:
    home = tmp_path / "home"
    if home_is_there:
        home.mkdir()
    monkeypatch.setenv("MLMINI_HOME", str(home))
    ended = mlmini(*words.split())
    assert (ended.status, ended.out) == (3, "")
    assert f"No platform was started on {home} yet" in ended.err
    assert "`mlmini up`" in ended.err
