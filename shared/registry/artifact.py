"""The only code that turns a model into a file and a file into a model.

A pickle is a program: loading one that somebody else wrote runs their code. So the bytes are read once, checked against
the registry and the key, and those very bytes are loaded. Only processes that hold no secret load any: those that
predict, and those of jobs.
"""

import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from shared.errors import ArtifactCorrupt, ModelUnavailable
from shared.estimators.libraries.installed import HOW_TO_INSTALL, LIBRARIES, release_of
from shared.hashing import CHUNK_BYTES, chunks_of, copy_hashed
from shared.logging import get_logger
from shared.object_store import ObjectMissing, ObjectStore
from shared.registry.naming import is_form
from shared.registry.sealing import Artifact, ArtifactKey, check_file, verify
from shared.settings import Settings

log = get_logger(__name__)

# What the files of models do not depend on, and what is looked at by itself.
_NO_LIBRARIES = frozenset({"numpy", "pandas", "python", "scikit-learn"})


def dump(model: Any, path: Path) -> None:
    """Write a fitted model to a file."""
    with path.open("wb") as file:
        pickle.dump(model, file, protocol=5)


def fetch(store: ObjectStore, settings: Settings, key: ArtifactKey, artifact: Artifact, target: Path) -> None:
    """Copy the checked bytes of an artifact to a local file.

    Raises:
        ArtifactCorrupt: when the file is missing or is not the one that was registered.
        StoreUnavailable: when the object store does not answer.
    """
    with target.open("wb") as file:
        copy_checked(store, settings, key, artifact, file)


def load_fetched(path: Path, *, version: int, sha256: str, environment: Mapping[str, str]) -> Any:
    """Load the model of a file that `fetch` wrote, in a process that has no key: the digest vouches for its bytes.

    Raises:
        ArtifactCorrupt: when the file is another one by now; nothing of it is run.
        ModelUnavailable: when it was fitted with another release of scikit-learn or of another library, or cannot be
            loaded here.
    """
    with path.open("rb") as file:
        if copy_hashed(chunks_of(file)).sha256 != sha256:
            raise ArtifactCorrupt(f"The file of model {version} has other contents than the one that was fetched.")
        file.seek(0)
        _check_release(version, environment)
        return _unpickle(file, version)


def copy_checked(
    store: ObjectStore, settings: Settings, key: ArtifactKey, artifact: Artifact, target: IO[bytes]
) -> None:
    """Write the bytes of an artifact into a file, which may be used once this returns.

    Raises:
        ArtifactCorrupt: when the file is missing or is not the one that was registered.
        StoreUnavailable: when the object store does not answer.
        OSError: when `target` takes no more.
    """
    verify(key, artifact, **copy_hashed(_chunks(store, settings, artifact), target)._asdict())


def check_stored(store: ObjectStore, settings: Settings, artifact: Artifact) -> None:
    """See that the store has the file that was registered; the seal is not looked at.

    Raises:
        ArtifactCorrupt: when the file is missing or is another one.
        StoreUnavailable: when the object store does not answer.
    """
    check_file(artifact, **copy_hashed(_chunks(store, settings, artifact))._asdict())


@contextmanager
def corrupt_is_unavailable(artifact: Artifact) -> Iterator[None]:
    """Report an artifact that is not what was registered: as unavailable to the client, with the reason to the log.

    Raises:
        ModelUnavailable: for ArtifactCorrupt.
    """
    try:
        yield
    except ArtifactCorrupt as error:
        log.warning("artifact_corrupt", artifact_path=artifact.artifact_path, reason=error.detail)
        again = f"have it made again with `mlmini models compile {artifact.version}`"
        other = again if is_form(artifact.artifact_path) else "retire the version and train again"
        raise ModelUnavailable(
            f"Model {artifact.version} was not loaded. {error.detail} Restore the file from a backup, or {other}."
        ) from error


def _unpickle(file: IO[bytes], version: int) -> Any:
    try:
        return pickle.load(file)  # noqa: S301 - these very bytes were verified before # nosec B301
    except MemoryError:
        # Of a limit of the process, which ends with a code that tells so.
        raise
    except Exception as error:
        log.exception("model_not_loaded", version=version)
        raise ModelUnavailable(
            f"Model {version} cannot be loaded with the libraries that are installed here. Train it again."
        ) from error


def _chunks(store: ObjectStore, settings: Settings, artifact: Artifact) -> Iterator[bytes]:
    """The file's bytes, at most one more than were registered: that is enough to see that the file is too large."""
    left = artifact.seal.size_bytes + 1
    try:
        # Read the whole file, not a range: only then the store checks its digest and notices damage on the way.
        with store.open(settings.models_bucket, artifact.artifact_path) as file:
            while chunk := file.read(min(CHUNK_BYTES, left)):
                left -= len(chunk)
                yield chunk
    except ObjectMissing:
        raise ArtifactCorrupt(f"The file '{artifact.artifact_path}' is missing from the object store.") from None


def _check_release(version: int, environment: Mapping[str, str]) -> None:
    """A pickle of a library is only meant for the release that wrote it; patch releases keep the format."""
    others = {name: release for name, release in environment.items() if name not in _NO_LIBRARIES and release}
    for library, release in {"scikit-learn": environment.get("scikit-learn", ""), **others}.items():
        installed = release_of(library)
        if installed is None:
            how = HOW_TO_INSTALL if library in LIBRARIES else "Install that package with the API and with every worker"
            raise ModelUnavailable(
                f"Model {version} was fitted with {library} {release}, which is not installed here. {how}."
            )
        if release.split(".")[:2] != installed.split(".")[:2]:
            raise ModelUnavailable(
                f"Model {version} was fitted with {library} {release or '(unknown)'}, but {installed} is "
                "installed here. Train it again, or serve it with the release that fitted it."
            )
