"""Alembic migrations of the schema in `shared.schema`."""
