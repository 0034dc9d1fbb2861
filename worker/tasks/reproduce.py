"""The work of a reproduce job: train a registered model once more and compare; nothing is registered."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from shared.datasets.rows import DatasetVersionRow
from shared.errors import UnreadableRequest
from shared.registry.past_fits import expected_fit_seconds
from shared.registry.reproductions import PlannedReproduction, plan_reproduction
from shared.training.reproduction import Repeated, order_of, reproduction_of
from worker.attempt import Attempt, Effect
from worker.compute import compute
from worker.fetching import fetch_table, find_table
from worker.handover import REPRODUCE_FILE, Outcome, read_facts
from worker.own_estimators import own_of


class ReproduceRequest(BaseModel):
    """What was accepted, as this release understands it."""

    model_config = ConfigDict(strict=True)

    # The largest number that the column takes.
    version: int = Field(ge=1, le=2**31 - 1)


def run(attempt: Attempt) -> Effect:
    """Do everything; the effect is the result alone."""
    version = _read(attempt).version
    source = find_table(attempt)
    with attempt.runtime.database.read() as session:
        plan = plan_reproduction(session, version)
        expected = expected_fit_seconds(session, plan.spec, source)
    fetch_table(attempt, source)
    _hand_over(attempt, plan, source)
    compute(attempt, expected_fit_seconds=[expected])
    found = read_facts(attempt.folder, Outcome[Repeated])
    told = reproduction_of(
        plan.spec,
        found,
        version=version,
        metrics=plan.model.row.metrics,
        pin=plan.pinned.pin,
        libraries=plan.pinned.libraries,
    )

    def give(_session: Session) -> dict[str, object]:
        return told.model_dump(mode="json")

    return give


def success_line(result: dict[str, Any]) -> str:
    """Whether the training came to the same model."""
    rows, metrics = result["rows"], result["metrics"]
    other = [name for name, each in metrics.items() if not each["equal"]]
    if result["equal"]:
        return f"the same model: equal in {len(metrics)} metrics and for {rows['compared']} rows"
    told = f"another model: it differs for {rows['different']} of {rows['compared']} rows"
    return f"{told}, and in {', '.join(other)}" if other else told


def _read(attempt: Attempt) -> ReproduceRequest:
    try:
        return ReproduceRequest.model_validate(attempt.claim.request)
    except ValidationError:
        raise UnreadableRequest("The job was accepted by another version of the platform. Send it again.") from None


def _hand_over(attempt: Attempt, plan: PlannedReproduction, source: DatasetVersionRow) -> None:
    own = own_of(attempt.runtime, [plan.spec])
    order = order_of(plan.spec, source, threads=attempt.threads, pin=plan.pinned.pin, own=own)
    if plan.spec.batches is None:
        order = order.model_copy(update={"cluster": attempt.runtime.cluster()})
    (attempt.folder / REPRODUCE_FILE).write_text(order.model_dump_json(by_alias=True))
