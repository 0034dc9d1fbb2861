"""The variable that says what the tests of the API and of the worker run on."""

import pytest

from tests.support.stack import EMBEDDED, FULL, VARIABLE, chosen_stack


def test_the_embedded_stack_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert chosen_stack() == EMBEDDED


def test_the_variable_chooses_the_full_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, FULL)
    assert chosen_stack() == FULL


@pytest.mark.parametrize("value", ["", "Full", "postgresql"])
def test_any_other_value_stops_the_run_with_a_sentence(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ValueError, match=f"{VARIABLE} is '{value}'. Set it to 'embedded' .* or to 'full'"):
        chosen_stack()
