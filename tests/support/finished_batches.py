"""Batch predictions that ended without a worker: the protocol is the real one, the output is whatever a test gives."""

from pathlib import Path
from uuid import UUID

from api.lifespan import Parts
from shared.hashing import digest_of
from shared.jobs import claims
from shared.object_store.shelves import Shelf, bucket_of
from shared.registry.outputs import StoredOutput, add_output, new_output_key
from tests.support.jobs import claim_job
from tests.support.objects import put

OUTPUT = b"row,id,prediction,error\n1,a,setosa,\n2,b,virginica,\n"


def finish_batch(parts: Parts, job_id: str, folder: Path) -> str:
    """Do what a worker does for an accepted job; the key of its output."""
    claim = claim_job(parts.database, UUID(job_id))
    key = new_output_key(claim.dataset_name, claim.job_id, claim.epoch, "csv")
    put(parts.store, bucket_of(Shelf.PREDICTIONS, parts.settings), key, OUTPUT, folder=folder)
    file = folder / "content"
    file.write_bytes(OUTPUT)
    output = StoredOutput(key, *digest_of(file), rows=2, errors=0)
    told = {"version": claim.request["version"], "rows": 2, "errors": 0, "output": key}
    with parts.database.write() as session:
        claims.succeed(session, claim)
        add_output(session, claim.job_id, claim.epoch, version=claim.request["version"], output=output)
        claims.put_outcome(session, claim, result=told)
    return key
