"""The key that seals exported folders: not the one of the registry, which no server of a folder needs to know."""

import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from shared.errors import WrongSettings
from shared.registry.sealing import ArtifactKey, read_artifact_key
from shared.settings import Settings

_HEX = re.compile(r"[0-9a-fA-F]{64}")
_PURPOSE = b"mlmini export key 1"


@dataclass(frozen=True)
class ExportKey:
    """A secret that whoever exports and whoever serves share. `chosen` ones come from the settings."""

    secret: bytes = field(repr=False)
    chosen: bool = False
    # Those before it, which only verify.
    older: tuple["ExportKey", ...] = ()

    @property
    def id(self) -> str:
        """A short name of the key that tells nothing about it."""
        return hashlib.sha256(b"mlmini export key id\0" + self.secret).hexdigest()[:16]

    def mac(self, text: bytes) -> str:
        """The seal of a text."""
        return hmac.new(self.secret, b"mlmini export 1\0" + text, hashlib.sha256).hexdigest()

    def named(self, key_id: str) -> "ExportKey | None":
        """The key with that name: this one, or an older one."""
        return next((key for key in (self, *self.older) if key.id == key_id), None)


def export_key_of(key: ArtifactKey) -> ExportKey:
    """The key that belongs to a home. It follows from that of the artifacts, and nothing leads back."""
    secret = hmac.new(key.secret, _PURPOSE, hashlib.sha256).digest()
    return ExportKey(secret, older=tuple(map(export_key_of, key.older)))


def read_export_key(settings: Settings) -> ExportKey | None:
    """The key of the settings, else the one that belongs to the home, if there is a home.

    Raises:
        WrongSettings: when the setting is no key, or the key of the home cannot be read.
    """
    if settings.export_key is not None:
        text = settings.export_key.get_secret_value().strip()
        if not _HEX.fullmatch(text):
            raise WrongSettings(
                "MLMINI_EXPORT_KEY must have 64 hexadecimal digits, as `mlmini models export --key-file` writes them"
            )
        return ExportKey(bytes.fromhex(text), chosen=True)
    key = read_artifact_key(settings)
    return None if key is None else export_key_of(key)


def write_key(key: ExportKey, path: Path) -> None:
    """Write a key into a new file that its owner alone can read; one that holds it already is left as it is.

    Raises:
        FileExistsError: when another file has that name.
        OSError: when it cannot be written.
    """
    text = f"{key.secret.hex()}\n"
    if path.is_file() and path.read_bytes() == text.encode():
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        # Linking fails where the name exists, which renaming would not.
        path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
