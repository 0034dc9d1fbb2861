"""What the command line says when the API is away, is something else, or is not ready; and about wrong usage."""

import json
from pathlib import Path

import pytest

from tests.support.answering import Given, answer, page, problem, server
from tests.support.command_line import CommandLine
from tests.support.servers import free_ports

JOB = {
    "job_id": "7c2f1b0e-6f0d-4a53-9d8a-2f9a0f1f1c55",
    "kind": "train",
    "status": "queued",
    "progress": {"percent": 0, "step": "queued"},
    "dataset_name": "iris",
}


COLUMN = {"name": "x", "kind": "number", "used": True, "missing_allowed": False}
SERVING = answer(
    200, {"items": [{"version": 1, "signature": {"inputs": [COLUMN], "classes": None}}], "next_cursor": None}
)
SOON = {"Retry-After": "0.1"}
TRAIN = ["train", "iris", "--example", "--model", "svm.SVC"]


@pytest.mark.parametrize("words", [["datasets", "list"], TRAIN, ["jobs", "logs", "x", "--follow"], ["demo"]])
def test_an_api_that_is_away_is_told_at_once(tmp_path: Path, words: list[str]) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    ended = CommandLine(tmp_path, url).run(*words)
    assert (ended.status, ended.out) == (3, "")
    assert f"Nothing answers at {url} (Connection refused)" in ended.err
    assert "mlmini up" in ended.err


def test_a_default_address_says_why_it_was_taken(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path).run("jobs", "list", MLMINI_PORT=str(free_ports(1)[0]))
    assert ended.status == 3
    assert f"no platform runs on {tmp_path / '.mlmini'}" in ended.err


def test_an_address_that_a_killed_platform_left_is_told(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    (tmp_path / "addresses.json").write_text(json.dumps({"api": f"http://127.0.0.1:{port}"}))
    ended = CommandLine(tmp_path).run("jobs", "list", MLMINI_HOME=str(tmp_path))
    assert ended.status == 3
    assert str(tmp_path / "addresses.json") in ended.err


def test_loopback_is_reached_past_a_proxy(tmp_path: Path) -> None:
    with server(answer(200, {"items": [], "next_cursor": None})) as found:
        proxy = f"http://127.0.0.1:{free_ports(1)[0]}"
        shown = CommandLine(tmp_path, found.url).succeed(
            "jobs", "list", HTTP_PROXY=proxy, http_proxy=proxy, NO_PROXY=""
        )
    assert "No jobs" in shown.out


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ((200, {"Content-Type": "text/html"}, b"<html>"), "200 with text/html"),
        ((404, {}, b""), "404 with no content"),
        ((301, {"Location": "https://ml.example/"}, b""), "points to https://ml.example/"),
        ((200, {"Content-Type": "application/json"}, b"{"), "200 with application/json"),
    ],
    ids=["a page", "nothing", "a redirection", "half a document"],
)
def test_what_is_not_the_api_is_told(tmp_path: Path, found: Given, said: str) -> None:
    with server(found) as other:
        ended = CommandLine(tmp_path, other.url).run("models", "list")
    assert ended.status == 3
    assert "is not the API of the platform" in ended.err
    assert said in ended.err


def test_an_api_that_is_not_ready_is_asked_again_with_the_same_key(tmp_path: Path) -> None:
    with server(problem(503, **{"Retry-After": "0.1"}), problem(503), answer(202, JOB)) as slow:
        CommandLine(tmp_path, slow.url).succeed(*TRAIN, "--detach", "--json")
    assert len(slow.seen) == 3
    assert len({key for _, _, key in slow.seen}) == 1
    assert slow.seen[0][2]


@pytest.mark.parametrize(
    "away",
    [problem(502), page(502), problem(504), page(504), page(503)],
    ids=["problem 502", "page 502", "problem 504", "page 504", "page 503"],
)
def test_a_gateway_without_its_api_is_asked_again_with_the_same_key(tmp_path: Path, away: Given) -> None:
    with server(away, answer(202, JOB)) as slow:
        CommandLine(tmp_path, slow.url).succeed(*TRAIN, "--detach", "--json")
    assert len({key for _, _, key in slow.seen}) == 1
    assert len(slow.seen) == 2


def test_a_table_that_takes_a_model_too_long_is_not_sent_again(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x\n1\n")
    with server(problem(503, code="prediction_too_slow", **SOON)) as api:
        assert CommandLine(tmp_path, api.url).run("predict", "iris", "rows.csv").status == 1
    assert len(api.seen) == 1


def events(**status: str) -> Given:
    text = f"id: 7\nevent: status\ndata: {json.dumps(JOB | status)}\n\n"
    return 200, {"Content-Type": "text/event-stream"}, text.encode()


@pytest.mark.thorough
def test_following_a_job_outlasts_a_restart_behind_a_gateway(tmp_path: Path) -> None:
    away = [problem(503, **SOON), problem(502, **SOON), problem(504, **SOON), page(502)]
    with server(events(status="running"), *away, events(status="succeeded")) as slow:
        ended = CommandLine(tmp_path, slow.url).succeed("jobs", "logs", "x", "--follow")
    assert ended.err.startswith("Status: running\nStatus: succeeded\nThe job has written nothing")
    assert len(slow.seen) == 6


def test_following_a_job_of_an_api_that_is_not_ready_yet_waits_for_it(tmp_path: Path) -> None:
    with server(problem(503, **SOON), events(status="succeeded")) as slow:
        CommandLine(tmp_path, slow.url).succeed("jobs", "logs", "x", "--follow")


def test_following_a_job_does_not_wait_for_ever(tmp_path: Path) -> None:
    with server(events(status="running"), problem(503, **SOON)) as never:
        ended = CommandLine(tmp_path, never.url).run("jobs", "logs", "x", "--follow")
    assert ended.status == 1
    assert "The database is away." in ended.err
    assert 2 <= len(never.seen) <= 10


def test_following_a_job_ends_when_it_is_refused(tmp_path: Path) -> None:
    with server(events(status="running"), problem(404)) as gone:
        ended = CommandLine(tmp_path, gone.url).run("jobs", "logs", "x", "--follow")
    assert (ended.status, len(gone.seen)) == (1, 2)


@pytest.mark.parametrize("seconds", ["nan", "-1", "soon"])
def test_a_pause_that_is_none_is_not_obeyed(tmp_path: Path, seconds: str) -> None:
    with server(problem(503, **{"Retry-After": seconds}), answer(202, JOB)) as slow:
        CommandLine(tmp_path, slow.url).succeed(*TRAIN, "--detach")


def test_an_api_that_is_never_ready_is_not_asked_for_ever(tmp_path: Path) -> None:
    with server(problem(503, **{"Retry-After": "0.1"})) as never:
        ended = CommandLine(tmp_path, never.url).run("datasets", "list", "--json")
    assert ended.status == 1
    assert ended.document["status"] == 503
    assert "The database is away." in ended.err
    assert 2 <= len(never.seen) <= 10


def test_what_may_not_be_repeated_is_sent_once(tmp_path: Path) -> None:
    with server(answer(200, {"dataset_name": "iris"}), problem(503)) as never:
        ended = CommandLine(tmp_path, never.url).run("retire", "iris", "1", "dev")
    assert ended.status == 1
    assert [request[:2] for request in never.seen] == [("GET", "/models/1"), ("POST", "/models/1/retire")]


@pytest.mark.parametrize("port", ["abc", "99999", "80 80"])
@pytest.mark.parametrize("words", [["jobs", "list"], ["demo"]])
def test_a_port_that_is_none_is_told_by_its_variable(tmp_path: Path, words: list[str], port: str) -> None:
    ended = CommandLine(tmp_path).run(*words, MLMINI_PORT=port)
    assert (ended.status, ended.out) == (2, "")
    assert f"MLMINI_PORT is '{port}'" in ended.err


@pytest.mark.parametrize("words", [["jobs", "list"], ["demo"], ["jobs", "logs", "x", "--follow"]])
@pytest.mark.parametrize(
    "url", ["http://user:s3cret@127.0.0.1:{port}", "http://s3cret@127.0.0.1:{port}", "http://user:s3cret@127.0.0.1:x"]
)
def test_a_password_in_the_url_is_not_shown(tmp_path: Path, words: list[str], url: str) -> None:
    ended = CommandLine(tmp_path, url.format(port=free_ports(1)[0])).run(*words)
    assert ended.status in {2, 3}
    assert "127.0.0.1" in ended.err
    assert "s3cret" not in ended.out + ended.err


def test_a_password_in_the_url_of_something_else_is_not_shown(tmp_path: Path) -> None:
    with server((404, {}, b"")) as other:
        url = f"http://user:s3cret@127.0.0.1:{other.server_port}"
        ended = CommandLine(tmp_path, url).run("jobs", "list")
    assert f"http://***@127.0.0.1:{other.server_port} is not the API" in ended.err


def test_the_commands_of_the_demo_have_no_password(tmp_path: Path) -> None:
    with server(answer(200, {"platform": "1"}), problem(422)) as other:
        ended = CommandLine(tmp_path, f"http://user:s3cret@127.0.0.1:{other.server_port}").run("demo")
    assert f"curl -s 'http://***@127.0.0.1:{other.server_port}/datasets/upload'" in ended.out
    assert "s3cret" not in ended.out + ended.err


def test_json_of_the_api_cannot_steer_the_terminal(tmp_path: Path) -> None:
    odd = {"a\x7f": "\x9b31m\u202e\U000e0001 \u00e4 \\ \n"}
    with server(answer(200, odd)) as other:
        status, shown = CommandLine(tmp_path, other.url).at_terminal("jobs", "show", "x", "--json")
    assert (status, json.loads(shown)) == (0, odd)
    assert all(character.isprintable() or character in "\r\n" for character in shown)
    assert "\u00e4" in shown


@pytest.mark.parametrize("words", [["jobs", "list"], ["jobs", "show", "x"], ["jobs", "logs", "x", "--follow"]])
def test_an_api_of_another_release_is_told_where_its_answers_are_not_understood(
    tmp_path: Path, words: list[str]
) -> None:
    odd = answer(200, {"things": 1})
    if "--follow" in words:
        odd = (200, {"Content-Type": "text/event-stream"}, b'event: status\ndata: {"state": "running"}\n\n')
    with server(odd, answer(200, {"platform": "99.0.0"})) as newer:
        ended = CommandLine(tmp_path, newer.url).run(*words)
    assert (ended.status, ended.out) == (1, "")
    assert f"The API at {newer.url} is of release 99.0.0" in ended.err


WRONG = {
    "no such verb": (["trian"], "No such command 'trian'. Did you mean 'train'?"),
    "no such option": (["train", "iris", "--modle", "x"], "--model"),
    "no model": (["train", "iris"], "Name what to train with --model"),
    "a model without a module": (["train", "iris", "--model", "SVC"], "such as ensemble.RandomForestClassifier"),
    "a parameter without a value": ([*TRAIN, "--param", "C"], "such as n_estimators=100"),
    "a parameter twice": ([*TRAIN, "--param", "C=1", "--param", "C=2"], "--param C is given twice"),
    "a version that is none": (["models", "show", "one"], "'VERSION': It must be a whole number, not 'one'."),
    "a URL that is none": (["jobs", "list", "--url", "localhost:8000"], "is not the URL of an API"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_is_told_and_has_its_own_status(tmp_path: Path, name: str) -> None:
    words, sentence = WRONG[name]
    ended = CommandLine(tmp_path).run(*words)
    assert (ended.status, ended.out) == (2, "")
    assert sentence in ended.err


def test_a_file_that_is_not_there_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    with server(problem(503)) as never:
        ended = CommandLine(tmp_path, never.url).run("datasets", "upload", "none.csv")
    assert (ended.status, never.seen) == (1, [])
    assert "none.csv cannot be read: No such file or directory." in ended.err


def test_a_file_name_that_is_no_text_can_be_uploaded(tmp_path: Path) -> None:
    # A name on Linux may hold any bytes.
    (tmp_path / "tr\udce4.csv").write_text("a\n1\n")
    with server(problem(503)) as never:
        ended = CommandLine(tmp_path, never.url).run("datasets", "upload", "tr\udce4.csv")
    assert (ended.status, len(never.seen)) == (1, 1)
    assert "The database is away." in ended.err
