"""From one stage to the next: the rules, the copy of the artifact, and the commit.

The rules are checked twice: before the request is accepted, so that a mistake is answered at once, and inside the
transaction that commits, where the registry is locked, so that nothing can change any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.datasets.catalog import find_dataset
from shared.errors import (
    AlreadyInStage,
    ArtifactCorrupt,
    ArtifactInRemoval,
    StageSkipped,
    UnknownModel,
)
from shared.object_store import ObjectStore
from shared.object_store.shelves import Shelf
from shared.registry import deployments
from shared.registry.copying import Copy, copy_file
from shared.registry.forms import FormFile, add_form, form_of
from shared.registry.naming import file_names
from shared.registry.orphans import removals_of
from shared.registry.rows import RegistryRow
from shared.registry.sealing import Artifact, ArtifactKey, Seal
from shared.registry.targets import ServingModel, check_promoted_target, retire_other_targets
from shared.registry.tombstones import refuse_erased
from shared.settings import Settings


@dataclass(frozen=True)
class Promotion:
    """A promotion that the rules allow: which files go where."""

    dataset_id: int
    dataset_name: str
    artifact: Copy
    form: Copy | None
    # The column that it predicts, and whether versions that predict others are retired from the stage.
    target: str
    replace_target: bool
    target_stage: str
    stages: tuple[str, ...]

    @property
    def version(self) -> int:
        """The version that is promoted."""
        return self.artifact.source.version

    @property
    def served(self) -> Copy:
        """The file that is loaded for predictions."""
        return self.form or self.artifact

    @property
    def copies(self) -> list[Copy]:
        """All files that are copied."""
        return [self.artifact] if self.form is None else [self.artifact, self.form]


class Copied(NamedTuple):
    """The seal of the artifact in the target stage, and the compiled form there."""

    seal: Seal
    form: FormFile | None


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
    source = _source(session, version, target_stage, stages)
    _check_dataset(source, dataset_name)
    if not replace_target:
        check_promoted_target(session, registered.dataset_id, target_stage, ServingModel(version, registered.target))
    artifact_path, form_path = file_names(dataset_name, target_stage, version)
    form = form_of(session, source)
    return Promotion(
        dataset_id=registered.dataset_id,
        dataset_name=dataset_name,
        artifact=_planned(session, source, target_stage, artifact_path),
        form=None if form is None else _planned(session, form, target_stage, form_path),
        target=registered.target,
        replace_target=replace_target,
        target_stage=target_stage,
        stages=tuple(stages),
    )


def copy_files(
    store: ObjectStore, settings: Settings, key: ArtifactKey, promotion: Promotion, *, folder: Path
) -> Copied:
    """Copy the artifact to its name in the target stage, and the compiled form beside it if there is one.

    Raises:
        ArtifactCorrupt: when a source is not the file that was registered.
        ArtifactConflict: when another file has the target's name.
        StoreUnavailable: when the object store does not answer.
    """
    seal = copy_file(store, settings, key, promotion.artifact, folder=folder)
    if promotion.form is None:
        return Copied(seal, None)
    return Copied(seal, FormFile(promotion.form.path, copy_file(store, settings, key, promotion.form, folder=folder)))


def commit_promotion(session: Session, promotion: Promotion, *, copied: Copied, actor: str) -> dict[str, object]:
    """Make the version active in the target stage, if the rules still allow it, and return the job's result.

    The caller's transaction has locked the job before. Of any number of promotions of one version at the same time,
    one gets here first.

    Raises:
        AlreadyInStage, StageSkipped, TargetDiffers: as `check_promotion`.
        ArtifactInRemoval: when somebody began to remove what is stored under the target's name since then.
    """
    deployments.begin_change(session)
    for copy in promotion.copies:
        if removals_of(session, Shelf.MODELS, copy.path) != copy.removals:
            raise ArtifactInRemoval(f"The file '{copy.path}' was removed meanwhile. It is copied again.")
    _source(session, promotion.version, promotion.target_stage, promotion.stages)
    retired = _settle_target(session, promotion)
    deployment_id = deployments.activate(
        session,
        version=promotion.version,
        dataset_id=promotion.dataset_id,
        stage=promotion.target_stage,
        artifact_path=promotion.artifact.path,
        seal=copied.seal,
        actor=actor,
    )
    if copied.form is not None:
        add_form(session, deployment_id, copied.form)
    _follow(session, promotion)
    return {
        "version": promotion.version,
        "target": promotion.target,
        "stage": promotion.target_stage,
        "artifact_path": promotion.artifact.path,
        "retired_versions": retired,
        "serving_version": deployments.serving_version(session, promotion.dataset_id, promotion.target_stage),
    }


def _planned(session: Session, source: Artifact, stage: str, path: str) -> Copy:
    return Copy(source, stage, path, removals_of(session, Shelf.MODELS, path))


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
        .values(stage=promotion.target_stage, artifact_path=promotion.artifact.path, promoted_at=Now())
    )
