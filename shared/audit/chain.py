"""How the entries are bound to each other, and the key for that."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from sqlalchemy.orm import Session

from shared.audit.rows import AuditRow
from shared.database import Database
from shared.key_derivation import HasOlder, HasSecret, derived_key

# The first entry has this as the hash of the entry before it.
NOTHING = "0" * 64

_ENTRY = b"mlmini audit entry 1\0"
_HEAD = b"mlmini audit head 1\0"
_PLACE = "audit key"


@dataclass(frozen=True)
class AuditKey:
    """The key that entries are hashed with; without it, whoever can write rows cannot make one that fits."""

    secret: bytes = field(repr=False)
    # The keys before it, the newest first. They only check the entries that they have hashed.
    older: tuple["AuditKey", ...] = ()

    @property
    def id(self) -> str:
        """A short name of the key that tells nothing about it."""
        return hashlib.sha256(b"mlmini audit key id\0" + self.secret).hexdigest()[:16]


def audit_key_of(key: HasOlder) -> AuditKey:
    """The audit key that belongs to an artifact key, with those of older artifact keys."""
    older = (*map(record_secret, key.older), *key.given_up)
    return AuditKey(record_secret(key), tuple(map(AuditKey, older)))


def record_secret(key: HasSecret) -> bytes:
    """The secret that is derived from an artifact key for the audit record, and for nothing else."""
    return derived_key(key, "audit")


def use_key(database: Database, key: AuditKey) -> None:
    """Make all sessions of the database record with this key."""
    database.info[_PLACE] = key


def key_of(session: Session) -> AuditKey:
    """The key that the session records with.

    Raises:
        KeyError: when nobody has called `use_key` for its database.
    """
    key: AuditKey = session.info[_PLACE]
    return key


def hash_of(key: AuditKey, row: AuditRow) -> str:
    """The hash of an entry: over all columns but `hash`, the same on every database."""
    names = [column.name for column in AuditRow.__table__.columns if column.name != "hash"]
    columns = {name: getattr(row, name) for name in names}
    columns["at"] = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    return _mac(key, _ENTRY, columns)


def seal_of(key: AuditKey, count: int, last_hash: str) -> str:
    """The seal of the number of entries and the last hash, which only the holder of the key can make."""
    return _mac(key, _HEAD, [count, last_hash])


def _mac(key: AuditKey, form: bytes, facts: Any) -> str:
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hmac.new(key.secret, form + canonical.encode(), hashlib.sha256).hexdigest()
