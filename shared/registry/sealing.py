"""Proof that an artifact is the file that was registered: a digest, and a MAC by a key outside bucket and database."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import SecretStr

from shared.errors import ArtifactCorrupt, WrongSettings
from shared.home import home_problem
from shared.registry.key_file import create_key, read_keys
from shared.settings import Settings

KEY_FILE = "artifact.key"
_MIN_SECRET_LENGTH = 32

# The sealed text begins with this, so that a seal of one form is not valid in another.
_FORM = "mlmini artifact 2"
_OLD_FORM = "mlmini artifact 1"


@dataclass(frozen=True)
class ArtifactKey:
    """The secret that seals artifacts, and older ones that only verify; the API and all workers share them."""

    secret: bytes = field(repr=False)
    # The newest first.
    older: tuple["ArtifactKey", ...] = ()
    # What checks the audit record from before all of these.
    given_up: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def id(self) -> str:
        """A short name of the key that tells nothing about it."""
        return hashlib.sha256(b"mlmini artifact key id\0" + self.secret).hexdigest()[:16]

    def named(self, key_id: str) -> "ArtifactKey | None":
        """The key with that name: this one, or an older one."""
        return next((key for key in (self, *self.older) if key.id == key_id), None)


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
            create_key(settings.home / KEY_FILE)
        except OSError as error:
            raise WrongSettings(home_problem(error, "its folder")) from None
        key = read_artifact_key(settings)
    if key is None:
        raise WrongSettings(f"{KEY_FILE} in the home folder vanished right after it was made. Start again.")
    return key


def read_artifact_key(settings: Settings) -> ArtifactKey | None:
    """The key with the older ones, if there is one yet.

    Raises:
        WrongSettings: when a key is too short, or the file does not hold one or cannot be read.
    """
    older = () if settings.artifact_keys_old is None else _lines(settings.artifact_keys_old)
    if settings.artifact_key is not None:
        present = settings.artifact_key.get_secret_value().encode()
        for secret, name in ((present, "MLMINI_ARTIFACT_KEY"), *((each, "MLMINI_ARTIFACT_KEYS_OLD") for each in older)):
            if len(secret) < _MIN_SECRET_LENGTH:
                each = "must have" if secret is present else "has a key on each line, which must have"
                raise WrongSettings(f"{name} {each} at least {_MIN_SECRET_LENGTH} characters")
        if len({present, *older}) != 1 + len(older):
            raise WrongSettings("MLMINI_ARTIFACT_KEYS_OLD holds a key twice, or that of MLMINI_ARTIFACT_KEY")
        return ArtifactKey(present, tuple(map(ArtifactKey, older)))
    if older:
        raise WrongSettings(
            f"MLMINI_ARTIFACT_KEYS_OLD goes with MLMINI_ARTIFACT_KEY, which is not set: older keys of {KEY_FILE} are "
            "lines of that file. Set both, or unset it"
        )
    held = read_keys(settings.home / KEY_FILE)
    return None if held is None else ArtifactKey(held.keys[0], tuple(map(ArtifactKey, held.keys[1:])), held.given_up)


def _lines(secret: SecretStr) -> tuple[bytes, ...]:
    return tuple(line.strip().encode() for line in secret.get_secret_value().splitlines() if line.strip())


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
    """Check what the registry says against the key, or against the older one that sealed it.

    Raises:
        ArtifactCorrupt: when another key sealed it, an older release did, or something was changed since.
    """
    name, sealed = artifact.artifact_path, key.named(artifact.seal.hmac_key_id)
    if sealed is None:
        has = f"the key {key.id}" + "".join(f" and the older {older.id}" for older in key.older)
        raise ArtifactCorrupt(
            f"The file '{name}' was sealed with the key {artifact.seal.hmac_key_id}, but this process has {has}. Give "
            f"the API and all workers the same {KEY_FILE} or MLMINI_ARTIFACT_KEY."
        )
    if has_old_seal(sealed, artifact):
        raise ArtifactCorrupt(
            f"The registry's entry of '{name}' has the seal of an older release. `mlmini up` and `python -m "
            "cli.launcher.prepare` seal such models anew, once: what they left out then stays refused."
        )
    if not hmac.compare_digest(artifact.seal.hmac, reseal(sealed, artifact).hmac):
        raise ArtifactCorrupt(f"The registry's entry of '{name}' does not carry a valid signature.")


def has_old_seal(key: ArtifactKey, artifact: Artifact) -> bool:
    """Whether the seal is a valid one as older releases made them: it says nothing of dataset and stage."""
    seal, sealed = artifact.seal, key.named(artifact.seal.hmac_key_id)
    if sealed is None:
        return False
    facts = [artifact.version, str(artifact.job_id), artifact.artifact_path, seal.sha256, seal.size_bytes]
    return hmac.compare_digest(seal.hmac, _mac(sealed, [_OLD_FORM, *facts, dict(artifact.environment)]))


def _mac(key: ArtifactKey, facts: list[object]) -> str:
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hmac.new(key.secret, canonical.encode(), hashlib.sha256).hexdigest()
