"""Which version is active in which stage, and which of them serves.

Every change of the registry raises the counter `registry_generation` first. The counter's row is thereby the registry's
lock: whoever holds it sees every earlier change and decides alone, and processes that watch the number learn that
something changed. Locks are taken in the order jobs, counters, registry.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, insert, select, type_coerce, update
from sqlalchemy.orm import Session

from shared.clock import Instant, Now
from shared.counters import CounterRow, raise_counter
from shared.datasets.rows import DatasetRow
from shared.errors import NotActive, UnknownModel, UnknownStage, closest, meant
from shared.registry.rows import DeploymentRow, RegistryRow
from shared.registry.sealing import Artifact, Seal
from shared.registry.targets import ServingModel, check_successor, serving_model
from shared.registry.tombstones import refuse_erased

GENERATION = "registry_generation"


@dataclass(frozen=True)
class RetiredDeployment:
    """A version that no longer serves in a stage, and the one that serves there now, each with what it predicts."""

    version: int
    target: str
    dataset_name: str
    stage: str
    reason: str | None
    retired_at: datetime
    serving_version: int | None
    serving_target: str | None


def generation(session: Session) -> int:
    """The number that rises with every change of what serves."""
    return session.execute(select(CounterRow.value).where(CounterRow.name == GENERATION)).scalar_one()


def begin_change(session: Session) -> None:
    """Take the registry's lock until the end of the transaction, and announce a change to every process."""
    raise_counter(session, GENERATION)


def lock_registry(session: Session) -> None:
    """Take the registry's lock until the end of the transaction, without a change (SQLite has one writer anyway)."""
    session.execute(select(CounterRow.value).where(CounterRow.name == GENERATION).with_for_update())


def check_stage(stage: str, stages: Sequence[str]) -> None:
    """Make sure that a stage is one of the configured ones.

    Raises:
        UnknownStage: listing them.
    """
    if stage not in stages:
        near, known = closest(stage, stages), ", ".join(stages)
        sentence = f"There is no stage '{stage}'. The stages are: {known}.{meant(near)}"
        raise UnknownStage(sentence, did_you_mean=near, available=stages)


def active(session: Session, version: int, stage: str) -> Artifact | None:
    """The artifact of a version in a stage where it is active."""
    query = artifacts().where(DeploymentRow.version == version, _stage_is(stage), DeploymentRow.retired_at.is_(None))
    row = session.execute(query).one_or_none()
    return None if row is None else read_artifact(*row)


def artifact_of(session: Session, deployment: DeploymentRow) -> Artifact:
    """The artifact of a deployment, retired or not."""
    row = session.execute(artifacts().where(DeploymentRow.id == deployment.id)).one()
    return read_artifact(*row)


def serving_version(session: Session, dataset_id: int, stage: str) -> int | None:
    """The highest version that is active in a stage."""
    return session.scalar(
        select(func.max(DeploymentRow.version)).where(
            DeploymentRow.dataset_id == dataset_id, _stage_is(stage), DeploymentRow.retired_at.is_(None)
        )
    )


def still_active(session: Session, versions: Collection[int]) -> set[tuple[str, int]]:
    """Of the given versions, each (stage, version) that is active."""
    rows = session.execute(
        select(DeploymentRow.stage, DeploymentRow.version).where(
            DeploymentRow.version.in_(versions), DeploymentRow.retired_at.is_(None)
        )
    )
    return {(stage, version) for stage, version in rows}


def activate(
    session: Session, *, version: int, dataset_id: int, stage: str, artifact_path: str, seal: Seal, actor: str
) -> int:
    """Make a version active in a stage; the caller holds the registry's lock and has checked that it is not yet.

    Returns the number of the deployment.
    """
    inserted = session.execute(
        insert(DeploymentRow)
        .values(
            version=version,
            dataset_id=dataset_id,
            stage=stage,
            artifact_path=artifact_path,
            sha256=seal.sha256,
            size_bytes=seal.size_bytes,
            hmac=seal.hmac,
            hmac_key_id=seal.hmac_key_id,
            created_by=actor,
        )
        .returning(DeploymentRow.id)
    )
    deployment_id: int = inserted.scalar_one()
    return deployment_id


def retire(
    session: Session,
    *,
    version: int,
    stage: str,
    reason: str | None,
    stages: Sequence[str],
    replace_target: bool = False,
) -> RetiredDeployment:
    """End the activity of a version in a stage; the next lower active version serves there from now on.

    Only with `replace_target` may that one predict another column. No promotion brings a version back into the first
    stage.

    Raises:
        UnknownStage: when the stage is not a configured one.
        UnknownModel: when no model has that version.
        NotActive: when the version is not active there.
        TargetDiffers: when a version of another target would serve there, which was not asked for.
    """
    check_stage(stage, stages)
    begin_change(session)
    # Looked at first: what is written is not asked whether the caller sees it.
    model = session.get(RegistryRow, version)
    if model is None:
        raise not_active(session, version, stage)
    dataset_id, retired_at = _end_activity(session, version, stage, reason)
    if not replace_target:
        check_successor(session, dataset_id, stage, ServingModel(version, model.target))
    serving_now = serving_model(session, dataset_id, stage)
    return RetiredDeployment(
        version=version,
        target=model.target,
        dataset_name=session.execute(select(DatasetRow.name).where(DatasetRow.id == dataset_id)).scalar_one(),
        stage=stage,
        reason=reason,
        retired_at=retired_at,
        serving_version=serving_now and serving_now.version,
        serving_target=serving_now and serving_now.target,
    )


def _end_activity(session: Session, version: int, stage: str, reason: str | None) -> tuple[int, datetime]:
    """Note that a version is retired from a stage; its dataset, and when that was."""
    row = session.execute(
        update(DeploymentRow)
        .where(DeploymentRow.version == version, _stage_is(stage), DeploymentRow.retired_at.is_(None))
        .values(retired_at=Now(), retired_reason=reason)
        .returning(DeploymentRow.dataset_id, type_coerce(DeploymentRow.retired_at, Instant))
    ).one_or_none()
    if row is None:
        raise not_active(session, version, stage)
    dataset_id, retired_at = row
    return dataset_id, retired_at


def not_active(session: Session, version: int, stage: str) -> UnknownModel | NotActive:
    """Why a version cannot be used in a stage: there is no such version, or where it is active instead.

    Raises:
        ModelErased: when it was erased.
    """
    if session.get(RegistryRow, version) is None:
        refuse_erased(session, version)
        return UnknownModel(f"There is no model of version {version}. GET /models lists the models.")
    elsewhere = session.scalars(
        select(DeploymentRow.stage).where(DeploymentRow.version == version, DeploymentRow.retired_at.is_(None))
    ).all()
    where = f"It is active in: {', '.join(sorted(elsewhere))}." if elsewhere else "It is not active in any stage."
    return NotActive(f"Version {version} is not active in '{stage}'. {where}")


def artifacts() -> Select[DeploymentRow, RegistryRow, str]:
    """The deployments, each with the two other arguments of `read_artifact`; the dataset is the deployment's own."""
    return (
        select(DeploymentRow, RegistryRow, DatasetRow.name)
        .join(RegistryRow, RegistryRow.version == DeploymentRow.version)
        .join(DatasetRow, DatasetRow.id == DeploymentRow.dataset_id)
        .execution_options(populate_existing=True)
    )


def read_artifact(deployment: DeploymentRow, registered: RegistryRow, dataset_name: str) -> Artifact:
    """What the registry says about the file of one deployment."""
    return Artifact(
        dataset_name=dataset_name,
        stage=deployment.stage,
        version=registered.version,
        job_id=registered.job_id,
        artifact_path=deployment.artifact_path,
        environment=registered.environment,
        seal=Seal(
            sha256=deployment.sha256,
            size_bytes=deployment.size_bytes,
            hmac=deployment.hmac,
            hmac_key_id=deployment.hmac_key_id,
        ),
    )


def _stage_is(stage: str) -> ColumnElement[bool]:
    return DeploymentRow.stage == stage
