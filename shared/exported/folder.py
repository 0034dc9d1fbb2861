"""An exported folder that is checked before anything of it is used."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from shared.exported.key import ExportKey
from shared.exported.manifest import MANIFEST, SEAL, FolderRefused, Manifest, ManifestSeal, check_format, check_seal
from shared.hashing import CHUNK_BYTES, copy_hashed
from shared.regular_file import open_regular

# Far more than a manifest has; its categories are in it.
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class ExportedFolder:
    """A folder whose manifest is the one that was written; `sealed` says whether the key at hand vouches for it."""

    path: Path
    manifest: Manifest
    sealed: bool

    def copy_model(self, target: IO[bytes]) -> None:
        """Write the bytes of the model's file into another file, which may be used once this returns.

        Raises:
            FolderRefused: when it is missing, or not the file that was exported.
            OSError: when `target` takes no more.
        """
        file = self.manifest.file
        found = copy_hashed(_chunks(self.path / file.name, most_bytes=file.size_bytes + 1), target)
        if found.size_bytes != file.size_bytes:
            raise FolderRefused(f"{file.name} has another size than the file that was exported. Copy the folder again.")
        if found.sha256 != file.sha256:
            raise FolderRefused(f"{file.name} has other contents than the file that was exported. Copy it again.")


def open_folder(path: Path, key: ExportKey | None) -> ExportedFolder:
    """Check a folder up to the file of its model, which is checked as it is read.

    Raises:
        FolderRefused: when it is no exported model, is not the one that was written, is of another format, or holds a
            pickle and the key at hand did not seal it.
    """
    if not path.is_dir():
        what = "is not a folder" if path.exists() else "does not exist"
        raise FolderRefused(f"{path} {what}. Name a folder that `mlmini models export` has written.")
    manifest = _small(path, MANIFEST)
    check_format(manifest)
    seal = ManifestSeal.read(_small(path, SEAL))
    sealed = check_seal(manifest, seal, key)
    folder = ExportedFolder(path, Manifest.read(manifest), sealed)
    if folder.manifest.file.runs_code and not sealed:
        at_hand = "there is no key here" if key is None else f"the key here is {key.id}"
        raise FolderRefused(
            f"The folder holds a pickle, which is a program, and was sealed with the key {seal.key}; {at_hand}. Set "
            "MLMINI_EXPORT_KEY to what `mlmini models export --key-file` wrote where the model was exported."
        )
    return folder


def is_exported(path: Path) -> bool:
    """Whether a folder holds what an export writes, right or wrong."""
    return (path / MANIFEST).is_file() and (path / SEAL).is_file()


def _small(folder: Path, name: str) -> bytes:
    text = b"".join(_chunks(folder / name, most_bytes=_MOST_BYTES + 1))
    if len(text) > _MOST_BYTES:
        raise FolderRefused(f"{name} is too large to be what an export writes. Copy the folder again.")
    return text


def _chunks(path: Path, *, most_bytes: int) -> Iterator[bytes]:
    """The bytes of a file, at most so many: that is enough to see that it is too large."""
    try:
        # Where folders are mounted, their files may be links to the present ones.
        file = os.fdopen(open_regular(path.resolve()), "rb")
    except FileNotFoundError:
        raise FolderRefused(
            f"{path.name} is missing from {path.parent}. Name a folder that `mlmini models export` has written, and "
            "copy it with all of its files."
        ) from None
    except (OSError, RuntimeError) as error:
        raise FolderRefused(f"{path.name} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    with file:
        while most_bytes and (chunk := file.read(min(CHUNK_BYTES, most_bytes))):
            most_bytes -= len(chunk)
            yield chunk
