"""Whoever asks for many things at the same moment gets no more of them than the quota."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from api.group_commit import GroupCommit
from api.quotas import job_check, upload_check
from shared.database import Database
from shared.datasets.rows import DatasetVersionRow
from shared.errors import QuotaReached
from shared.jobs.acceptance import accept
from shared.jobs.shares import count_open, lock_share
from shared.jobs.states import Kind, State
from shared.settings import Settings
from tests.support.registry import insert_dataset
from tests.support.threads import at_once


# All that one process accepts together would fit in the second case, but not what two do.
@pytest.mark.parametrize(("most", "each"), [(3, 6), (8, 6)])
def test_of_many_jobs_at_once_as_many_are_accepted_as_there_is_room(database: Database, most: int, each: int) -> None:
    settings = Settings(max_jobs_per_owner=most)
    # As two processes of the API.
    groups = [GroupCommit(database), GroupCommit(database)]

    def ask(group: GroupCommit, owner: str) -> bool:
        check = job_check(owner, Kind.TRAIN, settings)
        job: dict[str, Any] = {"kind": Kind.TRAIN, "request": {}, "dataset_name": "a", "dataset_version_id": None}
        try:
            group.run(lambda session: accept(session, **job, owner=owner, check=check), share=owner)
        except QuotaReached:
            return False
        return True

    acts = [partial(ask, group, owner) for _ in range(each) for group in groups for owner in ("anna", "bert")]
    assert sum(at_once(*acts)) == 2 * most
    with database.read() as session:
        for owner in ("anna", "bert"):
            assert count_open(session, owner)[State.QUEUED] == most


def test_of_many_uploads_at_once_as_many_are_let_in_as_fit(database: Database) -> None:
    settings = Settings(storage_mb_per_owner=1)

    def ask(number: int) -> bool:
        check = upload_check("anna", 300_000, settings)
        assert check is not None
        try:
            with database.write() as session:
                lock_share(session, "anna")
                check(session)
                data = insert_dataset(session, f"data_{number}")
                mine = update(DatasetVersionRow).where(DatasetVersionRow.id == data.version_id)
                session.execute(mine.values(owner="anna", size_bytes=300_000))
        except QuotaReached:
            return False
        return True

    assert sum(at_once(*(partial(ask, number) for number in range(8)))) == 3
