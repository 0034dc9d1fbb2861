"""The variable that says what the tests of the API and of the worker run on."""

import pytest

from tests.support.stack import EMBEDDED, FULL, VARIABLE, chosen_stacks


def test_the_embedded_stack_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert chosen_stacks() == (EMBEDDED,)


@pytest.mark.parametrize(("value", "stacks"), [("full", (FULL,)), ("both", (EMBEDDED, FULL))])
def test_the_variable_chooses_others(monkeypatch: pytest.MonkeyPatch, value: str, stacks: tuple[str, ...]) -> None:
    monkeypatch.setenv(VARIABLE, value)
    assert chosen_stacks() == stacks


@pytest.mark.parametrize("value", ["", "Full", "postgresql"])
def test_any_other_value_stops_the_run_with_a_sentence(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ValueError, match=f"{VARIABLE} is '{value}'. Set it to 'embedded' .* to 'full' .* or to 'both'"):
        chosen_stacks()
