"""A word in every place of the database that may hold something of a table, and a search for it in all places."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import JSON, Column, String, Table, select, update

from shared.database import Database
from shared.object_store import ObjectStore
from shared.object_store.shelves import Shelf, bucket_of
from shared.schema import metadata
from shared.settings import Settings

WORD = "sakyamuni7391"

# Tables with something of a table in them, and of their texts those that never have it: names that the platform and its
# users give, states, digests, codes and numbers. All others are planted, also those of a column that comes to be later.
PLANTED: dict[str, set[str]] = {
    "dataset_catalog": {"name", "location"},
    "dataset_versions": {"state", "object_key", "format", "sha256", "head_sha256", "owner"},
    "jobs": {"kind", "status", "dataset_name", "worker", "usage", "pool", "owner", "share"},
    "job_logs": set(),
    "model_registry": {"stage", "artifact_path"},
    "model_tags": set(),
    "compilations": set(),
    "model_assessment": set(),
    "model_pins": set(),
    "compiled_forms": {"form_path", "sha256", "hmac", "hmac_key_id"},
    "deployments": {"stage", "artifact_path", "sha256", "hmac", "hmac_key_id", "created_by"},
}
# Tables that only have names, digests, codes and moments.
BARE = {
    *("job_events", "idempotency_keys", "counters", "orphans", "discarded_objects"),
    *("own_estimators", "erased_models", "erased_dataset_versions", "prediction_outputs"),
    *("users", "api_keys", "login_sessions", "used_refresh_tokens", "audit_entries", "audit_head", "dataset_holders"),
}


def plant(database: Database) -> int:
    """Put the word wherever it may be, beside what is there, in all rows; in how many columns."""
    planted = 0
    with database.write() as session:
        for name, kept in PLANTED.items():
            table = metadata.tables[name]
            columns = [column for column in _texts(table) if column.name not in kept]
            planted += len(columns)
            for row in session.execute(select(table)).mappings().all():
                key = [column == row[column.name] for column in table.primary_key]
                values = {column.name: _with_word(column, row[column.name]) for column in columns}
                session.execute(update(table).where(*key).values(values))
    return planted


def found_in_rows(database: Database, *words: str) -> list[str]:
    """The columns in which one of the words still stands."""
    words = words or (WORD,)
    with database.read() as session:
        return sorted(
            {
                f"{table.name}.{column}"
                for table in metadata.tables.values()
                for row in session.execute(select(table)).mappings()
                for column, value in row.items()
                if any(word in json.dumps(value, default=str) for word in words)
            }
        )


def found_in_objects(store: ObjectStore, settings: Settings, *words: str) -> list[str]:
    """The keys of the objects in which one of the words still stands."""
    return sorted(
        entry.key
        for shelf in Shelf
        for entry in store.list(bucket_of(shelf, settings))
        if any(word.encode() in _bytes(store, bucket_of(shelf, settings), entry.key) for word in words or (WORD,))
    )


def _texts(table: Table) -> Iterator[Column[Any]]:
    return (column for column in table.columns if isinstance(column.type, String | JSON))


def _with_word(column: Column[Any], value: Any) -> Any:
    if isinstance(column.type, String):
        return WORD
    if isinstance(value, list):
        return [*value, {"name": WORD}]
    if column.name == "error":
        return {"code": "fit_failed", "message": f"could not convert string to float: '{WORD}'"}
    return {**(value or {}), WORD: [WORD]}


def _bytes(store: ObjectStore, bucket: str, key: str) -> bytes:
    with store.open(bucket, key) as file:
        return file.read()
