"""Records refusals in the audit record, without letting those who are refused fill the database.

The first refusal of an action to a user, or to an address whose user is not known, becomes an entry at once. Further
ones are counted in memory until `write_counts` adds one entry that says how many `more` there were.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from shared.accounts.networks import network_of
from shared.audit.actions import ANONYMOUS, Action, AuditOutcome
from shared.audit.recording import AuditEntry, plain_text, record
from shared.database import Database
from shared.errors import DatabaseFailure
from shared.logging import get_logger

log = get_logger(__name__)

# How many addresses have counts of their own between two writes; all others are counted together, by action.
_MOST_ADDRESSES = 100
# How many subjects of a count are named, and how much of each: an entry of the record has at most 8 KiB, and a
# character takes at most twelve bytes of it.
_MOST_SUBJECTS = 10
_LONGEST_SUBJECT = 60
_OTHERS = "others"

_Who = tuple[str, str, Action]


@dataclass
class _Refused:
    """Equal refusals since the last write. `first` stands for all of them, and is entry `seq` once it is written."""

    first: AuditEntry
    seq: int | None = None
    more: int = 0
    subjects: Counter[str] = field(default_factory=Counter)

    def count(self, subjects: Counter[str]) -> None:
        """Count further ones."""
        for subject, count in subjects.items():
            known = subject in self.subjects or len(self.subjects) < _MOST_SUBJECTS
            self.subjects[subject if known else _OTHERS] += count
            self.more += count


class CountedRefusals:
    """The refusals of one process. Nothing else is counted: what was done has an entry of its own."""

    def __init__(self, database: Database, *, most_addresses: int = _MOST_ADDRESSES) -> None:
        self._database = database
        self._most_addresses = most_addresses
        self._lock = threading.Lock()
        self._refused: dict[_Who, _Refused] = {}

    def note(self, entry: AuditEntry) -> None:
        """Record a refusal, or count it. While the database is away it is counted, and written later.

        Raises:
            ValueError: when the entry is no refusal: what was done is recorded in the transaction of the change.
        """
        if entry.outcome is not AuditOutcome.REFUSED:
            raise ValueError("Only refusals are counted.")
        with self._lock:
            key = self._key(entry)
            refused = self._refused.get(key)
            if refused is not None:
                refused.count(_subject_of(entry))
                return
            mine = self._refused[key] = _Refused(entry)
        try:
            with self._database.write() as session:
                mine.seq = record(session, entry)
        except DatabaseFailure:
            log.warning("refusal_not_yet_recorded", action=entry.action, actor=entry.actor, subject=entry.subject)
            self._count(key, entry, _subject_of(entry))

    def write_counts(self) -> None:
        """Add an entry for each count, and start counting again.

        Raises:
            DatabaseFailure: when the database does not answer; nothing is forgotten then.
        """
        with self._lock:
            taken, self._refused = self._refused, {}
        counted = {key: refused for key, refused in taken.items() if refused.more}
        if not counted:
            return
        try:
            with self._database.write() as session:
                for key, refused in counted.items():
                    record(session, _told(key, refused))
        except DatabaseFailure:
            for key, refused in counted.items():
                self._count(key, refused.first, refused.subjects)
            raise
        for (who, place, action), refused in counted.items():
            log.warning("refusals_counted", action=action, actor=who, address=place, more=refused.more)

    def _key(self, entry: AuditEntry) -> _Who:
        """Every user has counts of their own; addresses have, until there are too many."""
        if entry.actor != ANONYMOUS:
            return entry.actor, "", entry.action
        key = (ANONYMOUS, network_of(entry.address or ""), entry.action)
        crowded = sum(who == ANONYMOUS for who, _, _ in self._refused) >= self._most_addresses
        return (ANONYMOUS, _OTHERS, entry.action) if crowded and key not in self._refused else key

    def _count(self, key: _Who, first: AuditEntry, subjects: Counter[str]) -> None:
        with self._lock:
            self._refused.setdefault(key, _Refused(first)).count(subjects)


def _told(key: _Who, refused: _Refused) -> AuditEntry:
    """The entry of a count, without what differed from one refusal to the next."""
    _, place, _ = key
    told: dict[str, Any] = {"more": refused.more, "subjects": dict(refused.subjects.most_common())}
    if refused.seq is not None:
        told["after_entry"] = refused.seq
    return replace(
        refused.first,
        subject=refused.first.subject if len(refused.subjects) == 1 else "several",
        before=None,
        after=told,
        request_id=None,
        address=None if place == _OTHERS else refused.first.address,
    )


def _subject_of(entry: AuditEntry) -> Counter[str]:
    return Counter([plain_text(entry.subject, _LONGEST_SUBJECT)])
