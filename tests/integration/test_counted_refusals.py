"""Refusals in the audit record: however many there are, few entries tell of all of them."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.accounts.refusals import CountedRefusals
from shared.audit.actions import ANONYMOUS, Action, AuditOutcome, Via
from shared.audit.listing import list_entries
from shared.audit.recording import AuditEntry
from shared.audit.rows import AuditRow
from shared.audit.verifying import verify
from shared.database import Database
from shared.errors import DatabaseUnavailable
from tests.support.accounts import KEY, recorded
from tests.support.threads import at_once

HERE = "10.0.0.1"


@pytest.fixture
def refusals(database: Database) -> CountedRefusals:
    """Those of one process."""
    return CountedRefusals(recorded(database), most_addresses=5)


def refused(subject: str = "user anna", *, actor: str = ANONYMOUS, address: str = HERE, **more: Any) -> AuditEntry:
    given = {"action": Action.LOGIN_REFUSED, "via": Via.PASSWORD, "outcome": AuditOutcome.REFUSED} | more
    return AuditEntry(subject=subject, actor=actor, address=address, **given)


def entries(database: Database) -> list[AuditRow]:
    """All entries, the oldest first, after a look whether they are whole."""
    with database.read() as session:
        assert verify(session, KEY).whole
        return list_entries(session, limit=1000)[::-1]


def told(rows: list[AuditRow]) -> int:
    """Of how many refusals entries tell."""
    return sum(row.after["more"] if row.after else 1 for row in rows)


def test_the_first_one_is_written_at_once_and_the_others_are_one_entry(
    database: Database, refusals: CountedRefusals
) -> None:
    for number in range(1000):
        refusals.note(refused(f"user number{number % 3}", request_id=f"id-{number}"))
    (first,) = entries(database)
    assert (first.subject, first.request_id, first.after) == ("user number0", "id-0", None)
    with capture_logs() as lines:
        refusals.write_counts()
    _, others = rows = entries(database)
    assert told(rows) == 1000
    subjects = {"user number0": 333, "user number1": 333, "user number2": 333}
    assert others.after == {"more": 999, "after_entry": 1, "subjects": subjects}
    assert (others.subject, others.address, others.request_id) == ("several", HERE, None)
    assert (others.action, others.outcome, others.actor) == ("login_refused", "refused", "anonymous")
    assert [(line["event"], line["more"]) for line in lines] == [("refusals_counted", 999)]
    refusals.write_counts()
    assert len(entries(database)) == 2
    # Then it begins anew.
    refusals.note(refused())
    assert len(entries(database)) == 3


def test_each_user_each_address_and_each_action_has_a_count_of_its_own(
    database: Database, refusals: CountedRefusals
) -> None:
    for _ in range(2):
        refusals.note(refused())
        refusals.note(refused(address="10.0.0.2"))
        refusals.note(refused(action=Action.ACCESS_REFUSED))
        for number in range(20):
            refusals.note(refused("GET /users", actor=f"user{number}", action=Action.ACCESS_REFUSED))
    # A network of IPv6 is one place; a user is one, from wherever.
    refusals.note(refused(address="2001:db8::1"))
    refusals.note(refused(address="2001:db8::2"))
    refusals.note(refused("GET /users", actor="user0", action=Action.ACCESS_REFUSED, address="10.0.0.9"))
    assert len(entries(database)) == 24
    refusals.write_counts()
    rows = entries(database)
    assert (len(rows), told(rows)) == (48, 49)
    (user0,) = [row for row in rows if row.actor == "user0" and row.after]
    assert (user0.subject, user0.after["more"]) == ("GET /users", 2)


def test_from_however_many_addresses_they_come_a_few_entries_tell_of_all(
    database: Database, refusals: CountedRefusals
) -> None:
    for number in range(600):
        refusals.note(refused(address=f"10.{number % 3}.0.{number // 3}"))
    refusals.write_counts()
    rows = entries(database)
    assert told(rows) == 600
    # Five addresses, the first of all others, and the count of these.
    assert len(rows) == 7
    assert (rows[-1].address, rows[-1].after["more"]) == (None, 594)
    assert len(refusals._refused) == 0


# The record writes what is not ASCII as six or twelve characters.
@pytest.mark.parametrize("letter", ["a", "ä", "\N{OTTER}"])
def test_what_a_count_is_about_is_told_in_few_words_whatever_was_asked_for(
    database: Database, refusals: CountedRefusals, letter: str
) -> None:
    for number in range(100):
        refusals.note(refused(f"GET /{number}/{letter * 5000}"))
    refusals.write_counts()
    subjects = entries(database)[-1].after["subjects"]
    assert (len(subjects), subjects["others"], sum(subjects.values())) == (11, 89, 99)


def test_while_the_database_is_away_they_are_counted_and_written_later(
    database: Database, refusals: CountedRefusals, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Database, "write", _away)
        with capture_logs() as lines:
            for _ in range(3):
                refusals.note(refused())
        assert [line["event"] for line in lines] == ["refusal_not_yet_recorded"]
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                refusals.write_counts()
    refusals.note(refused("user bert"))
    refusals.write_counts()
    (row,) = entries(database)
    assert row.after == {"more": 4, "subjects": {"user anna": 3, "user bert": 1}}


def _away(_database: Database) -> None:
    raise DatabaseUnavailable


def test_those_at_once_are_counted_without_one_missing(database: Database, refusals: CountedRefusals) -> None:
    def refuse() -> None:
        for number in range(50):
            refusals.note(refused())
            if number % 25 == 0:
                refusals.write_counts()

    at_once(*[refuse] * 8)
    refusals.write_counts()
    assert told(entries(database)) == 400


def test_what_was_done_is_never_counted(database: Database, refusals: CountedRefusals) -> None:
    with pytest.raises(ValueError, match="Only refusals"):
        refusals.note(refused(outcome=AuditOutcome.DONE))
    assert entries(database) == []
