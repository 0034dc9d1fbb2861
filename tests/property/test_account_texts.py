"""Whatever is sent as a name, a token or a key, it is one that was given out, or it is refused."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from shared.accounts.api_keys import is_key
from shared.accounts.names import checked_name, is_name
from shared.accounts.passwords import checked_password
from shared.errors import InvalidUserName, NotAuthenticated, WeakPassword
from tests.support.accounts import TOKENS

NAMES = st.text() | st.text(alphabet="abz09._-@/\\%~A\0\u0301\u202eé", max_size=70)
TEXTS = st.text() | st.text(alphabet="mlm_abcf0123.eyJ-\0\ud800", max_size=90)


@given(NAMES)
@example("anna")
@example("a" * 65)
def test_a_name_is_taken_as_it_is_and_safe_everywhere_or_refused(raw: str) -> None:
    try:
        name = checked_name(raw)
    except InvalidUserName:
        assert not is_name(raw)
        return
    assert name == raw
    assert is_name(raw)
    assert re.fullmatch(r"[a-z0-9][a-z0-9._@-]{0,63}", name)
    assert ".." not in name


@given(TEXTS)
@example("mlm_abcdefghij_" + "0" * 64 + "\n")
def test_no_text_is_a_token_and_only_the_form_of_a_key_is_one(text: str) -> None:
    try:
        TOKENS.read(text)
    except NotAuthenticated:
        pass
    else:
        raise AssertionError(text)
    assert is_key(text) is (re.fullmatch(r"mlm_[a-z0-9]{10}_[0-9a-f]{64}", text) is not None)


@given(st.text(max_size=200), NAMES)
@example("x" * 128 + "\u0301", "a")
def test_a_password_that_is_taken_has_a_length_within_the_bounds_and_can_be_encoded(raw: str, name: str) -> None:
    try:
        password = checked_password(raw, name=name)
    except WeakPassword:
        return
    assert 12 <= len(password) <= 128
    assert password.encode()
