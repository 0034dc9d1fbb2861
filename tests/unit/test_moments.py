"""Moments in answers have one form."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import BaseModel

from api.schemas.base import Moment


class _Event(BaseModel):
    at: Moment | None


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00.000000Z"),
        (datetime(2026, 1, 31, 12, 0, 0, 120_000, tzinfo=UTC), "2026-01-31T12:00:00.120000Z"),
        (datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T10:00:00.000000Z"),
    ],
)
def test_a_moment_is_written_in_utc_with_microseconds(moment: datetime, written: str) -> None:
    assert _Event(at=moment).model_dump(mode="json") == {"at": written}


def test_no_moment_is_null() -> None:
    assert _Event(at=None).model_dump(mode="json") == {"at": None}
