"""Which columns the active versions of a stage predict; the served target changes only where a request asks for it."""

from collections import defaultdict
from typing import NamedTuple

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.datasets.rows import DatasetRow
from shared.errors import TargetDiffers
from shared.registry.rows import DeploymentRow, RegistryRow


class ServingModel(NamedTuple):
    """The version that serves in a stage, and the column that it predicts."""

    version: int
    target: str


def serving_model(session: Session, dataset_id: int, stage: str) -> ServingModel | None:
    """The highest version that is active in a stage."""
    query = _active(dataset_id, stage).order_by(DeploymentRow.version.desc()).limit(1)
    found = session.execute(query).one_or_none()
    return None if found is None else ServingModel(*found)


def active_targets(session: Session, dataset_id: int, stage: str) -> dict[str, int]:
    """The highest active version of each target in a stage; the one that serves comes first."""
    newest = func.max(DeploymentRow.version)
    query = (
        select(RegistryRow.target, newest)
        .join(DeploymentRow, DeploymentRow.version == RegistryRow.version)
        .where(DeploymentRow.dataset_id == dataset_id, DeploymentRow.stage == stage, DeploymentRow.retired_at.is_(None))
        .group_by(RegistryRow.target)
        .order_by(newest.desc())
    )
    return dict(session.execute(query).all())


def active_targets_everywhere(session: Session) -> dict[tuple[str, str], dict[str, int]]:
    """The highest active version of each target, by dataset (by name) and stage."""
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    rows = session.execute(
        select(DatasetRow.name, DeploymentRow.stage, RegistryRow.target, func.max(DeploymentRow.version))
        .join(DatasetRow, DatasetRow.id == DeploymentRow.dataset_id)
        .join(RegistryRow, RegistryRow.version == DeploymentRow.version)
        .where(DeploymentRow.retired_at.is_(None))
        .group_by(DatasetRow.name, DeploymentRow.stage, RegistryRow.target)
    )
    for name, stage, target, version in rows:
        found[name, stage][target] = version
    return found


def check_promoted_target(session: Session, dataset_id: int, stage: str, promoted: ServingModel) -> None:
    """Make sure that a version may be promoted beside the one that serves in the stage.

    Raises:
        TargetDiffers: when that one predicts another column.
    """
    serving = serving_model(session, dataset_id, stage)
    if serving is None or serving.target == promoted.target:
        return
    raise TargetDiffers(
        f"Version {promoted.version} predicts '{promoted.target}', but version {serving.version}, which serves in "
        f"'{stage}', predicts '{serving.target}'. Its clients would get answers of another meaning. With "
        f"\"replace_target\": true the promotion also retires every version of another target from '{stage}'.",
        available=[serving.target],
    )


def check_successor(session: Session, dataset_id: int, stage: str, retired: ServingModel) -> None:
    """Make sure that what serves in a stage predicts the same column as a version that was just retired there.

    Raises:
        TargetDiffers: when it predicts another one.
    """
    after = serving_model(session, dataset_id, stage)
    if after is None or after.version > retired.version or after.target == retired.target:
        return
    raise TargetDiffers(
        f"Version {retired.version} predicts '{retired.target}'. After it version {after.version} would serve in "
        f"'{stage}', which predicts '{after.target}'. Send \"replace_target\": true to allow that, or retire version "
        f"{after.version} from '{stage}' first.",
        available=[retired.target],
    )


def retire_other_targets(session: Session, dataset_id: int, stage: str, kept: ServingModel) -> list[int]:
    """Retire all versions of other targets than that of `kept` from a stage, and return them, the newest first."""
    others = _active(dataset_id, stage).where(RegistryRow.target != kept.target)
    versions = [version for version, _ in session.execute(others.order_by(DeploymentRow.version.desc()))]
    session.execute(
        update(DeploymentRow)
        .where(DeploymentRow.version.in_(versions), DeploymentRow.stage == stage, DeploymentRow.retired_at.is_(None))
        .values(retired_at=Now(), retired_reason=f"version {kept.version} replaced it, which predicts '{kept.target}'")
    )
    return versions


def _active(dataset_id: int, stage: str) -> Select[int, str]:
    return (
        select(DeploymentRow.version, RegistryRow.target)
        .join(RegistryRow, RegistryRow.version == DeploymentRow.version)
        .where(DeploymentRow.dataset_id == dataset_id, DeploymentRow.stage == stage, DeploymentRow.retired_at.is_(None))
    )
