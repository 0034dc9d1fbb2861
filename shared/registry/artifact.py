"""The only code that turns a model into a file and a file into a model.

A pickle is a program: loading one that somebody else wrote runs their code. So the bytes are read once, checked against
the registry and the key, and those very bytes are loaded.
"""

import hashlib
import importlib.metadata
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from shared.errors import ArtifactCorrupt, ModelUnavailable
from shared.logging import get_logger
from shared.object_store import ObjectMissing, ObjectStore
from shared.registry.sealing import Artifact, ArtifactKey, verify
from shared.settings import Settings

CHUNK_BYTES = 2**20

log = get_logger(__name__)


def dump(model: Any, path: Path) -> None:
    """Write a fitted model to a file."""
    with path.open("wb") as file:
        pickle.dump(model, file, protocol=5)


def digest_of(path: Path) -> tuple[str, int]:
    """SHA-256 in hexadecimal and size in bytes of a file."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def load_model(store: ObjectStore, settings: Settings, key: ArtifactKey, artifact: Artifact) -> Any:
    """Read, check and load the model of an artifact.

    Raises:
        ArtifactCorrupt: when the file is missing or is not the one that was registered; nothing of it is run.
        ModelUnavailable: when it was fitted with another release of scikit-learn, or cannot be loaded here.
        StoreUnavailable: when the object store does not answer.
    """
    data = b"".join(_chunks(store, settings, artifact))
    verify(key, artifact, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))
    _check_release(artifact)
    try:
        return pickle.loads(data)  # noqa: S301 - these very bytes were verified above
    except Exception as error:
        log.exception("model_not_loaded", artifact_path=artifact.artifact_path)
        raise ModelUnavailable(
            f"Model {artifact.version} cannot be loaded with the libraries that are installed here. Train it again."
        ) from error


def fetch(store: ObjectStore, settings: Settings, key: ArtifactKey, artifact: Artifact, target: Path) -> None:
    """Copy the checked bytes of an artifact to a local file.

    Raises:
        ArtifactCorrupt: when the file is missing or is not the one that was registered.
        StoreUnavailable: when the object store does not answer.
    """
    digest = hashlib.sha256()
    size = 0
    with target.open("wb") as file:
        for chunk in _chunks(store, settings, artifact):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
    verify(key, artifact, sha256=digest.hexdigest(), size_bytes=size)


def _chunks(store: ObjectStore, settings: Settings, artifact: Artifact) -> Iterator[bytes]:
    """The file's bytes, and never more than one chunk beyond the size that it should have."""
    try:
        with store.open(settings.models_bucket, artifact.artifact_path) as file:
            yield from _bounded(file, artifact.seal.size_bytes)
    except ObjectMissing:
        raise ArtifactCorrupt(f"The file '{artifact.artifact_path}' is missing from the object store.") from None


def _bounded(file: BinaryIO, size_bytes: int) -> Iterator[bytes]:
    seen = 0
    while seen <= size_bytes and (chunk := file.read(CHUNK_BYTES)):
        seen += len(chunk)
        yield chunk


def _check_release(artifact: Artifact) -> None:
    """A pickle of scikit-learn is only meant for the release that wrote it; patch releases keep to that form."""
    fitted = artifact.environment.get("scikit-learn", "")
    installed = importlib.metadata.version("scikit-learn")
    if fitted.split(".")[:2] != installed.split(".")[:2]:
        raise ModelUnavailable(
            f"Model {artifact.version} was fitted with scikit-learn {fitted or '(unknown)'}, but {installed} is "
            "installed here. Train it again, or serve it with the release that fitted it."
        )
