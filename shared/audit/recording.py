"""Adds an entry to the record, in the transaction of the change that it tells about."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.audit.actions import Action, AuditOutcome, Via
from shared.audit.chain import AuditKey, hash_of, key_of, seal_of
from shared.audit.rows import (
    LONGEST_ACTOR,
    LONGEST_ADDRESS,
    LONGEST_REQUEST_ID,
    LONGEST_SUBJECT,
    AuditHeadRow,
    AuditRow,
)
from shared.clock import Now
from shared.errors import DatabaseDamaged

_MOST_BYTES = 8192


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """What to record. `before` and `after` are small JSON values, without secrets or cells of tables."""

    action: Action
    subject: str
    actor: str
    via: Via
    before: Any = None
    after: Any = None
    outcome: AuditOutcome = AuditOutcome.DONE
    request_id: str | None = None
    address: str | None = None


def record(session: Session, entry: AuditEntry) -> int:
    """Add an entry and return its number. Do it last: other transactions with an entry wait until this one ends.

    Raises:
        DatabaseDamaged: when the row that counts the entries is gone.
        KeyError: when the database has no key to record with (`use_key`).
    """
    key = key_of(session)
    # PostgreSQL locks the row from here to the end of the transaction; SQLite has locked the whole database.
    counted = update(AuditHeadRow).where(AuditHeadRow.id == 1).values(count=AuditHeadRow.count + 1)
    head = session.execute(counted.returning(AuditHeadRow.count, AuditHeadRow.last_hash)).one_or_none()
    if head is None:
        raise DatabaseDamaged(
            "The row of the database that counts the entries of the audit record is gone. Bring the database back "
            "from a backup."
        )
    row = _row_of(entry, key)
    row.seq, row.previous_hash = head
    # After the lock, so that no entry is earlier than the one before it.
    row.at = session.execute(select(Now())).scalar_one()
    row.hash = hash_of(key, row)
    session.add(row)
    sealed = {"last_hash": row.hash, "key_id": key.id, "seal": seal_of(key, row.seq, row.hash)}
    session.execute(update(AuditHeadRow).where(AuditHeadRow.id == 1).values(sealed))
    return row.seq


def _row_of(entry: AuditEntry, key: AuditKey) -> AuditRow:
    return AuditRow(
        actor=plain_text(entry.actor, LONGEST_ACTOR),
        via=entry.via,
        action=entry.action,
        subject=plain_text(entry.subject, LONGEST_SUBJECT),
        before=_small(entry.before),
        after=_small(entry.after),
        outcome=entry.outcome,
        request_id=None if entry.request_id is None else plain_text(entry.request_id, LONGEST_REQUEST_ID),
        address=None if entry.address is None else plain_text(entry.address, LONGEST_ADDRESS),
        key_id=key.id,
    )


def plain_text(text: str, most: int) -> str:
    """The text as the record holds it: in one line, which every database stores unchanged."""
    plain = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def _small(value: Any) -> Any:
    """The value as JSON returns it, or its digest if it is too large for the record."""
    if value is None:
        return None
    text = json.dumps(value, sort_keys=True, allow_nan=False)
    if len(text) > _MOST_BYTES:
        return {"left_out_bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return json.loads(text)
