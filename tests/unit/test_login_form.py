"""The form of the login, as browsers and managers of passwords find it, and what a login hands out."""

import base64
import re

import pytest

from api.pages.login import page_of_login
from shared.accounts.permissions import Role
from shared.accounts.sessions import IssuedTokens
from shared.database import Database
from tests.support.accounts import PASSWORD, add_user, cheap_passwords, hashed, logins


def fields() -> dict[str, str]:
    """The fields of the form with their attributes."""
    page = bytes(page_of_login("/docs").body).decode()
    return {found[1]: found[0] for found in re.findall(r'(<input[^>]*name="(\w+)"[^>]*>)', page)}


@pytest.mark.asvs("6.2.6")
def test_the_field_for_the_password_hides_what_is_typed() -> None:
    assert 'type="password"' in fields()["password"]


@pytest.mark.asvs("6.2.7")
def test_managers_of_passwords_may_fill_the_form_in_and_anybody_may_paste() -> None:
    assert 'autocomplete="current-password"' in fields()["password"]
    assert 'autocomplete="username"' in fields()["name"]
    for field in fields().values():
        assert re.search(r"onpaste|readonly|disabled|maxlength|autocomplete=\"off\"", field) is None


@pytest.mark.asvs("6.2.8")
@pytest.mark.parametrize("other", [PASSWORD.upper(), f"{PASSWORD} ", f" {PASSWORD}", PASSWORD[:-1], f"{PASSWORD}\n"])
def test_a_password_is_compared_as_it_was_sent(other: str) -> None:
    assert cheap_passwords().check(PASSWORD, hashed()).right
    assert not cheap_passwords().check(other, hashed()).right


@pytest.mark.asvs("7.2.2", "7.2.3", "11.5.1")
def test_each_login_has_tokens_of_its_own_of_enough_random_bits(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    add_user(database, "anna", Role.VIEWER)
    first, second = (logins(database).log_in("anna", PASSWORD) for _ in range(2))
    database.close()
    assert len({first.refresh_token, second.refresh_token}) == len({first.session_id, second.session_id}) == 2
    assert first.access_token != second.access_token
    for issued in (first, second):
        assert bits_of(issued) == (256, 128)


def bits_of(issued: IssuedTokens) -> tuple[int, int]:
    """How much of the token for a refresh, and of the number of the login, was drawn."""
    texts = (issued.refresh_token.removeprefix("mlr_"), issued.session_id)
    first, second = (8 * len(base64.urlsafe_b64decode(f"{text}==")) for text in texts)
    return first, second
