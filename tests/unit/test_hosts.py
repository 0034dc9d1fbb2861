"""The names under which the platform answers."""

import pytest

from shared.hosts import known_names, name_of, plain_name


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("LocalHost:", "localhost"),
        ("[::1]:8000", "::1"),
        ("[0:0:0:0:0:0:0:1]", "::1"),
        ("ML.example.org:443", "ml.example.org"),
        ("2130706433", "2130706433"),
    ],
)
def test_a_host_is_a_name_in_one_form_and_maybe_a_port(host: str, name: str) -> None:
    assert name_of(host) == name


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost.",
        "::1",
        "[::1",
        "[127.0.0.1]",
        "[localhost]",
        "user@localhost",
        "localhost:8000:9",
        "localhost:x",
        "localhost, localhost",
        "localhost/",
        "localhost ",
        "bücher.example",
        "a..b",
        ":8000",
    ],
)
def test_any_other_form_is_none(host: str) -> None:
    assert name_of(host) is None


def test_this_machine_is_always_known_and_an_address_only_if_it_is_one_to_ask() -> None:
    local = {"127.0.0.1", "localhost", "::1"}
    assert known_names(host="127.0.0.1", allowed=[]) == local
    assert known_names(host="0.0.0.0", allowed=[]) == local  # noqa: S104 - not bound to here
    assert known_names(host="::", allowed=[]) == local
    assert known_names(host="192.168.1.5", allowed=["ML.example.org", "[fd00::0:1]"]) == {
        *local,
        "192.168.1.5",
        "ml.example.org",
        "fd00::1",
    }


@pytest.mark.parametrize("text", ["ml.example.org:8000", "http://ml.example.org", "*", "*.example.org", "a b"])
def test_what_is_no_name_alone_is_none(text: str) -> None:
    assert plain_name(text) is None
