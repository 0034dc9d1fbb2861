"""The audit record is whole, or the first entry that is wrong is found; on both databases."""

import json
import operator
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial, reduce
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from shared.audit import listing, verifying
from shared.audit.actions import Action, AuditOutcome, Via
from shared.audit.chain import AuditKey, seal_of
from shared.audit.listing import AuditFilter, exported_lines, list_entries
from shared.audit.recording import AuditEntry, record
from shared.audit.rows import AuditHeadRow, AuditRow
from shared.audit.verifying import AuditHead, ChainVerdict, verify
from shared.database import Database
from shared.errors import DatabaseDamaged
from tests.support.accounts import KEY, recorded
from tests.support.threads import at_once


@pytest.fixture
def record_of_five(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    recorded(database)
    for module in (verifying, listing):
        monkeypatch.setattr(module, "_BATCH", 2)
    for number in range(1, 6):
        add(database, f"model {number}", after={"stage": "dev", "größe": 1.5, "list": [1, None, True]})
    return database


def add(database: Database, subject: str, **values: Any) -> int:
    values = {"action": Action.MODEL_RETIRED, "actor": "anna", "via": Via.TOKEN} | values
    with database.write() as session:
        return record(session, AuditEntry(subject=subject, **values))


def verdict(database: Database, key: AuditKey = KEY, known: AuditHead | None = None) -> ChainVerdict:
    with database.read() as session:
        return verify(session, key, known)


def columns(row: AuditRow) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in AuditRow.__table__.columns}


def remove(session: Session, seq: int) -> None:
    session.execute(delete(AuditRow).where(AuditRow.seq == seq))


def cut(session: Session, *, head: bool) -> None:
    remove(session, 5)
    if head:
        last = session.get_one(AuditRow, 4)
        session.execute(update(AuditHeadRow).values(count=4, last_hash=last.hash))


def change(session: Session, seq: int, **values: Any) -> None:
    session.execute(update(AuditRow).where(AuditRow.seq == seq).values(**values))


def exchange(session: Session) -> None:
    """Entries 2 and 3 change places, with all that they hold."""
    two, three = (columns(session.get_one(AuditRow, seq)) for seq in (2, 3))
    del two["seq"], three["seq"]
    change(session, 2, **three)
    change(session, 3, **two)


def forge(session: Session) -> None:
    """One more entry, by somebody who does not have the key."""
    last = columns(session.get_one(AuditRow, 5))
    session.execute(insert(AuditRow).values(last | {"seq": 6, "previous_hash": last["hash"], "actor": "eve"}))


def forge_the_beginning(session: Session) -> None:
    """An entry before the first one, by somebody who does not have the key."""
    session.execute(insert(AuditRow).values(columns(session.get_one(AuditRow, 1)) | {"seq": 0, "actor": "eve"}))


def copy_the_end(session: Session) -> None:
    """The last entry replaced by nothing, and the one before counted as if it were the last but one."""
    session.execute(update(AuditHeadRow).values(count=4))


def move_all(session: Session) -> None:
    """The first entry goes, and the others move up."""
    remove(session, 1)
    for seq in range(2, 6):
        session.execute(update(AuditRow).where(AuditRow.seq == seq).values(seq=seq - 1))


def forge_the_last_hash(session: Session) -> None:
    session.execute(update(AuditHeadRow).values(last_hash="0" * 64))


def lose_the_head(session: Session) -> None:
    session.execute(delete(AuditHeadRow))


FORGERIES: dict[str, tuple[Callable[[Session], None], int, str]] = {
    "the first one removed": (partial(remove, seq=1), 1, "was removed"),
    "one removed": (partial(remove, seq=3), 3, "was removed"),
    "the last one removed": (partial(cut, head=False), 5, "Entry 5 was removed: there were 5."),
    "the last one removed and the count set back": (
        partial(cut, head=True),
        5,
        "was changed: entry 5 and those behind it",
    ),
    "the count set back": (copy_the_end, 6, "5 entries are there, and 4 were counted"),
    "the row of the count removed": (lose_the_head, 6, "is gone"),
    "another actor": (partial(change, seq=2, actor="bert"), 2, "was changed"),
    "another value": (partial(change, seq=4, after={"stage": "production"}), 4, "was changed"),
    "another outcome": (partial(change, seq=4, outcome="refused"), 4, "was changed"),
    "another request": (partial(change, seq=1, request_id="r"), 1, "was changed"),
    "two exchanged": (exchange, 2, "was changed"),
    "all moved up": (move_all, 1, "was changed"),
    "one added": (forge, 6, "was changed"),
    "one added before the first": (forge_the_beginning, 0, "was added"),
    "a hash of other letters": (partial(change, seq=3, hash="é" * 64), 3, "cannot be read"),
    "another last hash": (forge_the_last_hash, 6, "The count of the entries was changed"),
    "another key": (partial(change, seq=5, key_id="0" * 16), 5, "was recorded with the key"),
}


@pytest.mark.asvs("16.4.2")
def test_a_change_of_any_column_of_an_entry_is_found(record_of_five: Database) -> None:
    with record_of_five.read() as session:
        third = columns(session.get_one(AuditRow, 3))
    assert len(third) == 14
    for name, value in third.items():
        other = value + timedelta(seconds=1) if name == "at" else 9 if name == "seq" else "x"
        with record_of_five.write() as session:
            session.execute(update(AuditRow).where(AuditRow.seq == 3).values({name: other}))
            found = verify(session, KEY)
            session.rollback()
        assert found.seq == 3, name


@pytest.mark.asvs("16.4.2")
def test_an_entry_of_before_a_backup_was_brought_back_does_not_fit_what_came_after(record_of_five: Database) -> None:
    with record_of_five.write() as session:
        last, head = columns(session.get_one(AuditRow, 5)), session.get_one(AuditHeadRow, 1)
        before = {"last_hash": head.last_hash, "seal": head.seal}
        # As the backup has it.
        session.execute(delete(AuditRow).where(AuditRow.seq > 3))
        third = session.get_one(AuditRow, 3).hash
        session.execute(update(AuditHeadRow).values(count=3, last_hash=third, seal=seal_of(KEY, 3, third)))
    for number in (4, 5):
        add(record_of_five, f"another model {number}")
    assert verdict(record_of_five).whole
    with record_of_five.write() as session:
        change(session, **last)
        session.execute(update(AuditHeadRow).values(before))
    found = verdict(record_of_five)
    assert (found.seq, "does not follow the one before it" in found.problem) == (5, True)


def test_a_record_is_whole_and_can_be_read_as_pages_and_lines(record_of_five: Database) -> None:
    found = verdict(record_of_five)
    assert (found.whole, found.head.count, found.problem) == (True, 5, "")
    assert verdict(record_of_five, known=found.head).whole
    assert verdict(record_of_five, AuditKey(b"x" * 32)).seq == 1
    add(record_of_five, "user bert", action=Action.LOGIN_REFUSED, actor="anonymous", outcome=AuditOutcome.REFUSED)
    later = verdict(record_of_five, known=found.head)
    assert (later.whole, later.head.count) == (True, 6)
    with record_of_five.read() as session:
        newest = list_entries(session, limit=2)
        assert [row.seq for row in newest] == [6, 5]
        assert [row.seq for row in list_entries(session, limit=9, before=3)] == [2, 1]
        assert [row.at for row in newest] == sorted((row.at for row in newest), reverse=True)
        assert newest[1].previous_hash == list_entries(session, limit=1, before=5)[0].hash
        for wanted, seqs in {
            AuditFilter(actor="anna", subject="model 2"): [2],
            AuditFilter(action=Action.LOGIN_REFUSED): [6],
            AuditFilter(outcome=AuditOutcome.REFUSED, until=newest[0].at): [],
            AuditFilter(since=newest[0].at, until=newest[0].at + timedelta(days=1)): [6],
        }.items():
            assert [row.seq for row in list_entries(session, wanted, limit=9)][:1] == seqs[:1]
    lines = [json.loads(line) for line in exported_lines(record_of_five)]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[0]["after"] == {"stage": "dev", "größe": 1.5, "list": [1, None, True]}
    assert lines[0]["before"] is None


@pytest.mark.asvs("16.4.2")
def test_the_first_entry_that_is_wrong_is_named_whatever_was_done(record_of_five: Database) -> None:
    for name, (forgery, seq, problem) in FORGERIES.items():
        with record_of_five.write() as session:
            forgery(session)
            session.flush()
            found = verify(session, KEY)
            session.rollback()
        assert (found.seq, problem in found.problem) == (seq, True), (name, found)
    assert verdict(record_of_five).whole


@pytest.mark.parametrize(("column", "value"), [("at", "'never'"), ("after", "'{'"), ("actor", "x'00'")])
def test_an_entry_that_cannot_be_read_is_named(sqlite_url: str, column: str, value: str) -> None:
    with closing(recorded(Database(sqlite_url))) as database:
        for number in range(1, 6):
            add(database, f"model {number}")
        with database.write() as session:
            session.execute(text(f"update audit_entries set {column} = {value} where seq = 4"))  # noqa: S608 - fixed
        found = verdict(database)
    assert (found.seq, found.head.count, "cannot be read" in found.problem) == (4, 3, True)


def test_a_whole_record_that_is_not_the_one_of_before_is_found(record_of_five: Database) -> None:
    longer = AuditHead(9, "0" * 64)
    assert verdict(record_of_five, known=longer).seq == 6
    assert verdict(record_of_five, known=AuditHead(2, "0" * 64)).seq == 2


def test_entries_that_are_added_while_the_record_is_read_are_no_forgery(
    record_of_five: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind, added = verifying._behind, list[int]()

    def read_slowly(session: Session, seq: int) -> Iterator[AuditRow]:
        yield from behind(session, seq)
        if not added:
            added.append(add(record_of_five, "model 6"))

    monkeypatch.setattr(verifying, "_behind", read_slowly)
    assert verdict(record_of_five).whole
    assert added == [6]


def test_writers_at_once_make_one_chain(database: Database) -> None:
    recorded(database)

    def write(name: str) -> list[int]:
        return [add(database, f"dataset {name}") for _ in range(10)]

    written = at_once(*(partial(write, name) for name in ("a", "b", "c")))
    assert sorted(reduce(operator.iadd, written, [])) == list(range(1, 31))
    found = verdict(database)
    assert (found.whole, found.head.count) == (True, 30)


def test_what_is_rolled_back_leaves_no_gap(record_of_five: Database) -> None:
    class Refused(Exception):
        pass

    def give_up() -> None:
        with record_of_five.write() as session:
            record(session, AuditEntry(action=Action.LOGIN, subject="user a", actor="a", via=Via.PASSWORD))
            raise Refused

    with pytest.raises(Refused):
        give_up()
    assert add(record_of_five, "model 6") == 6
    assert verdict(record_of_five).whole


def test_what_no_database_keeps_or_is_too_long_is_recorded_so_that_it_shows(database: Database) -> None:
    recorded(database)
    add(database, "größe \0\ud800\u202e" + "x" * 500, after={"text": "\0\ud800", "all": "y" * 10_000}, address="\n")
    with database.read() as session:
        row = session.scalars(select(AuditRow)).one()
    assert row.subject.startswith("größe \\x00\\ud800\\u202exxx")
    assert (len(row.subject), row.subject[-1], row.address) == (256, "…", "\\n")
    assert row.after == {"left_out_bytes": row.after["left_out_bytes"], "sha256": row.after["sha256"]}
    assert verdict(database).whole


def test_nothing_is_recorded_without_the_row_that_counts(database: Database) -> None:
    recorded(database)
    with database.write() as session:
        lose_the_head(session)
    with pytest.raises(DatabaseDamaged, match="counts the entries"):
        add(database, "model 1")
