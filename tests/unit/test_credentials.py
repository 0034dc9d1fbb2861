"""What verbs send to say who asks, to whom, and where it is kept."""

import io
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cli.client.address import Address
from cli.client.credentials import usable_login
from cli.client.logins import KeptLogin, find_login, keep_login, logins_held, place_of
from cli.launcher.addresses import Addresses
from cli.launcher.services import environment_of
from shared.settings import Settings, unknown_names
from tests.support.answering import Given, Server, answer, problem, server
from tests.support.command_line import Ended, Verb

EMPTY = answer(200, {"items": [], "next_cursor": None})
KEY = "mlm_aaaaaaaaaa_of-mine"
REFUSED = problem(401, "not_authenticated")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where logins are kept."""
    for name in [name for name in os.environ if name.startswith("MLMINI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "mlmini"


def tokens(number: int, seconds: int = 900) -> Given:
    return answer(
        200,
        {
            "access_token": f"access-{number}",
            "token_type": "bearer",
            "refresh_token": f"refresh-{number}",
            "expires_in": seconds,
        },
    )


def keep(api: Server, *, ends_in: float = 900, since: float = 0) -> None:
    now = time.time()
    with logins_held():
        keep_login(
            place_of(Address(api.url, "")), KeptLogin("anna", "access-0", "refresh-0", now + since, now + ends_in)
        )


def kept(api: Server) -> KeptLogin | None:
    return find_login(place_of(Address(api.url, "")))


def listed(mlmini: Verb, api: Server) -> Ended:
    return mlmini("datasets", "list", "--json", "--url", api.url)


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_the_key_of_a_file_is_sent_without_its_line_end(
    mlmini: Verb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / "key"
    file.write_bytes(KEY.encode() + ending.encode())
    file.chmod(0o600)
    monkeypatch.setenv("MLMINI_API_KEY_FILE", str(file))
    with server(EMPTY) as api:
        assert listed(mlmini, api).status == 0
    assert (api.keys, api.authorizations) == ([KEY], [None])


def test_the_key_of_the_variable_is_sent_and_goes_before_a_login(mlmini: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLMINI_API_KEY", KEY)
    with server(EMPTY) as api:
        keep(api)
        assert listed(mlmini, api).status == 0
    assert (api.keys, api.authorizations) == ([KEY], [None])


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_can_read_is_refused_with_how_to_mend_it(
    mlmini: Verb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int
) -> None:
    file = tmp_path / "a key"
    file.write_text(KEY)
    file.chmod(mode)
    monkeypatch.setenv("MLMINI_API_KEY_FILE", str(file))
    with server(EMPTY) as api:
        ended = listed(mlmini, api)
    assert (ended.status, api.seen) == (2, [])
    assert f"chmod 600 '{file}'" in ended.err
    file.chmod(0o600)
    with server(EMPTY) as api:
        assert listed(mlmini, api).status == 0


@pytest.mark.parametrize("text", ["two words", "ключ", "a\nb", "k" * 5000, " "])
def test_what_is_no_key_is_neither_sent_nor_shown(mlmini: Verb, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MLMINI_API_KEY", text)
    with server(EMPTY) as api:
        ended = listed(mlmini, api)
    assert (ended.status, api.seen) == (2, [])
    assert "MLMINI_API_KEY: this is no API key" in ended.err
    assert text == " " or text not in ended.err


def test_two_keys_a_missing_file_and_a_folder_are_refused(
    mlmini: Verb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with server(EMPTY) as api:
        for file, said in (
            (tmp_path / "none", "cannot be read"),
            (tmp_path, "Is a directory"),
            (Path(os.devnull), "not a file"),
        ):
            monkeypatch.setenv("MLMINI_API_KEY_FILE", str(file))
            assert said in listed(mlmini, api).err
        monkeypatch.setenv("MLMINI_API_KEY", KEY)
        assert "both set" in listed(mlmini, api).err
    assert api.seen == []


@pytest.mark.asvs("10.1.1")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_credential_goes_to_no_other_address_than_the_one_it_is_for(
    mlmini: Verb, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with server(EMPTY) as other, server((status, {"Location": f"{other.url}/datasets"}, b"")) as api:
        keep(api)
        assert listed(mlmini, api).status == 3
        monkeypatch.setenv("MLMINI_API_KEY", KEY)
        assert listed(mlmini, api).status == 3
        assert (api.authorizations, api.keys) == (["Bearer access-0", None], [None, KEY])
        assert other.seen == []
        monkeypatch.delenv("MLMINI_API_KEY")
        assert listed(mlmini, other).status == 0
    assert (other.authorizations, other.keys) == ([None], [None])


def test_who_is_not_known_is_told_in_one_sentence_what_to_do(mlmini: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(REFUSED) as api:
        ended = mlmini("datasets", "list", "--url", api.url)
        assert ended.err == (
            f"mlmini: The platform at {api.url} asks who you are: log in with `mlmini login`, or set "
            "MLMINI_API_KEY_FILE to a file that holds an API key.\n"
        )
        assert (ended.status, listed(mlmini, api).document["code"]) == (1, "not_authenticated")
        monkeypatch.setenv("MLMINI_API_KEY", KEY)
        refused = listed(mlmini, api)
    assert "does not take the key in MLMINI_API_KEY" in refused.err
    assert KEY not in refused.err + refused.out


def given(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_a_login_reads_the_password_from_a_pipe_and_keeps_tokens_for_this_user_alone(
    mlmini: Verb, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    given(monkeypatch, "three & grün=herons\n".encode())
    with server(tokens(1), EMPTY) as api:
        done = mlmini("login", "--name", "anna", "--url", api.url)
        assert (done.status, done.out) == (0, f"anna is logged in at {api.url}.\n")
        assert listed(mlmini, api).status == 0
    assert api.bodies[0] == b"username=anna&password=three+%26+gr%C3%BCn%3Dherons"
    assert api.authorizations == [None, "Bearer access-1"]
    assert (folder.stat().st_mode & 0o777, (folder / "logins.json").stat().st_mode & 0o777) == (0o700, 0o600)
    assert "herons" not in (folder / "logins.json").read_text()


def test_a_login_in_a_pipe_needs_a_name_and_what_is_refused_is_said(
    mlmini: Verb, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    given(monkeypatch, b"wrong")
    with server(REFUSED) as api:
        assert "--name NAME" in mlmini("login", "--url", api.url).err
        assert mlmini("login", "--name", "anna", "--url", api.url).status == 1
        with_user = api.url.replace("//", "//user:secret@")
        assert "MLMINI_API_KEY_FILE" in mlmini("login", "--name", "anna", "--url", with_user).err
    assert len(api.seen) == 1
    assert not (folder / "logins.json").exists()


@pytest.mark.parametrize("moments", [{"ends_in": -1}, {"since": 3600}])
def test_a_token_that_has_ended_is_renewed_and_kept_before_it_is_used(mlmini: Verb, moments: dict[str, Any]) -> None:
    with server(tokens(1), problem(500)) as api:
        keep(api, **moments)
        assert listed(mlmini, api).status == 1
        renewed = kept(api)
    assert renewed is not None
    assert (renewed.name, renewed.refresh_token, renewed.is_fresh) == ("anna", "refresh-1", True)
    assert [path for _, path, _ in api.seen[:1]] == ["/auth/refresh"]
    assert json.loads(api.bodies[0]) == {"refresh_token": "refresh-0"}
    assert api.authorizations == [None, "Bearer access-1"]


def test_of_two_verbs_at_once_one_renews_the_login() -> None:
    with server(tokens(1), REFUSED) as api, ThreadPoolExecutor(4) as threads:
        keep(api, ends_in=-1)
        with logins_held():
            found = [threads.submit(usable_login, Address(api.url, "")) for _ in range(4)]
        logins = [each.result(20) for each in found]
    assert [login and login.access_token for login in logins] == ["access-1"] * 4
    assert len(api.seen) == 1


def test_a_login_that_is_not_renewed_is_forgotten_and_one_that_could_not_be_is_not(mlmini: Verb) -> None:
    with server(problem(503), REFUSED) as api:
        keep(api, ends_in=-1)
        assert listed(mlmini, api).status == 1
        assert kept(api) is not None
        ended = listed(mlmini, api)
        assert f"The login of anna at {api.url} has ended: log in with `mlmini login`" in ended.err
        assert kept(api) is None
    assert len(api.seen) == 2


def test_a_logout_ends_the_login_there_and_here(mlmini: Verb) -> None:
    with server((204, {}, b"")) as api:
        keep(api)
        assert mlmini("logout", "--url", api.url).out == f"anna is logged out at {api.url}.\n"
        assert mlmini("logout", "--url", api.url).out == f"Nobody was logged in at {api.url}.\n"
        assert kept(api) is None
    assert (api.seen, api.authorizations) == ([("POST", "/auth/logout", None)], ["Bearer access-0"])


@pytest.mark.parametrize("ends_in", [900, -1])
def test_a_logout_forgets_a_login_that_has_ended_or_whose_platform_is_away(mlmini: Verb, ends_in: float) -> None:
    with server(REFUSED) as api:
        keep(api, ends_in=ends_in)
        assert mlmini("logout", "--url", api.url).status == 0
        assert kept(api) is None
        keep(api)
    gone = mlmini("logout", "--url", api.url)
    assert (gone.status, "The login was removed here" in gone.err, kept(api)) == (3, True, None)


@pytest.mark.parametrize("content", ["", "[]", '{"http://a:1": {}}', '{"http://a:1": 1}', "\udcff"])
def test_a_file_of_logins_that_is_damaged_is_named(mlmini: Verb, folder: Path, content: str) -> None:
    with server(EMPTY) as api:
        keep(api)
        (folder / "logins.json").write_bytes(content.encode(errors="surrogateescape"))
        ended = listed(mlmini, api)
        assert (ended.status, api.seen) == (1, [])
        assert f"{folder / 'logins.json'} is not as `mlmini login` has written it" in ended.err
        (folder / "logins.json").chmod(0o644)
        assert "chmod 600" in listed(mlmini, api).err


def test_a_folder_that_cannot_be_used_is_named_before_anybody_logs_in(
    mlmini: Verb, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    folder.write_text("in the way")
    given(monkeypatch, b"a password")
    with server(tokens(1)) as api:
        ended = mlmini("login", "--name", "anna", "--url", api.url)
    assert (ended.status, api.seen) == (1, [])
    assert f"Logins are kept in {folder}, which cannot be used" in ended.err


def test_one_address_has_one_login_however_it_is_written() -> None:
    written = ["http://Host", "http://host:80", "http://user:word@host"]
    assert {place_of(Address(url, "")) for url in written} == {"http://host:80"}
    others = ["https://host", "http://host:81", "http://host/ml", "http://host.example"]
    assert len({place_of(Address(url, "")) for url in [*others, "http://host"]}) == 5


@pytest.mark.asvs("10.1.1")
def test_the_parts_of_the_platform_do_not_get_the_key_of_who_starts_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLMINI_API_KEY", KEY)
    monkeypatch.setenv("MLMINI_API_KEY_FILE", "key")
    addresses = cast("Addresses", SimpleNamespace(port=1, flower_port=2))
    given = environment_of(Settings(home=tmp_path), addresses, redis_url_file=None)
    assert {"MLMINI_API_KEY", "MLMINI_API_KEY_FILE"}.isdisjoint(given)
    assert not unknown_names()


def test_the_demo_says_that_its_curl_commands_need_a_credential_where_its_steps_have_one(
    mlmini: Verb, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = answer(200, {"platform": "0.1.0", "python": "3", "scikit_learn": "1"})
    said = 'The curl commands need one, too: -H "X-API-Key: $KEY"'
    with server(version, REFUSED) as api:
        without = mlmini("demo", "--url", api.url)
    assert (said in without.out, "log in with `mlmini login`" in without.err) == (False, True)
    monkeypatch.setenv("MLMINI_API_KEY", KEY)
    with server(version, REFUSED) as api:
        assert said in mlmini("demo", "--url", api.url).out
    assert api.keys == [None, KEY]
