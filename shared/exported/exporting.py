"""Exports a registered model: what serves in a stage, or one version, into a folder of its own."""

import os
import shutil
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version as release
from pathlib import Path

from sqlalchemy.orm import Session

from shared.database import Database
from shared.errors import NotActive
from shared.estimators.signature import Signature
from shared.exported.folder import is_exported
from shared.exported.key import ExportKey
from shared.exported.manifest import MANIFEST, SEAL, Manifest, ManifestSeal, ModelFile
from shared.object_store import ObjectStore
from shared.prediction.loaded import ServingPlace
from shared.prediction.lookup import Served, find_served
from shared.registry.artifact import fetch
from shared.registry.sealing import ArtifactKey
from shared.registry.versions import find_model
from shared.settings import Settings


class FolderInTheWay(Exception):
    """There is something already where the folder was to be written."""


def find_wanted(database: Database, settings: Settings, wanted: ServingPlace | int) -> Served:
    """The model to export: the one that serves a place, or a version in the furthest stage where it is active.

    Raises:
        UnknownModel, ModelErased, NotActive: when that version is not there, or not active in any stage.
        PlatformError: as `find_served` does.
    """
    version = wanted if isinstance(wanted, int) else None
    with database.read() as session:
        place = _furthest(session, wanted, settings) if isinstance(wanted, int) else wanted
        return find_served(session, **place._asdict(), version=version, stages=settings.stages)


def export(
    served: Served,
    target: Path,
    *,
    store: ObjectStore,
    settings: Settings,
    key: ArtifactKey,
    export_key: ExportKey,
    replace: bool = False,
) -> Manifest:
    """Write the folder of a model: all of it, or nothing.

    Raises:
        FolderInTheWay: when there is something at `target` that is not to be replaced.
        ArtifactCorrupt: when the file of the model is not the one that was registered.
        StoreUnavailable: when the object store does not answer.
        OSError: when the folder cannot be written.
    """
    _expect_room(target, replace=replace)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    try:
        manifest = _manifest_of(served)
        fetch(store, settings, key, served.loaded, draft / manifest.file.name)
        text = manifest.written()
        (draft / MANIFEST).write_bytes(text)
        (draft / SEAL).write_bytes(ManifestSeal.make(text, export_key).written())
        _make_durable(draft)
        _give_name(draft, target, replace=replace)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def _furthest(session: Session, version: int, settings: Settings) -> ServingPlace:
    model = find_model(session, version)
    active = {deployment.stage for deployment in model.deployments if deployment.retired_at is None}
    for stage in reversed(settings.stages):
        if stage in active:
            return ServingPlace(model.dataset_name, stage)
    raise NotActive(
        f"Version {version} of '{model.dataset_name}' is not active in any stage, so there is nothing that serves. "
        "Promote it, or export another version."
    )


def _manifest_of(served: Served) -> Manifest:
    artifact, loaded = served.artifact, served.loaded
    return Manifest(
        platform=release("ml-mini-platform"),
        exported_at=datetime.now(UTC).replace(microsecond=0),
        dataset_name=artifact.dataset_name,
        stage=artifact.stage,
        version=artifact.version,
        job_id=artifact.job_id,
        estimator=served.estimator,
        environment=dict(artifact.environment),
        signature=Signature.model_validate(served.signature),
        reading=served.learnt.reading,
        encoding=served.learnt.encoding,
        file=ModelFile(
            kind="artifact" if served.form is None else "form",
            sha256=loaded.seal.sha256,
            size_bytes=loaded.seal.size_bytes,
        ),
    )


def _expect_room(target: Path, *, replace: bool) -> None:
    if not os.path.lexists(target):
        return
    if not replace:
        raise FolderInTheWay(f"{target} exists already. Name another folder, or replace it with --replace.")
    if not is_exported(target) or target.is_symlink():
        raise FolderInTheWay(f"{target} is no exported model, and is not replaced. Name another folder.")


def _make_durable(folder: Path) -> None:
    """Have the files on the disk before the folder gets its name, readable for those who may read its neighbours."""
    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)
    for path in (*folder.iterdir(), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _give_name(draft: Path, target: Path, *, replace: bool) -> None:
    if not os.path.lexists(target):
        draft.rename(target)
        return
    # Something came in the meantime, or is to be replaced.
    _expect_room(target, replace=replace)
    older = draft.with_suffix(".older")
    target.rename(older)
    try:
        draft.rename(target)
    except OSError:
        older.rename(target)
        raise
    shutil.rmtree(older)
