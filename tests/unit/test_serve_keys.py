"""The keys of a server of one model, as they stand in its setting, and which requests bring one."""

import pytest
from pydantic import SecretStr

from api.standalone.keys import ServeKeys
from shared.errors import NotAuthenticated, WrongSettings
from shared.settings import Settings

KEY, OTHER = "k" * 31 + "1", "mlm_0123456789_" + "ab" * 32


def keys(text: str) -> ServeKeys:
    return ServeKeys.of_settings(Settings(serve_keys=SecretStr(text)))


@pytest.mark.parametrize(
    ("headers", "admitted"),
    [
        ([], False),
        ([(b"x-api-key", KEY.encode())], True),
        ([(b"x-api-key", OTHER.encode())], True),
        ([(b"authorization", b"Bearer " + KEY.encode())], True),
        ([(b"authorization", b"Basic " + KEY.encode())], False),
        ([(b"x-api-key", KEY.encode()), (b"authorization", b"Bearer " + KEY.encode())], False),
        ([(b"x-api-key", KEY.encode()[:-1])], False),
        ([(b"x-api-key", b"")], False),
        ([(b"x-api-key", f"{KEY}\n{OTHER}".encode())], False),
        ([(b"x-api-key", b"\xff\xfe")], False),
        ([(b"cookie", b"mlmini_session=" + KEY.encode())], False),
    ],
)
def test_a_request_is_admitted_with_one_of_the_keys(headers: list[tuple[bytes, bytes]], admitted: bool) -> None:
    given = keys(f"{KEY}\r\n\n  {OTHER}\n")
    assert given.admit(headers) is admitted
    if not admitted:
        with pytest.raises(NotAuthenticated, match="Send one of the keys of this server in `X-API-Key`"):
            given.check(headers)


def test_without_keys_everybody_is_admitted() -> None:
    none = ServeKeys.of_settings(Settings())
    assert (none.are_asked_for, none.admit([])) == (False, True)
    assert keys(KEY).are_asked_for


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n \n", "there are 0 keys"),
        (f"{KEY}\nhush\n\nhush, hush, and forget about this key\n", "there is no key on line 2, 4"),
        ("ä" * 40, "there is no key on line 1"),
        ("k" * 513, "there is no key on line 1"),
        ("\n".join(f"{n:040d}" for n in range(101)), "there are 101 keys"),
    ],
)
def test_what_is_no_key_is_told_without_being_shown(text: str, said: str) -> None:
    with pytest.raises(WrongSettings, match=said) as wrong:
        keys(text)
    assert "hush" not in wrong.value.detail
