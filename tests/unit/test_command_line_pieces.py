"""Pieces of the command line that need no platform: addresses, texts, and which value a cell is."""

from pathlib import Path
from typing import Any

import pytest

from cli.actions.session import connected
from cli.actions.written_file import opened
from cli.client.address import find_address
from cli.client.errors import CommandFailed, WrongUsage, written
from cli.launcher.published import publish, published, withdraw
from cli.render.progress import status_words
from cli.render.text import age, cell, clean, duration, rounded, size


def test_a_misspelt_variable_does_not_send_a_verb_to_another_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLMINI_ULR", "https://ml.example")
    with pytest.raises(WrongUsage, match=r"MLMINI_ULR is not a setting\. Did you mean 'MLMINI_URL'\?"), connected(None):
        pass


def test_a_named_address_is_taken_before_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLMINI_HOME", str(tmp_path))
    publish(tmp_path, {"api": "http://127.0.0.1:1", "flower": "http://127.0.0.1:2"})
    assert find_address("https://ml.example/api/").url == "https://ml.example/api"
    assert find_address(None).url == "http://127.0.0.1:1"
    withdraw(tmp_path)
    monkeypatch.setenv("MLMINI_PORT", "8123")
    assert find_address(None).url == "http://127.0.0.1:8123"


def test_an_address_from_a_damaged_file_is_told_by_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLMINI_HOME", str(tmp_path))
    publish(tmp_path, {"api": "127.0.0.1"})
    with pytest.raises(WrongUsage, match=r"addresses\.json"):
        find_address(None)


QUEUES: dict[str, tuple[dict[str, Any] | None, str]] = {
    "no place": (None, "queued"),
    "a place": ({"position": 3, "running": 2}, "queued (place 3, 2 running)"),
}


@pytest.mark.parametrize(("queue", "words"), QUEUES.values(), ids=QUEUES.keys())
def test_a_job_that_waits_is_told_with_its_place(queue: dict[str, Any] | None, words: str) -> None:
    assert status_words({"status": "queued", "queue": queue}) == words


def test_a_job_that_waits_for_another_try_is_told_with_the_time() -> None:
    queue = {"position": None, "running": 2, "run_at": "2026-01-31T12:00:00.000000Z"}
    assert status_words({"status": "queued", "queue": queue}).startswith("queued (tried again at 2026-01-3")


def test_an_empty_port_is_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLMINI_HOME", str(tmp_path))
    monkeypatch.setenv("MLMINI_PORT", "")
    assert find_address(None).url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ml.example/a@b", "https://ml.example/a@b"),
        ("https://user:p@ss@ml.example:1/a", "https://***@ml.example:1/a"),
        ("http://token@[::1]:1", "http://***@[::1]:1"),
    ],
)
def test_credentials_are_sent_and_not_shown(url: str, shown: str) -> None:
    found = find_address(url)
    assert (found.url, found.shown) == (url, shown)


@pytest.mark.parametrize("url", ["http://user:s3c/ret@ml.example", "user:s3c/ret@ml.example", "user:ret@ml.example:1"])
def test_credentials_in_what_is_no_url_are_not_shown(url: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        find_address(url)
    assert "ret" not in caught.value.sentence
    assert "***@ml.example" in caught.value.sentence


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', '{"api": 1}'])
def test_a_damaged_file_of_addresses_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "addresses.json").write_text(content)
    assert published(tmp_path) == {}


@pytest.mark.parametrize(
    "url",
    [
        "8000",
        "localhost:8000",
        "ftp://a",
        "http://",
        "http://a:x",
        "http://a:99999",
        "http://a/?b",
        "http://a\udce4",
        "http://a\x01",
    ],
)
def test_what_is_no_url_is_wrong_usage(url: str) -> None:
    with pytest.raises(WrongUsage, match="It looks like http"):
        find_address(url)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000", True),
        ("http://localhost", True),
        ("http://localhost.example.org", False),
        ("https://ml.example", False),
    ],
)
def test_no_proxy_stands_before_this_machine(url: str, *, local: bool) -> None:
    assert find_address(url).is_local is local


@pytest.mark.parametrize(
    ("url", "needed"),
    [
        ("http://127.0.0.1:8000", False),
        ("HTTP://localhost", False),
        ("https://127.0.0.1:8000", True),
        # There may be a proxy.
        ("http://ml.example", True),
        ("https://ml.example", True),
    ],
)
def test_whom_to_trust_is_read_where_somebody_may_have_to_prove_who_it_is(url: str, *, needed: bool) -> None:
    assert find_address(url).needs_authorities is needed


def test_a_problem_is_a_sentence_with_its_places() -> None:
    problem: dict[str, Any] = {
        "detail": "Two things are wrong.",
        "errors": [{"loc": ["body", "model", "class"], "msg": "There is none."}, {"loc": ["body", 1], "msg": "No."}],
        "request_id": "r1",
    }
    assert written(problem) == "Two things are wrong.\n  --model: There is none.\n  body.1: No.\n  (request r1)"


def test_what_the_sentence_says_is_not_said_twice() -> None:
    one = {"loc": ["query", "status"], "msg": "It must be 'failed', not 'foo'."}
    detail = "Query parameter 'status': it must be 'failed', not 'foo'."
    assert written({"detail": detail, "errors": [one]}) == "--status: it must be 'failed', not 'foo'."
    two = [one, {"loc": ["query", "kind"], "msg": "It must be 'train'."}]
    assert (
        written({"detail": detail, "errors": two})
        == "--status: it must be 'failed', not 'foo'.\n  --kind: It must be 'train'."
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "true"),
        (0.123456, "0.123456"),
        (1234567.0, "1234567.0"),
        ([1, None], "1, -"),
        ({}, "-"),
        ("a\nb", "a\\nb"),
    ],
)
def test_a_value_is_shown_on_one_line(value: object, text: str) -> None:
    assert cell(value) == text


def test_a_measure_has_the_digits_that_matter() -> None:
    assert rounded({"r2": 0.123456, "mse": 1234567.0, "n": 12345678}) == "r2=0.1235, mse=1,234,567, n=12345678"


def test_texts_cannot_steer_a_terminal() -> None:
    assert clean("a\x1b[31m\x9b\r\u202e\tb\n") == "a\\x1b[31m\\x9b\\r\\u202e\tb\n"


def test_sizes_and_times_are_for_people() -> None:
    assert [size(count) for count in (0, 999, 1500, 2_345_678, 10**12)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "2.3 MB",
        "1.0 TB",
    ]
    assert duration("2026-01-01T00:00:00.000000Z", "2026-01-01T00:01:01.500000Z") == "61.5 s"
    assert age("2020-01-01T00:00:00.000000Z").endswith(" d")


def test_an_output_behind_a_link_is_written_where_the_link_points(tmp_path: Path) -> None:
    kept, link = tmp_path / "kept.csv", tmp_path / "sub" / "link.csv"
    link.parent.mkdir()
    link.symlink_to(Path("..") / kept.name)
    for text in ("new", "old"):
        with opened(str(link)) as file:
            file.write(text)
        assert kept.read_text() == text
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["kept.csv", "link.csv", "sub"]


def test_an_output_keeps_the_mode_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "private.csv"
    path.touch(0o600)
    path.chmod(0o640)
    with opened(str(path)) as file:
        file.write("new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)


def test_links_in_a_circle_are_told(tmp_path: Path) -> None:
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    with pytest.raises(CommandFailed, match="cannot be written"), opened(str(loop)) as file:
        file.write("never")
