"""What an exported folder says of itself: `model.json`, and `seal.json` which vouches for that."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.estimators.signature import Signature
from shared.exported.key import ExportKey
from shared.tables.reading import Reading

MANIFEST, SEAL = "model.json", "seal.json"
FORMAT = 1
# The files of models by what they are. Only the second runs code when it is loaded.
FILES = {"form": "model.npz", "artifact": "model.pkl"}

_ANEW = "Export the model again."


class FolderRefused(Exception):
    """A folder is not served: it is no exported model, not the one that was written, or of another release."""


class ModelFile(BaseModel):
    """The file of the model: its compiled form, or its artifact."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["form", "artifact"]
    sha256: str
    size_bytes: int

    @property
    def name(self) -> str:
        """Its name in the folder."""
        return FILES[self.kind]

    @property
    def runs_code(self) -> bool:
        """Whether to load it is to run what it says."""
        return self.kind == "artifact"


class Manifest(BaseModel):
    """A model with what is needed to check rows for it, to read tables as it has learnt, and to name it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    platform: str
    exported_at: datetime
    dataset_name: str
    stage: str
    version: int
    job_id: UUID
    estimator: str
    environment: dict[str, str]
    signature: Signature
    # How the table was read that it learnt from, and the encoding that was given for it.
    reading: Reading
    encoding: str | None
    file: ModelFile

    def written(self) -> bytes:
        """The text of the file."""
        return (json.dumps(self.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n").encode()

    @classmethod
    def read(cls, text: bytes) -> Self:
        """What a text says that a seal vouches for.

        Raises:
            FolderRefused: when it is not of this form.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            places = ", ".join(".".join(map(str, each["loc"])) or "the text" for each in error.errors()[:3])
            raise FolderRefused(f"{MANIFEST} is not of the form that this release reads ({places}). {_ANEW}") from None


class ManifestSeal(BaseModel):
    """The digest of a manifest, and the seal of whoever exported it; `check` notices a damaged seal without a key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    key: str
    hmac: str
    check: str

    @classmethod
    def make(cls, manifest: bytes, key: ExportKey) -> Self:
        """Seal the text of a manifest."""
        facts = {"sha256": hashlib.sha256(manifest).hexdigest(), "key": key.id, "hmac": key.mac(manifest)}
        return cls(**facts, check=_check_of(facts))

    def written(self) -> bytes:
        """The text of the file."""
        return (json.dumps(self.model_dump(), indent=1) + "\n").encode()

    @classmethod
    def read(cls, text: bytes) -> Self:
        """The seal that `written` has written.

        Raises:
            FolderRefused: when any byte of it is another one.
        """
        try:
            found = cls.model_validate_json(text)
        except ValidationError:
            raise FolderRefused(f"{SEAL} is damaged: it is no seal. {_ANEW}") from None
        if found.written() != text or found.check != _check_of(found.model_dump(exclude={"check"})):
            raise FolderRefused(f"{SEAL} was changed since it was written. {_ANEW}")
        return found


def check_format(manifest: bytes) -> None:
    """Make sure that a manifest is of the format of this release; what is no manifest at all is found elsewhere.

    Raises:
        FolderRefused: naming both formats, and the release that wrote it.
    """
    try:
        told: Any = json.loads(manifest)
    except (ValueError, RecursionError):
        return
    if not isinstance(told, dict) or told.get("format") == FORMAT:
        return
    given = f"{told.get('format')!r:.20}" if "format" in told else "none"
    wrote = f" (release {told['platform']!s:.40})" if "platform" in told else ""
    raise FolderRefused(
        f"The folder has the format {given}{wrote}, and this release serves the format {FORMAT}. Export the model "
        "again with this release, or serve the folder with the release that wrote it."
    )


def check_seal(manifest: bytes, seal: ManifestSeal, key: ExportKey | None) -> bool:
    """Whether the key has sealed a manifest; false where another one may have.

    Raises:
        FolderRefused: when the manifest is another one than the sealed one, or the key is the chosen one and did not
            seal it.
    """
    if hashlib.sha256(manifest).hexdigest() != seal.sha256:
        raise FolderRefused(f"{MANIFEST} was changed since it was written. {_ANEW}")
    sealed = None if key is None else key.named(seal.key)
    if sealed is not None:
        if not hmac.compare_digest(sealed.mac(manifest), seal.hmac):
            raise FolderRefused(f"{SEAL} does not carry a valid signature. {_ANEW}")
        return True
    if key is not None and key.chosen:
        raise FolderRefused(
            f"The folder was sealed with the key {seal.key}, and MLMINI_EXPORT_KEY is the key {key.id}. Set it to the "
            "key of whoever exported the folder."
        )
    return False


def _check_of(facts: dict[str, str]) -> str:
    return hashlib.sha256("\n".join((facts["sha256"], facts["key"], facts["hmac"])).encode()).hexdigest()
