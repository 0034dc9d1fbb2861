"""The variable that says what the tests of the API and of the worker run on."""

import pytest

from tests.support.stack import (
    BOTH,
    EMBEDDED,
    FULL,
    MIXED,
    POSTGRESQL,
    SQLITE,
    VARIABLE,
    chosen_stack,
    database_of_a_mixture,
    stacks_of,
)

NAMES = [f"tests/api/test_{number}.py::test_something" for number in range(1000)]


def test_the_embedded_stack_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert chosen_stack() == EMBEDDED


@pytest.mark.parametrize("value", [EMBEDDED, FULL, MIXED, BOTH])
def test_the_variable_chooses_others(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    assert chosen_stack() == value


@pytest.mark.parametrize("value", ["", "Full", "postgresql"])
def test_any_other_value_stops_the_run_with_a_sentence(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ValueError, match=f"{VARIABLE} is '{value}'. Set it to 'embedded' .* to 'full' .* or to 'both'"):
        chosen_stack()


@pytest.mark.parametrize(
    ("chosen", "stacks", "once"),
    [(EMBEDDED, (EMBEDDED,), EMBEDDED), (FULL, (FULL,), FULL), (BOTH, (EMBEDDED, FULL), EMBEDDED)],
)
def test_a_test_runs_on_what_is_chosen(chosen: str, stacks: tuple[str, ...], once: str) -> None:
    assert stacks_of(NAMES[0], chosen, once=False) == stacks
    assert stacks_of(NAMES[0], chosen, once=True) == (once,)


def test_of_a_mixture_each_test_has_one_stack_and_half_of_them_each() -> None:
    stacks = [stacks_of(name, MIXED, once=False) for name in NAMES]
    assert stacks == [stacks_of(name, MIXED, once=False) for name in NAMES]
    assert 450 < stacks.count((FULL,)) < 550
    assert stacks.count((FULL,)) + stacks.count((EMBEDDED,)) == len(NAMES)
    assert {stacks_of(name, MIXED, once=True) for name in NAMES} == {(EMBEDDED,)}


def test_of_a_mixture_each_test_of_a_part_has_one_database_and_half_of_them_each() -> None:
    databases = [database_of_a_mixture(name) for name in NAMES]
    assert databases == [database_of_a_mixture(name) for name in NAMES]
    assert 450 < databases.count(POSTGRESQL) < 550
    assert databases.count(POSTGRESQL) + databases.count(SQLITE) == len(NAMES)
