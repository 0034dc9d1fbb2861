"""Verifies that the record is whole: nothing was changed, removed, moved, or added by somebody without the key."""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.audit.chain import NOTHING, AuditKey, hash_of, seal_of
from shared.audit.rows import AuditHeadRow, AuditRow

_BATCH = 500
# What reading a column raises if it holds no valid time, JSON or text.
_UNREADABLE = (TypeError, ValueError)


@dataclass(frozen=True)
class AuditHead:
    """The number of entries and the last hash. If you keep it elsewhere, it shows later that none was removed."""

    count: int
    last_hash: str


class KeysInOrder:
    """The keys that the entries were recorded with: each entry has the key of the one before it, or a newer key."""

    def __init__(self, key: AuditKey) -> None:
        self._keys = [*reversed(key.older), key]
        self._at = 0

    @property
    def last(self) -> AuditKey:
        """The key of the last entry that was checked."""
        return self._keys[self._at]

    def problem(self, row: AuditRow) -> str | None:
        """What is wrong with the key of the next entry, if anything is."""
        at = next((at for at, key in enumerate(self._keys) if key.id == row.key_id), None)
        if at is None:
            return (
                f"Entry {row.seq} was recorded with the key {row.key_id}, and this process has {self._keys[-1].id}: it "
                "cannot tell whether the entry is as it was. Give it the artifact key of that time, or take the entry "
                "for forged."
            )
        if at < self._at:
            return (
                f"Entry {row.seq} was recorded with the key {row.key_id} after the newer {self.last.id} had come: "
                "somebody who has the older key added it, or a process that still had it, or the keys are not in "
                "their order, the newest first."
            )
        self._at = at
        return None


@dataclass(frozen=True)
class ChainVerdict:
    """The result; `seq` is the first entry that is wrong or missing, None if all is well."""

    head: AuditHead
    seq: int | None = None
    problem: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.seq is None


def verify(session: Session, key: AuditKey, known: AuditHead | None = None) -> ChainVerdict:
    """Check all entries, a few hundred at a time; `known` is the head of an earlier verification, if it was kept.

    Entries that are added meanwhile are checked, too.
    """
    last, keys = AuditHead(0, NOTHING), KeysInOrder(key)
    first = session.scalar(select(func.min(AuditRow.seq)))
    if first is not None and first < 1:
        return ChainVerdict(last, first, f"Entry {first} was added: the record begins with entry 1.")
    while True:
        for each in _followed(session, keys, last, known):
            if isinstance(each, str):
                return ChainVerdict(last, last.count + 1, each)
            last = each
        # In one statement, so that both are of the same moment.
        newest = select(func.coalesce(func.max(AuditRow.seq), 0)).scalar_subquery()
        found = session.execute(select(AuditHeadRow, newest).where(AuditHeadRow.id == 1)).one_or_none()
        if found is None or found[1] <= last.count:
            break
    problem = _end_problem(keys.last, found[0] if found is not None else None, last, known)
    return ChainVerdict(last) if problem is None else ChainVerdict(last, last.count + 1, problem)


def is_backwards(session: Session, key: AuditKey) -> bool:
    """A quick check: whether the record ends with an older key although it has entries of the present one."""
    last = session.scalar(select(AuditHeadRow.key_id))
    if last not in {older.id for older in key.older}:
        return False
    return session.scalar(select(AuditRow.seq).where(AuditRow.key_id == key.id).limit(1)) is not None


def _followed(
    session: Session, keys: KeysInOrder, last: AuditHead, known: AuditHead | None
) -> Iterator[AuditHead | str]:
    """The head after each good entry; at the end, what is wrong with the next entry, if anything is."""
    try:
        for row in _behind(session, last.count):
            problem = _problem(keys, row, last) or _not_as_known(row, known)
            if problem is not None:
                yield problem
                return
            last = AuditHead(row.seq, row.hash)
            yield last
    except _UNREADABLE:
        yield f"Entry {last.count + 1} was changed: it holds what is never written there, and cannot be read."


def _behind(session: Session, seq: int) -> Iterator[AuditRow]:
    most = _BATCH
    while True:
        query = select(AuditRow).where(AuditRow.seq > seq).order_by(AuditRow.seq)
        try:
            rows = session.scalars(query.limit(most)).all()
        except _UNREADABLE:
            if most == 1:
                raise
            # Read them one by one, to find out which one it is.
            most = 1
            continue
        if not rows:
            return
        yield from rows
        seq = rows[-1].seq
        session.expunge_all()


def _problem(keys: KeysInOrder, row: AuditRow, last: AuditHead) -> str | None:
    due = last.count + 1
    if row.seq != due:
        return f"Entry {due} was removed: entry {row.seq} follows entry {last.count}."
    problem = keys.problem(row)
    if problem is not None:
        return problem
    if not hmac.compare_digest(hash_of(keys.last, row), row.hash):
        return f"Entry {due} was changed, or another one was put in its place."
    if not hmac.compare_digest(row.previous_hash, last.last_hash):
        return f"Entry {due} does not follow the one before it: entries were exchanged."
    return None


def _not_as_known(row: AuditRow, known: AuditHead | None) -> str | None:
    if known is not None and row.seq == known.count and row.hash != known.last_hash:
        return f"Entry {row.seq} is not the one that was the last when its hash was kept: the record was made anew."
    return None


def _end_problem(key: AuditKey, head: AuditHeadRow | None, last: AuditHead, known: AuditHead | None) -> str | None:
    due = last.count + 1
    if head is None:
        return "The row that counts the entries is gone, so that the last ones may be, too."
    if head.count > last.count:
        return f"Entry {due} was removed: there were {head.count}."
    if head.count < last.count:
        return f"{last.count} entries are there, and {head.count} were counted: the count was set back."
    sealed = (last.last_hash, key.id, seal_of(key, last.count, last.last_hash))
    if head.count and (head.last_hash, head.key_id, head.seal) != sealed:
        return f"The count of the entries was changed: entry {due} and those behind it may have been removed."
    if known is not None and known.count > last.count:
        return f"Entry {due} was removed: there were {known.count} when the hash of the last one was kept."
    return None
