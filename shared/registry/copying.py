"""Copies of the files of a model to another stage, checked on the way."""

import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from shared.errors import ArtifactConflict, ArtifactCorrupt
from shared.fail_points import fail_point
from shared.object_store import ObjectExists, ObjectStore
from shared.registry.artifact import fetch
from shared.registry.orphans import CALL_SECONDS
from shared.registry.sealing import Artifact, ArtifactKey, Seal, reseal
from shared.settings import Settings


class Copy(NamedTuple):
    """A file of a model in one stage, and the stage and the fixed name that it gets."""

    source: Artifact
    stage: str
    path: str
    # How many removals of an object of that name had begun when the copy was planned.
    removals: int


def copy_file(store: ObjectStore, settings: Settings, key: ArtifactKey, wanted: Copy, *, folder: Path) -> Seal:
    """Copy the source, checked, to its fixed name; a file in `folder` is used on the way.

    The same bytes may be there already, from an earlier attempt or from a promotion before a retirement.

    Raises:
        ArtifactCorrupt: when the source is not the file that was registered.
        ArtifactConflict: when another file has the name.
        StoreUnavailable: when the object store does not answer.
    """
    copy = folder / wanted.path
    target = replace(wanted.source, stage=wanted.stage, artifact_path=wanted.path)
    target = replace(target, seal=reseal(key, target))
    try:
        fetch(store, settings, key, wanted.source, copy)
        put_file(store, settings, key, target, copy)
    finally:
        copy.unlink(missing_ok=True)
    return target.seal


def put_file(store: ObjectStore, settings: Settings, key: ArtifactKey, target: Artifact, file: Path) -> None:
    """Store a sealed file under its fixed name. The same bytes may be there already; `file` is overwritten then.

    Raises:
        ArtifactConflict: when another file has the name.
        StoreUnavailable: when the object store does not answer.
    """
    fail_point("put.before")
    try:
        store.put_new(settings.models_bucket, target.artifact_path, file, sha256=target.seal.sha256)
    except ObjectExists:
        _check_stored(store, settings, key, target, file)
    fail_point("put.after")


def remove_damaged(store: ObjectStore, settings: Settings, path: str) -> None:
    """Remove the object of that name, which is not the one that was registered; one that is stored meanwhile stays.

    Raises:
        StoreUnavailable: when the object store does not answer.
    """
    bucket = settings.models_bucket
    for entry in store.list(bucket, path):
        if entry.key == path:
            store.delete_listed(bucket, entry, by=time.time() + CALL_SECONDS)


def _check_stored(store: ObjectStore, settings: Settings, key: ArtifactKey, target: Artifact, copy: Path) -> None:
    """Check the bytes of the object that has the target's name already; what the store says of them is not trusted."""
    try:
        fetch(store, settings, key, target, copy)
    except ArtifactCorrupt:
        raise ArtifactConflict(
            f"The object store holds another file named '{target.artifact_path}'. Remove it, then retry the job."
        ) from None
