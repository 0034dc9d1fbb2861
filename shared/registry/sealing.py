"""Proof that an artifact is the file that was registered: a digest, and a MAC by a key outside bucket and database."""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from shared.errors import ArtifactCorrupt, WrongSettings
from shared.home import exposed, home_problem, make_private, reason
from shared.ownership import weakness
from shared.regular_file import NotRegular, open_regular
from shared.settings import Settings

KEY_FILE = "artifact.key"
KEY_BYTES = 32
_MIN_SECRET_LENGTH = 32
# A key is far smaller. A larger file is not a key.
_MOST_CHARACTERS = 4096

# The sealed text begins with this, so that a seal of one form is not valid in another.
_FORM = "mlmini artifact 2"
_OLD_FORM = "mlmini artifact 1"


@dataclass(frozen=True)
class ArtifactKey:
    """The secret that seals artifacts; the API and all workers share it."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """A short name of the key that tells nothing about it."""
        return hashlib.sha256(b"mlmini artifact key id\0" + self.secret).hexdigest()[:16]


@dataclass(frozen=True)
class Seal:
    """What a deployment row keeps about its file."""

    sha256: str
    size_bytes: int
    hmac: str
    hmac_key_id: str


@dataclass(frozen=True)
class Artifact:
    """The file of a model in one stage, as the registry describes it."""

    dataset_name: str
    stage: str
    version: int
    job_id: UUID
    artifact_path: str
    environment: Mapping[str, str]
    seal: Seal


def load_artifact_key(settings: Settings) -> ArtifactKey:
    """The key from the settings, else the one in the home folder, which is made at the first start.

    Raises:
        WrongSettings: when the key is too short, or the file does not hold one or cannot be made.
    """
    key = read_artifact_key(settings)
    if key is None:
        try:
            _create(settings.home / KEY_FILE)
        except OSError as error:
            raise WrongSettings(home_problem(error, "its folder")) from None
        key = read_artifact_key(settings)
    if key is None:
        raise WrongSettings(f"{KEY_FILE} in the home folder vanished right after it was made. Start again.")
    return key


def read_artifact_key(settings: Settings) -> ArtifactKey | None:
    """The key, if there is one yet.

    Raises:
        WrongSettings: when the key is too short, or the file does not hold one or cannot be read.
    """
    if settings.artifact_key is not None:
        secret = settings.artifact_key.get_secret_value().encode()
        if len(secret) < _MIN_SECRET_LENGTH:
            raise WrongSettings(f"MLMINI_ARTIFACT_KEY must have at least {_MIN_SECRET_LENGTH} characters")
        return ArtifactKey(secret)
    path = settings.home / KEY_FILE
    try:
        secret = bytes.fromhex(_read(path))
    except FileNotFoundError:
        return None
    except NotRegular:
        raise WrongSettings(
            f"{KEY_FILE} in the home folder is not a regular file. Put the file itself there, or set "
            "MLMINI_ARTIFACT_KEY."
        ) from None
    except OSError as error:
        raise WrongSettings(
            f"{KEY_FILE} in the home folder cannot be read: {reason(error)}. Let the user with the id {os.getuid()} "
            "read it; the API and all workers need it."
        ) from None
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise WrongSettings(
            f"{KEY_FILE} in the home folder does not hold a key. Bring the file back from a backup: with another key "
            "the registered models cannot be checked and will not load."
        )
    return ArtifactKey(secret)


def seal(
    key: ArtifactKey,
    *,
    dataset_name: str,
    stage: str,
    version: int,
    job_id: UUID,
    artifact_path: str,
    sha256: str,
    size_bytes: int,
    environment: Mapping[str, str],
) -> Seal:
    """Bind a file's digest to the dataset, stage, version, training job, place and libraries that it belongs to."""
    facts = [dataset_name, stage, version, str(job_id), artifact_path, sha256, size_bytes, dict(environment)]
    return Seal(sha256=sha256, size_bytes=size_bytes, hmac=_mac(key, [_FORM, *facts]), hmac_key_id=key.id)


def reseal(key: ArtifactKey, artifact: Artifact) -> Seal:
    """A new seal over the facts that `artifact` states now."""
    return seal(
        key,
        dataset_name=artifact.dataset_name,
        stage=artifact.stage,
        version=artifact.version,
        job_id=artifact.job_id,
        artifact_path=artifact.artifact_path,
        sha256=artifact.seal.sha256,
        size_bytes=artifact.seal.size_bytes,
        environment=artifact.environment,
    )


def verify(key: ArtifactKey, artifact: Artifact, *, sha256: str, size_bytes: int) -> None:
    """Check what was found in the store against the registry, and the registry against the key.

    Raises:
        ArtifactCorrupt: saying which of the checks failed.
    """
    check_file(artifact, sha256=sha256, size_bytes=size_bytes)
    check_seal(key, artifact)


def check_file(artifact: Artifact, *, sha256: str, size_bytes: int) -> None:
    """Check what was found in the store against the registry; `check_seal` tells if that can be trusted.

    Raises:
        ArtifactCorrupt: when size or digest differ.
    """
    name = artifact.artifact_path
    if size_bytes != artifact.seal.size_bytes:
        raise ArtifactCorrupt(f"The file '{name}' has another size than the one that was registered.")
    if not hmac.compare_digest(sha256, artifact.seal.sha256):
        raise ArtifactCorrupt(f"The file '{name}' has other contents than the one that was registered.")


def check_seal(key: ArtifactKey, artifact: Artifact) -> None:
    """Check what the registry says against the key.

    Raises:
        ArtifactCorrupt: when another key sealed it, an older release did, or something was changed since.
    """
    name = artifact.artifact_path
    if artifact.seal.hmac_key_id != key.id:
        raise ArtifactCorrupt(
            f"The file '{name}' was sealed with the key {artifact.seal.hmac_key_id}, but this process has the key "
            f"{key.id}. Give the API and all workers the same {KEY_FILE} or MLMINI_ARTIFACT_KEY."
        )
    if has_old_seal(key, artifact):
        raise ArtifactCorrupt(
            f"The registry's entry of '{name}' has the seal of an older release. `mlmini up` and `python -m "
            "cli.launcher.prepare` seal such models anew, once: what they left out then stays refused."
        )
    if not hmac.compare_digest(artifact.seal.hmac, reseal(key, artifact).hmac):
        raise ArtifactCorrupt(f"The registry's entry of '{name}' does not carry a valid signature.")


def has_old_seal(key: ArtifactKey, artifact: Artifact) -> bool:
    """Whether the seal is a valid one as older releases made them: it says nothing of dataset and stage."""
    seal = artifact.seal
    facts = [artifact.version, str(artifact.job_id), artifact.artifact_path, seal.sha256, seal.size_bytes]
    old = _mac(key, [_OLD_FORM, *facts, dict(artifact.environment)])
    return seal.hmac_key_id == key.id and hmac.compare_digest(seal.hmac, old)


def _mac(key: ArtifactKey, facts: list[object]) -> str:
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hmac.new(key.secret, canonical.encode(), hashlib.sha256).hexdigest()


def _read(path: Path) -> str:
    descriptor = open_regular(path)
    with os.fdopen(descriptor, encoding="ascii") as file:
        found = weakness(path, secret=True)
        if found is not None:
            raise WrongSettings(exposed(found))
        return file.read(_MOST_CHARACTERS)


def _create(path: Path) -> None:
    """Write a complete draft and link it to the path: of several first starts, one succeeds and all read its key."""
    make_private(path.parent)
    draft = path.with_name(f".{KEY_FILE}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # Linking fails where the name exists, which renaming would not.
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Make the new name survive a power cut, as the models sealed with the key will."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
