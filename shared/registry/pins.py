"""What registered models are pinned by: the bytes of their table, their request, and what their training ran with."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from shared.datasets.rows import DatasetVersionRow
from shared.errors import UnreadableRequest
from shared.jobs.limits import RequestedLimits, requested_limits
from shared.jobs.rows import JobRow
from shared.registry.rows import PinRow, RegistryRow
from shared.settings import DEFAULT_POOL
from shared.training.pin import Pin
from shared.training.spec import TrainingSpec, read_stored


@dataclass(frozen=True)
class PinnedTraining:
    """All that a training needs to come to the same model."""

    source: DatasetVersionRow
    # As its job was accepted with it, for all of its candidates.
    request: dict[str, Any]
    candidate: int
    limits: RequestedLimits
    # The releases of its libraries, as far as they are known.
    libraries: dict[str, str]
    # None in models of releases that kept none.
    pin: Pin | None
    pool: str = DEFAULT_POOL

    def spec(self) -> TrainingSpec:
        """What was trained.

        Raises:
            UnreadableRequest: when an older release accepted it in a form that this one does not know.
        """
        candidates = read_stored(self.request).candidates
        if self.candidate > len(candidates):
            raise UnreadableRequest
        return candidates[self.candidate - 1]

    def as_told(self) -> dict[str, Any]:
        """The request of this model alone, as far as it can be read."""
        try:
            return self.spec().to_store()
        except UnreadableRequest:
            return self.request


def add_pin(session: Session, version: int, pin: Pin) -> None:
    """Keep what the training of a version ran with, in the transaction that registers it."""
    session.execute(insert(PinRow).values(version=version, pin=pin.model_dump(mode="json")))


def pinned_training(session: Session, registered: RegistryRow) -> PinnedTraining:
    """What a registered model is pinned by."""
    stored = session.scalar(select(PinRow.pin).where(PinRow.version == registered.version))
    pin = None if stored is None else Pin.model_validate(stored)
    job = session.get_one(JobRow, registered.job_id)
    return PinnedTraining(
        source=session.get_one(DatasetVersionRow, registered.dataset_version_id),
        request=job.request,
        limits=requested_limits(job),
        pool=job.pool,
        candidate=registered.candidate,
        libraries=dict(registered.environment) if pin is None else pin.libraries,
        pin=pin,
    )
