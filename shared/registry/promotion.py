"""From one stage to the next: the rules, the copy of the artifact, and the commit.

The rules are checked twice: before the request is accepted, so that a mistake is answered at once, and inside the
transaction that commits, where the registry is locked, so that nothing can change any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.datasets.catalog import find_dataset
from shared.errors import (
    AlreadyInStage,
    ArtifactConflict,
    ArtifactCorrupt,
    ArtifactInRemoval,
    StageSkipped,
    UnknownModel,
)
from shared.fail_points import fail_point
from shared.object_store import ObjectExists, ObjectStore
from shared.object_store.shelves import Shelf
from shared.registry import deployments
from shared.registry.artifact import fetch
from shared.registry.naming import artifact_name
from shared.registry.orphans import removals_of
from shared.registry.rows import RegistryRow
from shared.registry.sealing import Artifact, ArtifactKey, Seal, reseal
from shared.registry.targets import ServingModel, check_promoted_target, retire_other_targets
from shared.registry.tombstones import refuse_erased
from shared.settings import Settings


@dataclass(frozen=True)
class Promotion:
    """A promotion that the rules allow: which file goes where."""

    dataset_id: int
    dataset_name: str
    source: Artifact
    # The column that it predicts, and whether versions that predict others are retired from the stage.
    target: str
    replace_target: bool
    target_stage: str
    target_path: str
    stages: tuple[str, ...]
    # How many removals of an object named `target_path` had begun when this promotion was checked.
    removals: int

    @property
    def version(self) -> int:
        """The version that is promoted."""
        return self.source.version


def check_promotion(
    session: Session,
    *,
    dataset_name: str,
    version: int,
    target_stage: str,
    replace_target: bool = False,
    stages: Sequence[str],
) -> Promotion:
    """Check the rules of promotion against the present state.

    Raises:
        UnknownStage: when the stage is not a configured one.
        UnknownDataset: when there is no such dataset.
        UnknownModel: when the dataset has no such version.
        ModelErased: when the version was erased.
        AlreadyInStage: when the version is active there already.
        StageSkipped: when it is not active in the stage before.
        TargetDiffers: when what serves there predicts another column, unless `replace_target` has that retired.
        ArtifactInRemoval: when what an earlier attempt stored under the target's name is just being removed.
        ArtifactCorrupt: when its deployment is that of another dataset.
    """
    deployments.check_stage(target_stage, stages)
    registered = _registered(session, dataset_name, version)
    target_path = artifact_name(dataset_name, target_stage, version)
    source = _source(session, version, target_stage, stages)
    _check_dataset(source, dataset_name)
    if not replace_target:
        check_promoted_target(session, registered.dataset_id, target_stage, ServingModel(version, registered.target))
    return Promotion(
        dataset_id=registered.dataset_id,
        dataset_name=dataset_name,
        source=source,
        target=registered.target,
        replace_target=replace_target,
        target_stage=target_stage,
        target_path=target_path,
        stages=tuple(stages),
        removals=removals_of(session, Shelf.MODELS, target_path),
    )


def copy_artifact(
    store: ObjectStore, settings: Settings, key: ArtifactKey, promotion: Promotion, *, folder: Path
) -> Seal:
    """Copy the source, checked, to the fixed name `target_path`; a file in `folder` is used on the way.

    The same bytes may be there already, from an earlier attempt or from a promotion before a retirement.

    Raises:
        ArtifactCorrupt: when the source is not the file that was registered.
        ArtifactConflict: when another file has the target's name.
        StoreUnavailable: when the object store does not answer.
    """
    copy = folder / promotion.target_path
    target = replace(promotion.source, stage=promotion.target_stage, artifact_path=promotion.target_path)
    seal = reseal(key, target)
    try:
        fetch(store, settings, key, promotion.source, copy)
        fail_point("put.before")
        store.put_new(settings.models_bucket, promotion.target_path, copy, sha256=seal.sha256)
        fail_point("put.after")
    except ObjectExists:
        _check_copied(store, settings, key, replace(target, seal=seal), copy)
    finally:
        copy.unlink(missing_ok=True)
    return seal


def commit_promotion(session: Session, promotion: Promotion, *, seal: Seal, actor: str) -> dict[str, object]:
    """Make the version active in the target stage, if the rules still allow it, and return the job's result.

    The caller's transaction has locked the job before. Of any number of promotions of one version at the same time,
    one gets here first.

    Raises:
        AlreadyInStage, StageSkipped, TargetDiffers: as `check_promotion`.
        ArtifactInRemoval: when somebody began to remove what is stored under the target's name since then.
    """
    deployments.begin_change(session)
    if removals_of(session, Shelf.MODELS, promotion.target_path) != promotion.removals:
        raise ArtifactInRemoval(f"The file '{promotion.target_path}' was removed meanwhile. It is copied again.")
    _source(session, promotion.version, promotion.target_stage, promotion.stages)
    retired = _settle_target(session, promotion)
    deployments.activate(
        session,
        version=promotion.version,
        dataset_id=promotion.dataset_id,
        stage=promotion.target_stage,
        artifact_path=promotion.target_path,
        seal=seal,
        actor=actor,
    )
    _follow(session, promotion)
    return {
        "version": promotion.version,
        "target": promotion.target,
        "stage": promotion.target_stage,
        "artifact_path": promotion.target_path,
        "retired_versions": retired,
        "serving_version": deployments.serving_version(session, promotion.dataset_id, promotion.target_stage),
    }


def _registered(session: Session, dataset_name: str, version: int) -> RegistryRow:
    dataset = find_dataset(session, dataset_name, include_archived=True)
    registered = session.get(RegistryRow, version)
    if registered is None or registered.dataset_id != dataset.id:
        refuse_erased(session, version)
        raise UnknownModel(
            f"Dataset '{dataset_name}' has no model of version {version}. "
            f"GET /models?dataset_name={dataset_name} lists its models."
        )
    return registered


def _check_dataset(source: Artifact, dataset_name: str) -> None:
    if source.dataset_name != dataset_name:
        raise ArtifactCorrupt(
            f"The registry has version {source.version} under '{dataset_name}' and its deployment under "
            f"'{source.dataset_name}'. `mlmini fsck` tells more."
        )


def _source(session: Session, version: int, target_stage: str, stages: Sequence[str]) -> Artifact:
    """The artifact in the stage before the target stage: a version may be promoted only from there."""
    if deployments.active(session, version, target_stage) is not None:
        raise AlreadyInStage(f"Version {version} is active in '{target_stage}' already.")
    position = stages.index(target_stage)
    if position == 0:
        raise StageSkipped(
            f"No stage comes before '{target_stage}': a version gets there by being trained, not by promotion, not "
            f"even after it was retired there. {_train_again(session, version)}"
        )
    before = stages[position - 1]
    source = deployments.active(session, version, before)
    if source is None:
        raise StageSkipped(
            f"Version {version} is not active in '{before}', the stage before '{target_stage}'. Stages are passed one "
            f"by one: {' -> '.join(stages)}. {_way_to(session, version, stages[:position])}"
        )
    return source


def _way_to(session: Session, version: int, stages: Sequence[str]) -> str:
    """How a version gets to the last of these stages, in which it is not active."""
    for stage, following in reversed(list(pairwise(stages))):
        if deployments.active(session, version, stage) is not None:
            return f"It is active in '{stage}': promote it to '{following}' first."
    gone = f"It is not active in '{stages[0]}' any more and cannot come back: a version gets there by being trained."
    return f"{gone} {_train_again(session, version)}"


def _settle_target(session: Session, promotion: Promotion) -> list[int]:
    """Make sure that the stage serves one target from now on, and return the versions that were retired for that."""
    model = ServingModel(promotion.version, promotion.target)
    if promotion.replace_target:
        return retire_other_targets(session, promotion.dataset_id, promotion.target_stage, model)
    check_promoted_target(session, promotion.dataset_id, promotion.target_stage, model)
    return []


def _train_again(session: Session, version: int) -> str:
    """How to bring back a model that was retired from the first stage."""
    job_id = session.execute(select(RegistryRow.job_id).where(RegistryRow.version == version)).scalar_one()
    return f"POST /jobs/{job_id}/retry trains the same again, as a new version."


def _follow(session: Session, promotion: Promotion) -> None:
    """Let the registry's row follow the furthest stage that the version has reached."""
    reached = session.execute(select(RegistryRow.stage).where(RegistryRow.version == promotion.version)).scalar_one()
    stages = promotion.stages
    if reached in stages and stages.index(reached) > stages.index(promotion.target_stage):
        return
    session.execute(
        update(RegistryRow)
        .where(RegistryRow.version == promotion.version)
        .values(stage=promotion.target_stage, artifact_path=promotion.target_path, promoted_at=Now())
    )


def _check_copied(store: ObjectStore, settings: Settings, key: ArtifactKey, target: Artifact, copy: Path) -> None:
    """Check the bytes of the object that has the target's name already; what the store says of them is not trusted."""
    try:
        fetch(store, settings, key, target, copy)
    except ArtifactCorrupt:
        raise ArtifactConflict(
            f"The object store holds another file named '{target.artifact_path}'. Remove it, then retry the job."
        ) from None
