"""The record in pages, newest first, and as a whole for an export."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from shared.audit.actions import Action, AuditOutcome
from shared.audit.recording import plain_text
from shared.audit.rows import LONGEST_ACTOR, LONGEST_SUBJECT, AuditRow
from shared.database import Database

_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """Which entries are asked for: from `since` on, and before `until`."""

    actor: str | None = None
    action: Action | None = None
    subject: str | None = None
    outcome: AuditOutcome | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_entries(
    session: Session, wanted: AuditFilter | None = None, *, limit: int, before: int | None = None
) -> list[AuditRow]:
    """Entries, the newest first; `before` is the number of the last entry of the page before."""
    query = _filtered(select(AuditRow), wanted or AuditFilter())
    if before is not None:
        query = query.where(AuditRow.seq < before)
    return list(session.scalars(query.order_by(AuditRow.seq.desc()).limit(limit)))


def exported_lines(database: Database, wanted: AuditFilter | None = None) -> Iterator[str]:
    """All entries as JSON lines, the oldest first.

    A few hundred are read at a time, in a transaction of their own, so that a slow reader keeps none open.
    """
    seq = 0
    query = _filtered(select(AuditRow), wanted or AuditFilter()).order_by(AuditRow.seq).limit(_BATCH)
    while True:
        with database.read() as session:
            rows = session.scalars(query.where(AuditRow.seq > seq)).all()
        if not rows:
            return
        for row in rows:
            yield json.dumps(shown(row), ensure_ascii=False) + "\n"
        seq = rows[-1].seq


def shown(row: AuditRow) -> dict[str, Any]:
    """An entry in the form of its JSON."""
    columns = {column.name: getattr(row, column.name) for column in AuditRow.__table__.columns}
    return columns | {"at": row.at.isoformat()}


def _filtered(query: Select[AuditRow], wanted: AuditFilter) -> Select[AuditRow]:
    equal = {
        AuditRow.actor: wanted.actor and plain_text(wanted.actor, LONGEST_ACTOR),
        AuditRow.action: wanted.action,
        AuditRow.subject: wanted.subject and plain_text(wanted.subject, LONGEST_SUBJECT),
        AuditRow.outcome: wanted.outcome,
    }
    query = query.where(*(column == value for column, value in equal.items() if value is not None))
    if wanted.since is not None:
        query = query.where(AuditRow.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditRow.at < wanted.until)
    return query
