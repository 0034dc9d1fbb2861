"""Batch predictions that ended without a worker: the protocol is the real one, the output is whatever a test gives."""

from pathlib import Path
from typing import Protocol
from uuid import UUID

from shared.database import Database
from shared.hashing import digest_of
from shared.jobs import claims
from shared.jobs.claims import Claim
from shared.object_store import ObjectStore
from shared.object_store.shelves import Shelf, bucket_of
from shared.registry.outputs import StoredOutput, add_output, new_output_key
from shared.settings import Settings
from tests.support.jobs import claim_job
from tests.support.objects import put

OUTPUT = b"row,id,prediction,error\n1,a,setosa,\n2,b,virginica,\n"


class Opened(Protocol):
    """Whatever has the parts of a platform."""

    @property
    def database(self) -> Database: ...

    @property
    def store(self) -> ObjectStore: ...

    @property
    def settings(self) -> Settings: ...


def put_output(parts: Opened, claim: Claim, folder: Path) -> str:
    """The output of an attempt in the store, which no row names; its key."""
    key = new_output_key(claim.dataset_name, claim.job_id, claim.epoch, "csv")
    put(parts.store, bucket_of(Shelf.PREDICTIONS, parts.settings), key, OUTPUT, folder=folder)
    return key


def finish_batch(parts: Opened, job_id: str | UUID, folder: Path) -> str:
    """Do what a worker does for an accepted job; the key of its output."""
    claim = claim_job(parts.database, UUID(str(job_id)))
    key = put_output(parts, claim, folder)
    file = folder / "content"
    file.write_bytes(OUTPUT)
    output = StoredOutput(key, *digest_of(file), rows=2, errors=0)
    told = {"version": claim.request["version"], "rows": 2, "errors": 0, "output": key}
    with parts.database.write() as session:
        claims.succeed(session, claim)
        add_output(session, claim.job_id, claim.epoch, version=claim.request["version"], output=output)
        claims.put_outcome(session, claim, result=told)
    return key
