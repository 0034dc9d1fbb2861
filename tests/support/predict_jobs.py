"""Batch predictions of an installation, accepted as the API does it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from shared.jobs.acceptance import accept
from shared.jobs.limits import NO_LIMITS, RequestedLimits
from shared.jobs.states import Kind
from shared.prediction.batch_resolution import BatchWish, resolve_batch
from shared.registry.outputs import PredictionOutputRow
from tests.support.catalog import Catalog
from tests.support.objects import read
from tests.support.site import Site


def upload(site: Site, name: str, content: bytes) -> None:
    """A dataset in the catalog of an installation."""
    Catalog(site.database, site.store, site.reader, site.settings).add(name, content)


def predict_batch(
    site: Site, *, source: str = "iris", number: int | None = None, limits: RequestedLimits = NO_LIMITS, **fields: Any
) -> UUID:
    """Accept a predict job, by the newest model of iris in dev unless told otherwise, and ring the doorbell."""
    wish = replace(
        BatchWish("iris", "dev", None, None, source, number, [], "csv", ["label"], neutralise_formulas=False), **fields
    )
    with site.database.read() as session:
        resolved = resolve_batch(session, wish, stages=site.settings.stages)
    with site.database.write() as session:
        job = accept(
            session,
            kind=Kind.PREDICT,
            request=resolved.spec.to_store(),
            dataset_name=wish.dataset_name,
            dataset_version_id=resolved.dataset_version_id,
            limits=limits,
        )
    site.queue.wake(job.id, Kind.PREDICT)
    return job.id


def outputs(site: Site) -> dict[UUID, PredictionOutputRow]:
    """The outputs that rows name, by their jobs."""
    with site.database.read() as session:
        return {row.job_id: row for row in session.scalars(select(PredictionOutputRow))}


def stored_outputs(site: Site) -> dict[str, bytes]:
    """The objects in the bucket of outputs."""
    bucket = site.settings.predictions_bucket
    return {entry.key: read(site.store, bucket, entry.key) for entry in site.store.list(bucket)}
