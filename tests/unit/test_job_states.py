"""The transition table, and that the documentation draws it."""

import re
from pathlib import Path

from shared.jobs.states import TERMINAL, TRANSITIONS, State, may_follow

PAGE = Path(__file__).parents[2] / "docs" / "job-lifecycle.md"


def test_terminal_states_have_no_exits() -> None:
    assert TERMINAL.isdisjoint(TRANSITIONS)
    assert not any(may_follow(before, after) for before in TERMINAL for after in State)


def test_every_state_can_be_reached_and_left_unless_it_is_the_end() -> None:
    assert reached_from(State.QUEUED) == set(State)
    for state in State:
        assert reached_from(state) >= TERMINAL if state not in TERMINAL else reached_from(state) == {state}


def reached_from(state: State) -> set[State]:
    """The state and all to which some way leads from it."""
    found, new = set[State](), {state}
    while new:
        found |= new
        new = {after for before in new for after in TRANSITIONS.get(before, {})} - found
    return found


def test_every_transition_has_an_act() -> None:
    assert all(acts for exits in TRANSITIONS.values() for acts in exits.values())
    assert may_follow(State.QUEUED, State.RUNNING)
    assert not may_follow(State.QUEUED, State.SUCCEEDED)


def test_the_page_draws_the_table() -> None:
    drawing = re.search(r"```mermaid\nstateDiagram-v2\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert drawing is not None
    arrows = re.findall(r"^    (\S+) --> (\S+?)(?:: (.+))?$", drawing[1], re.MULTILINE)
    assert len(arrows) == len(drawing[1].splitlines())
    drawn = {(before, after): set(acts.split(", ")) for before, after, acts in arrows}
    table = {
        (before.value, after.value): set(acts) for before, exits in TRANSITIONS.items() for after, acts in exits.items()
    }
    ends = {(state.value, "[*]"): {""} for state in TERMINAL}
    assert drawn == table | ends | {("[*]", "queued"): {"accept"}}


def test_the_page_explains_every_act_in_its_table() -> None:
    explained = set(re.findall(r"^\| (\w+) \|", PAGE.read_text(), re.MULTILINE))
    acts = {act for exits in TRANSITIONS.values() for after in exits.values() for act in after}
    assert acts <= explained
