"""The file with the artifact keys, a line each: the first seals, those behind it are older and only verify.

A line may also hold what is left of an older key when it was given up: `record:` and what checks the audit record.
"""

import os
import re
import secrets
from pathlib import Path
from typing import NamedTuple, Self

from shared.errors import WrongSettings
from shared.fail_points import fail_point
from shared.home import exposed, make_private, reason
from shared.ownership import weakness
from shared.regular_file import NotRegular, open_regular

KEY_BYTES = 32
# Some hundreds of keys have room. A larger file holds none.
_MOST_CHARACTERS = 65_536
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_GIVEN_UP = "record:"


class KeysOfFile(NamedTuple):
    """The keys, the newest first, and what is left of those that are older still and were given up."""

    keys: tuple[bytes, ...]
    given_up: tuple[bytes, ...] = ()

    def with_new_key(self) -> Self:
        """The same keys behind a new one."""
        return self._replace(keys=(secrets.token_bytes(KEY_BYTES), *self.keys))

    def written(self) -> str:
        """The text of the file."""
        lines = [key.hex() for key in self.keys] + [_GIVEN_UP + record.hex() for record in self.given_up]
        return "\n".join(lines) + "\n"


def read_keys(path: Path) -> KeysOfFile | None:
    """What the file holds; None where there is none.

    Raises:
        WrongSettings: when it cannot be read, others can read or change it, or it holds something else.
    """
    name = path.name
    try:
        text = _read(path)
    except FileNotFoundError:
        return None
    except NotRegular:
        raise WrongSettings(
            f"{name} in the home folder is not a regular file. Put the file itself there, or set MLMINI_ARTIFACT_KEY."
        ) from None
    except OSError as error:
        raise WrongSettings(
            f"{name} in the home folder cannot be read: {reason(error)}. Let the user with the id {os.getuid()} "
            "read it; the API and all workers need it."
        ) from None
    except UnicodeDecodeError:
        text = ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    keys = [line for line in lines if not line.startswith(_GIVEN_UP)]
    given_up = [line.removeprefix(_GIVEN_UP) for line in lines if line.startswith(_GIVEN_UP)]
    if not keys or not all(map(_HEX.fullmatch, keys + given_up)) or len(text) >= _MOST_CHARACTERS:
        raise WrongSettings(
            f"{name} in the home folder does not hold a key. Bring the file back from a backup: with another key "
            "the registered models cannot be checked and will not load."
        )
    if lines[: len(keys)] != keys or len({line.lower() for line in lines}) != len(lines):
        raise WrongSettings(
            f"{name} in the home folder does not hold its keys in their order: each once, the newest first, and lines "
            f"that begin with {_GIVEN_UP} at the end. Put the lines right, or bring the file back from a backup."
        )
    return KeysOfFile(tuple(map(bytes.fromhex, keys)), tuple(map(bytes.fromhex, given_up)))


def create_key(path: Path) -> None:
    """Make the file with a new key: of several first starts, one succeeds and all read its key.

    Raises:
        OSError: when it cannot be made.
    """
    make_private(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    _write(draft, KeysOfFile(()).with_new_key())
    try:
        # Linking fails where the name exists, which renaming would not.
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()
    _flush_folder(path.parent)


def replace_keys(path: Path, held: KeysOfFile) -> None:
    """Put other keys in the place of those of the file, which at each moment has the ones or the others.

    Only one process may do so at a time.

    Raises:
        OSError: when the file cannot be written.
    """
    draft = path.with_name(f".{path.name}.draft")
    # What is left of a process that was killed.
    draft.unlink(missing_ok=True)
    _write(draft, held)
    fail_point("rotate.drafted")
    draft.replace(path)
    _flush_folder(path.parent)


def _read(path: Path) -> str:
    descriptor = open_regular(path)
    with os.fdopen(descriptor, encoding="ascii") as file:
        found = weakness(path, secret=True)
        if found is not None:
            raise WrongSettings(exposed(found))
        return file.read(_MOST_CHARACTERS)


def _write(path: Path, held: KeysOfFile) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(held.written())
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the new name survive a power cut, as the models sealed with the key will."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
